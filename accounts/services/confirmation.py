"""The present password, asked for again before something that cannot be undone."""

from datetime import datetime

from accounts.errors import ConfirmationThrottledError, PasswordWrongError
from accounts.models import ThrottleCounter, User
from accounts.rules.throttles import CONFIRM_PERSON
from accounts.services.throttling import (
    Counter,
    forget_tries,
    take_tries,
    throttle_key,
)


def confirm_password(*, person: User, password: str, now: datetime) -> None:
    """Raise `PasswordWrongError`, or `ConfirmationThrottledError` after too many of them.

    Whoever finds a session open may not guess the password in it. Must not run inside a
    transaction of the caller, who would roll back the counted try.
    """
    scope, key = ThrottleCounter.Scope.CONFIRM, throttle_key("confirm", person.code)
    if not take_tries([Counter(scope, key, CONFIRM_PERSON)], now=now):
        raise ConfirmationThrottledError
    if not person.check_password(password):
        raise PasswordWrongError
    forget_tries(scope=scope, key=key)
