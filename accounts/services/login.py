"""Who gets in: equal words and equal work for every failure, counters against guessing."""

import logging
from datetime import datetime
from functools import cache

from django.contrib.auth.hashers import check_password, make_password

from accounts.errors import CodeRefusedError, LoginRefusedError, LoginThrottledError
from accounts.models import ThrottleCounter, User, VerificationCode
from accounts.queries import find_person_by_account, find_person_by_phone
from accounts.rules.accounts import canonical_account
from accounts.rules.throttles import LOGIN_ACCOUNT, LOGIN_ADDRESS, LOGIN_PAIR
from accounts.services.codes import check_code
from accounts.services.throttling import (
    Counter,
    forget_tries,
    give_back_try,
    take_tries,
    throttle_key,
)

logger = logging.getLogger(__name__)

Scope = ThrottleCounter.Scope
# Above what any password field accepts: hashing megabytes would be a way to stop the server.
LONGEST_PASSWORD = 256


def check_login(*, account: str, password: str, address: str, now: datetime) -> User:
    """Return the person whose account (user name, phone, ID number) and password these are.

    Raises `LoginRefusedError` alike for a wrong password, an unknown person, a pending and
    a closed account, after the same work; `LoginThrottledError` after too many failures,
    whether or not there is such an account.
    """
    counters = _counters(canonical_account(account), address)
    if not take_tries(counters, now=now):
        logger.warning("login throttled")
        raise LoginThrottledError
    person = find_person_by_account(account)
    if not _is_right(person, password) or person is None:
        logger.info("login refused")
        raise LoginRefusedError
    logger.info("login", extra={"person": person.code})
    _settle_counters(counters)
    return person


def check_code_login(*, phone: str, browser: str, code: str, now: datetime) -> User:
    """Return the person whose phone answered. Raises `CodeRefusedError` for every failure."""
    check_code(
        phone=phone,
        purpose=VerificationCode.Purpose.LOGIN,
        browser=browser,
        code=code,
        now=now,
    )
    person = find_person_by_phone(phone)
    if person is None or not person.may_log_in:
        raise CodeRefusedError
    return person


def forget_login_failures(*, person: User) -> None:
    """Open an account again that was tried too often: its owner has just proved the phone."""
    for account in (person.username, person.phone, person.id_number):
        key = throttle_key("account", canonical_account(account))
        forget_tries(scope=Scope.LOGIN_ACCOUNT, key=key)


def _counters(account: str, address: str) -> list[Counter]:
    # The pair first: what it refuses does not reach the account's counter, or one stranger
    # alone could make the owner use codes.
    return [
        Counter(Scope.LOGIN_PAIR, throttle_key("pair", account, address), LOGIN_PAIR),
        Counter(Scope.LOGIN_ADDRESS, throttle_key("address", address), LOGIN_ADDRESS),
        Counter(Scope.LOGIN_ACCOUNT, throttle_key("account", account), LOGIN_ACCOUNT),
    ]


def _settle_counters(counters: list[Counter]) -> None:
    """After a success the pair starts anew; the others lose the try just counted.

    Starting the account's counter anew would let a guesser go on each time the owner logs
    in, starting the address's would let one good account cover a list of stolen ones.
    """
    for counter in counters:
        if counter.scope == Scope.LOGIN_PAIR:
            forget_tries(scope=counter.scope, key=counter.key)
        else:
            give_back_try(scope=counter.scope, key=counter.key)


def _is_right(person: User | None, password: str) -> bool:
    """One hash is computed, also for nobody and for those who may not log in at all."""
    if person is not None and person.may_log_in and person.has_usable_password():
        return person.check_password(_bounded(password))
    check_password(_bounded(password), _dummy_hash())
    return False


def _bounded(password: str) -> str:
    return password if len(password) <= LONGEST_PASSWORD else ""


@cache
def _dummy_hash() -> str:
    return make_password("the password of nobody")
