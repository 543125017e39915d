"""Codes of an authenticator app (RFC 6238) and codes for the day it is lost."""

import secrets
from base64 import b32encode
from datetime import datetime
from urllib.parse import quote

from django_otp.oath import hotp

from portal.lib.codes import random_code

SECRET_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6
# Clocks of phones differ: one step to either side.
TOLERANCE = 1
RECOVERY_CODES = 10
RECOVERY_LENGTH = 10


def make_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def spell_secret(secret: bytes) -> str:
    """The secret as people type it into an app that cannot scan."""
    text = b32encode(secret).decode().rstrip("=")
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def make_otpauth_uri(secret: bytes, *, account: str, issuer: str) -> str:
    """What the QR code says to the app."""
    label = quote(f"{issuer}:{account}")
    key = spell_secret(secret).replace(" ", "")
    return (
        f"otpauth://totp/{label}?secret={key}&issuer={quote(issuer)}"
        f"&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}"
    )


def step_at(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_SECONDS


def find_step(secret: bytes, code: str, *, after: int, now: datetime) -> int | None:
    """The step of time whose code this is, None for a wrong one.

    Steps up to `after` are used up: whoever looked over a shoulder comes too late.
    """
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    here = step_at(now)
    found = None
    for step in range(here - TOLERANCE, here + TOLERANCE + 1):
        # All are computed, so the time taken does not tell which was near.
        is_code = secrets.compare_digest(f"{hotp(secret, step, DIGITS):06d}", code)
        if is_code and step > after:
            found = step
    return found


def make_recovery_codes() -> list[str]:
    return [random_code(RECOVERY_LENGTH) for _ in range(RECOVERY_CODES)]


def spell_recovery_code(code: str) -> str:
    """`ABCDE-12345`."""
    half = RECOVERY_LENGTH // 2
    return f"{code[:half]}-{code[half:]}"


def read_recovery_code(text: str) -> str:
    """What was typed, without what only helps the eye; look-alikes as Crockford reads them."""
    kept = text.upper().replace("-", "").replace(" ", "")
    return kept.translate(str.maketrans("OIL", "011"))
