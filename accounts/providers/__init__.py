"""Clients of the services that hand messages over."""
