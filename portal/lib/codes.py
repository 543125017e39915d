"""Codes that people read: Crockford's base32, which has no look-alike letters (I L O U)."""

import os

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def random_code(length: int = 16) -> str:
    """`length` random characters, 5 bits each."""
    # A byte holds each of the 32 equally often. Lists need thousands of codes at once.
    return "".join(CROCKFORD[byte % 32] for byte in os.urandom(length))
