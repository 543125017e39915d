"""Studying through the API: own plans, courses and hours, and the player of an app."""
