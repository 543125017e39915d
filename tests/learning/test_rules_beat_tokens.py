"""Tokens of the hot path: only ours, only for ten minutes, only as they were written."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest

from learning.rules.beat_tokens import (
    TOKEN_SECONDS,
    BeatClaim,
    derive_key,
    read_token,
    write_token,
)

NOW = 1_780_000_000.5
KEY = derive_key("secret")
CLAIM = BeatClaim(7, "S" * 26, "login-of-sixteen")


def test_a_token_says_what_was_written():
    token = write_token(CLAIM, KEY, now=NOW)

    assert read_token(token, [KEY], now=NOW + TOKEN_SECONDS - 1) == CLAIM


def test_a_token_expires():
    token = write_token(CLAIM, KEY, now=NOW)

    assert read_token(token, [KEY], now=NOW + TOKEN_SECONDS) is None


def test_a_former_key_still_opens_and_a_foreign_one_does_not():
    token = write_token(CLAIM, derive_key("former"), now=NOW)

    assert read_token(token, [KEY, derive_key("former")], now=NOW) == CLAIM
    assert read_token(token, [KEY], now=NOW) is None


def test_no_bit_of_a_token_can_be_changed():
    raw = urlsafe_b64decode(write_token(CLAIM, KEY, now=NOW))
    forged = [
        raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        for place in range(len(raw))
    ]

    assert {
        read_token(urlsafe_b64encode(each).decode(), [KEY], now=NOW) for each in forged
    } == {None}


@pytest.mark.parametrize("token", ["", "x", "AAAA", "令牌", "A" * 5000, "=" * 24])
def test_what_is_no_token_is_refused(token: str):
    assert read_token(token, [KEY], now=NOW) is None
