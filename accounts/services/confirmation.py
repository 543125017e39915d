"""Who changes an account is its owner: by the present password, and still so under the lock."""

from datetime import datetime

from accounts.errors import (
    AccountMovedError,
    ConfirmationThrottledError,
    PasswordWrongError,
)
from accounts.locks import lock_person
from accounts.models import ThrottleCounter, User
from accounts.rules.throttles import CONFIRM_PERSON
from accounts.services.throttling import (
    Counter,
    forget_tries,
    give_back_tries,
    take_tries,
    throttle_key,
)
from portal.lib.password_hashing import HashingBusyError


def confirm_password(*, person: User, password: str, now: datetime) -> None:
    """Raise `PasswordWrongError`, or `ConfirmationThrottledError` after too many of them.

    Whoever finds a session open may not guess the password in it. Must not run inside a
    transaction of the caller, who would roll back the counted try.
    """
    scope, key = ThrottleCounter.Scope.CONFIRM, throttle_key("confirm", person.code)
    counters = [Counter(scope, key, CONFIRM_PERSON)]
    if not take_tries(counters, now=now):
        raise ConfirmationThrottledError
    try:
        is_right = person.check_password(password)
    except HashingBusyError:
        give_back_tries(counters)
        raise
    if not is_right:
        raise PasswordWrongError
    forget_tries(scope=scope, key=key)


def lock_confirmed(known: User) -> User:
    """Lock the account that `known` has proved to be the own one, by password or by code.

    Until the row is locked somebody may close it or give it another phone or password; what
    was proved is worth nothing then. Raises `AccountMovedError`.
    """
    person = lock_person(known.pk)
    for fact in ("state", "password", "phone_index"):
        if getattr(person, fact) != getattr(known, fact):
            raise AccountMovedError
    return person
