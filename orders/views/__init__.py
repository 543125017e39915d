"""Pages of buying and paying."""
