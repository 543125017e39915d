"""Shape and spelling of what people type; the services decide what it means."""
