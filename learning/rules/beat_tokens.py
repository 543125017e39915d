"""Tokens that let a beat through without Django: who, in which session, by which login.

The server hands one out with every full answer. It proves no more than that the server knew
the three a moment ago; whether the session and the login still live is asked of the database
at every beat.
"""

import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass

# Within this time a login is looked at in full again: its limits, the account behind it.
TOKEN_SECONDS = 600
MAC_BYTES = 16
LONGEST_TOKEN = 200
# Person and the second of the expiry; session and login follow as text.
HEAD = struct.Struct(">QQ")
PURPOSE = b"learning.beat-token"


@dataclass(frozen=True, slots=True)
class BeatClaim:
    """Whose beat it is, in which play session, by which login."""

    person_id: int
    session: str
    login: str


def derive_key(secret: str) -> bytes:
    """The signing key for tokens, of a secret that signs other things as well."""
    return hmac.digest(secret.encode(), PURPOSE, "sha256")


def write_token(claim: BeatClaim, key: bytes, *, now: float) -> str:
    """A token for `claim`, good for ten minutes from the moment `now` (Unix seconds)."""
    body = HEAD.pack(claim.person_id, int(now) + TOKEN_SECONDS)
    body += f"{claim.session} {claim.login}".encode()
    return urlsafe_b64encode(_sign(body, key) + body).decode()


def read_token(token: str, keys: Sequence[bytes], *, now: float) -> BeatClaim | None:
    """The claim of a token signed by one of `keys`; None if forged, cut or expired."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        raw = urlsafe_b64decode(token)
    except ValueError:
        return None
    mac, body = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not any(hmac.compare_digest(mac, _sign(body, key)) for key in keys):
        return None
    person_id, expires = HEAD.unpack_from(body)
    if now >= expires:
        return None
    session, _, login = body[HEAD.size :].decode().partition(" ")
    return BeatClaim(person_id, session, login)


def _sign(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:MAC_BYTES]
