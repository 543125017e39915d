"""Codes that people read: Crockford's base32, which has no look-alike letters (I L O U)."""

import secrets

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def random_code(length: int = 16) -> str:
    """`length` random characters, 5 bits each."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(length))
