"""Money that goes back: asked for, decided, sent to the gateway, settled."""
