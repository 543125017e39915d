"""Seal, ornament, signature and its check: pure parts, they know no rows."""
