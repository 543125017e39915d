from django.contrib.auth.backends import ModelBackend


class PersonBackend(ModelBackend):
    """Login by user name; the accounts services widen it to phone and ID number."""
