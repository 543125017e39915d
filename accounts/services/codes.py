"""Verification codes by SMS: one purpose, one browser, five minutes, five tries, kept hashed."""

import hmac
import secrets
from datetime import datetime
from math import ceil

from django.conf import settings
from django.db import transaction

from accounts.errors import CodeRateError, CodeRefusedError
from accounts.locks import find_locked_code, lock_counter
from accounts.models import Message, ThrottleCounter, User, VerificationCode
from accounts.personal_data import blind_index, phone_index
from accounts.queries import find_person_by_phone, is_phone_taken
from accounts.rules.throttles import (
    CODE_ADDRESS_LIMITS,
    CODE_DIGITS,
    CODE_LIFETIME,
    CODE_PHONE_LIMITS,
    CODE_TRIES,
    HOUR,
    Limit,
    wait_until_free,
)
from accounts.services.messages import build_message
from accounts.services.sms_limits import SmsBudget
from accounts.services.throttling import throttle_key

Purpose = VerificationCode.Purpose


@transaction.atomic
def send_code(
    *, phone: str, purpose: Purpose, browser: str, address: str, now: datetime
) -> None:
    """Send a code to a normalised phone; `browser` is a secret of the visitor's session.

    Answers the same whether the phone has an account or not: a registered phone that asks
    to register is told so by SMS, and nothing is sent where nobody could use the code.
    Raises `CodeRateError`.
    """
    index = phone_index(phone)
    address_index = throttle_key("code address", address)
    _check_rates(index, address_index, now=now)
    code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
    VerificationCode.objects.create(
        phone_index=index,
        purpose=purpose,
        browser=_hash_browser(browser),
        address_index=address_index,
        code_hash=_hash_code(index, purpose, code),
        tries_left=CODE_TRIES,
        sent_at=now,
        expires_at=now + CODE_LIFETIME,
    )
    _write_message(phone, purpose, code, now=now)


def check_code(
    *, phone: str, purpose: Purpose, browser: str, code: str, now: datetime
) -> None:
    """Use up the code that was sent to this phone. Raises `CodeRefusedError`.

    Must not run inside a transaction of the caller, who would roll back the lost try.
    """
    if not _use_code(phone, purpose, browser, code, now=now):
        raise CodeRefusedError


@transaction.atomic(durable=True)
def _use_code(
    phone: str, purpose: Purpose, browser: str, code: str, *, now: datetime
) -> bool:
    index = phone_index(phone)
    row = find_locked_code(
        phone_index=index, purpose=purpose, browser=_hash_browser(browser)
    )
    if row is None or row.used_at is not None or row.expires_at <= now:
        return False
    if row.tries_left == 0:
        return False
    row.tries_left -= 1
    is_right = hmac.compare_digest(
        row.code_hash, _hash_code(index, purpose, code.strip())
    )
    if is_right:
        row.used_at = now
    row.save(update_fields=["tries_left", "used_at"])
    return is_right


def _check_rates(index: str, address_index: str, *, now: datetime) -> None:
    # The locked counters make requests for one phone, and from one address, queue; what is
    # counted are the codes themselves.
    scope = ThrottleCounter.Scope
    lock_counter(scope.CODE_PHONE, index, now=now)
    lock_counter(scope.CODE_ADDRESS, address_index, now=now)
    _refuse_if_full(
        "phone_index",
        index,
        CODE_PHONE_LIMITS,
        "该手机号码获取验证码过于频繁，请{wait}后再试。",
        now=now,
    )
    _refuse_if_full(
        "address_index",
        address_index,
        CODE_ADDRESS_LIMITS,
        "当前网络获取验证码过于频繁，请{wait}后再试。",
        now=now,
    )
    sent = VerificationCode.objects.filter(sent_at__gt=now - HOUR).count()
    if sent >= settings.SMS_HOURLY_CAP or not SmsBudget(now=now).allows_codes:
        raise CodeRateError("短信服务繁忙，请稍后再试。", wait_seconds=600)


def _refuse_if_full(
    column: str, value: str, limits: tuple[Limit, ...], words: str, *, now: datetime
) -> None:
    longest = max(limit.window for limit in limits)
    sent_at = VerificationCode.objects.filter(
        **{column: value, "sent_at__gt": now - longest}
    ).values_list("sent_at", flat=True)
    wait = wait_until_free(list(sent_at), limits, now=now)
    seconds = ceil(wait.total_seconds())
    if seconds > 0:
        raise CodeRateError(words.format(wait=_in_words(seconds)), wait_seconds=seconds)


def _in_words(seconds: int) -> str:
    if seconds <= 90:
        return f"{seconds}秒"
    if seconds <= 5400:
        return f"{ceil(seconds / 60)}分钟"
    return f"{ceil(seconds / 3600)}小时"


def _write_message(phone: str, purpose: Purpose, code: str, *, now: datetime) -> None:
    template, values = f"code_{purpose.value}", {"code": code}
    if purpose == Purpose.REGISTER and is_phone_taken(phone):
        template, values = "already_registered", {}
    message = build_message(
        channel=Message.Channel.SMS,
        recipient=phone,
        template=template,
        context=values,
        now=now,
        expires_at=now + CODE_LIFETIME,
    )
    if not _has_use_for(phone, purpose):
        # A row all the same: to write none would take less time, and tell.
        message.state = Message.State.WITHHELD
    message.save(force_insert=True)


def _has_use_for(phone: str, purpose: Purpose) -> bool:
    # The others are asked for by somebody logged in, or may open a new account.
    states = {
        Purpose.LOGIN: User.State.ACTIVE,
        Purpose.RESET: User.State.ACTIVE,
        Purpose.ACTIVATE: User.State.PENDING,
    }
    if purpose not in states:
        return True
    person = find_person_by_phone(phone)
    return person is not None and person.state == states[purpose]


def _hash_browser(browser: str) -> str:
    return blind_index().of("code browser", browser)


def _hash_code(index: str, purpose: Purpose, code: str) -> str:
    return blind_index().of("code", f"{index}:{purpose.value}:{code}")
