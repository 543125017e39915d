"""Captchas: a picture with digits, asked for after suspicious tries only, good for one answer.

The library draws the picture and keeps the row; which try needs one is decided by counters
that everybody has, so a captcha tells nobody whether an account exists.
"""

import secrets
from datetime import datetime
from hmac import compare_digest
from typing import Any

from captcha.models import CaptchaStore
from django.db import transaction
from django.db.models import Q

from accounts.models import ThrottleCounter, VerificationCode
from accounts.personal_data import phone_index
from accounts.rules.accounts import canonical_account
from accounts.rules.throttles import (
    CAPTCHA_CODE_ADDRESS,
    CAPTCHA_CODE_PHONE,
    CAPTCHA_DIGITS,
    CAPTCHA_LIFETIME,
    CAPTCHA_LOGIN_ACCOUNT,
    CAPTCHA_LOGIN_ADDRESS,
    CAPTCHA_LOGIN_PAIR,
    CAPTCHA_NUMBER_PHONE,
    CAPTCHA_PASS_LIFETIME,
    Limit,
    Window,
    is_suspicious,
)
from accounts.services.throttling import throttle_key

Scope = ThrottleCounter.Scope
# Without 0, 1 and 7, which a rotated picture makes hard to tell from 6, 7 and 1.
_DIGITS = "2345689"
# In place of digits, in a row that stands for an answer given before.
_PASSED = "passed"


def make_challenge(*, now: datetime) -> str:
    """Write a new captcha and return its key, which is also the address of its picture."""
    digits = "".join(secrets.choice(_DIGITS) for _ in range(CAPTCHA_DIGITS))
    row = CaptchaStore.objects.create(
        challenge=digits,
        response=digits,
        hashkey=secrets.token_hex(20),
        expiration=now + CAPTCHA_LIFETIME,
    )
    return str(row.hashkey)


@transaction.atomic
def use_answer(*, key: str, answer: str, now: datetime) -> bool:
    """Whether this is the answer. Right or wrong, the captcha is gone afterwards.

    Of parallel uses one at most succeeds: only who deleted the row may compare with it.
    """
    rows = CaptchaStore.objects.filter(hashkey=key, expiration__gt=now)
    row = rows.exclude(response=_PASSED).first()
    if row is None or not CaptchaStore.objects.filter(pk=row.pk).delete()[0]:
        return False
    return compare_digest(row.response.encode(), _half_width(answer).encode())


def make_pass(*, now: datetime) -> str:
    """A secret for the session of who has just answered: it stands for one more answer."""
    row = CaptchaStore.objects.create(
        challenge=_PASSED,
        response=_PASSED,
        hashkey=secrets.token_hex(20),
        expiration=now + CAPTCHA_PASS_LIFETIME,
    )
    return str(row.hashkey)


def has_pass(*, key: str, now: datetime) -> bool:
    return bool(_passes(key, now=now).exists())


def use_pass(*, key: str, now: datetime) -> bool:
    """Whether there was such a pass; gone afterwards, also for parallel uses."""
    return bool(_passes(key, now=now).delete()[0])


def _passes(key: str, *, now: datetime) -> Any:
    return CaptchaStore.objects.filter(
        hashkey=key, response=_PASSED, expiration__gt=now
    )


def is_login_suspicious(*, account: str, address: str, now: datetime) -> bool:
    """Whether a login needs a captcha; without `account` by the address alone."""
    thresholds = {
        (Scope.LOGIN_ADDRESS, throttle_key("address", address)): CAPTCHA_LOGIN_ADDRESS
    }
    if account:
        canonical = canonical_account(account)
        pair = throttle_key("pair", canonical, address)
        thresholds[Scope.LOGIN_PAIR, pair] = CAPTCHA_LOGIN_PAIR
        key = throttle_key("account", canonical)
        thresholds[Scope.LOGIN_ACCOUNT, key] = CAPTCHA_LOGIN_ACCOUNT
    return _is_any_over(thresholds, now=now)


def is_code_suspicious(*, phone: str, address: str, now: datetime) -> bool:
    """Whether a code by SMS, or the form that is sent with one, needs a captcha.

    Counts the codes that were asked for; without `phone` by the address alone.
    """
    at_address = VerificationCode.objects.filter(
        address_index=throttle_key("code address", address),
        sent_at__gt=now - CAPTCHA_CODE_ADDRESS.window,
    )
    if at_address.count() >= CAPTCHA_CODE_ADDRESS.count:
        return True
    if not phone:
        return False
    to_phone = VerificationCode.objects.filter(
        phone_index=phone_index(phone),
        sent_at__gt=now - CAPTCHA_CODE_PHONE.window,
    )
    if to_phone.count() >= CAPTCHA_CODE_PHONE.count:
        return True
    numbers = (Scope.NUMBER_PHONE, throttle_key("number", phone))
    return _is_any_over({numbers: CAPTCHA_NUMBER_PHONE}, now=now)


def _is_any_over(thresholds: dict[tuple[Scope, str], Limit], *, now: datetime) -> bool:
    wanted = Q()
    for scope, key in thresholds:
        wanted |= Q(scope=scope, key=key)
    rows = ThrottleCounter.objects.filter(wanted)
    return any(
        is_suspicious(
            Window(row.count, row.window_started_at),
            thresholds[Scope(row.scope), row.key],
            now=now,
        )
        for row in rows
    )


def _half_width(answer: str) -> str:
    """Digits as a Chinese input method may write them."""
    return "".join(
        str(int(character)) if character.isdecimal() else character
        for character in answer.strip()
    )
