"""User names: handles that can never be mistaken for a phone or an ID number."""

import re
import secrets

from accounts.errors import UsernameRefusedError

_USERNAME = re.compile(r"[a-z][a-z0-9_]{3,19}", re.ASCII)
# The older residence card of foreigners is three letters and twelve digits.
_LIKE_ID_NUMBER = re.compile(r"[a-z]{3}[0-9]{12}", re.ASCII)
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_GENERATED_LENGTH = 10


def read_username(text: str) -> str:
    """Return `text` as a user name in lower case. Raises `UsernameRefusedError`."""
    username = text.strip().lower()
    if not _USERNAME.fullmatch(username) or _LIKE_ID_NUMBER.fullmatch(username):
        raise UsernameRefusedError
    return username


def make_username() -> str:
    """A name for somebody who chose none: `px` and ten characters, 2^49 possibilities."""
    return "px" + "".join(secrets.choice(_ALPHABET) for _ in range(_GENERATED_LENGTH))
