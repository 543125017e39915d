"""What a browser's session carries about its login: a code, and later why it is over."""

from collections.abc import Mapping
from typing import Any

# The code of the login's row.
CODE_KEY = "accounts_session"
# Words for whoever was logged out, until the next login.
NOTE_KEY = "accounts_session_end"


def read_code(store: Mapping[str, Any]) -> str:
    """The code of this browser's login, empty where there is none."""
    return str(store.get(CODE_KEY, ""))


def read_note(store: Mapping[str, Any]) -> str:
    """Why this browser's last login is over; empty once it has logged in again."""
    return str(store.get(NOTE_KEY, ""))
