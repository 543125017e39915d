"""Who gets in: equal words and equal work for every failure, counters against guessing."""

import logging
from datetime import datetime
from functools import cache
from hmac import compare_digest

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password

from accounts.errors import (
    CodeRefusedError,
    FirstLoginRefusedError,
    FirstLoginRequiredError,
    LoginRefusedError,
    LoginThrottledError,
)
from accounts.models import ThrottleCounter, User, VerificationCode
from accounts.personal_data import id_number_index
from accounts.queries import find_person_by_account, find_person_by_phone
from accounts.rules.accounts import canonical_account
from accounts.rules.first_passwords import first_password
from accounts.rules.throttles import LOGIN_ACCOUNT, LOGIN_ADDRESS, LOGIN_PAIR
from accounts.services.codes import check_code
from accounts.services.throttling import (
    Counter,
    forget_tries,
    give_back_tries,
    give_back_try,
    take_tries,
    throttle_key,
)
from portal.lib.password_hashing import HashingBusyError

logger = logging.getLogger(__name__)

Scope = ThrottleCounter.Scope
# Above what any password field accepts: hashing megabytes would be a way to stop the server.
LONGEST_PASSWORD = 256


def check_login(*, account: str, password: str, address: str, now: datetime) -> User:
    """Return the person whose account (user name, phone, ID number) and password these are.

    Raises `LoginRefusedError` alike for a wrong password, an unknown person, a pending and
    a closed account, after the same work; `LoginThrottledError` after too many failures,
    whether or not there is such an account; `FirstLoginRequiredError`, a refusal too, for ID
    number and first password of a pending account.
    """
    person, may_enter, may_activate = _try_password(account, password, address, now=now)
    if person is not None and may_activate:
        logger.info("first login begun", extra={"person": person.code})
        raise FirstLoginRequiredError(person_code=person.code)
    if person is None or not may_enter:
        logger.info("login refused")
        raise LoginRefusedError
    logger.info("login", extra={"person": person.code})
    _settle_counters(_counters(canonical_account(account), address))
    return person


def check_first_login(
    *, id_number: str, password: str, address: str, now: datetime
) -> User:
    """Return the pending person whose ID number and first password these are.

    They open the page of 首次登录 and nothing else. Raises `FirstLoginRefusedError` alike for
    everybody else, after the same work, and `LoginThrottledError`: both ways count together.
    """
    person, _, may_activate = _try_password(id_number, password, address, now=now)
    if person is None or not may_activate:
        logger.info("first login refused")
        raise FirstLoginRefusedError
    logger.info("first login begun", extra={"person": person.code})
    return person


def _try_password(
    account: str, password: str, address: str, *, now: datetime
) -> tuple[User | None, bool, bool]:
    """Who that is, whether the password opens the account, whether it opens 首次登录.

    The same for everybody: one lookup, one password hash, one comparison. Raises
    `HashingBusyError` where more passwords wait than can be hashed soon.
    """
    canonical = canonical_account(account)
    counters = _counters(canonical, address)
    if not take_tries(counters, now=now):
        logger.warning("login throttled")
        raise LoginThrottledError
    person = find_person_by_account(account)
    try:
        may_enter = _is_right(person, password)
    except HashingBusyError:
        # Nothing was compared, so nothing was tried.
        give_back_tries(counters)
        raise
    may_activate = _is_first_password(person, canonical, password, now=now)
    if may_activate:
        # The pair only: first passwords follow from the numbers, and whoever goes through a
        # list of numbers is to be counted at the address also where the list is right.
        forget_tries(scope=counters[0].scope, key=counters[0].key)
    return person, may_enter, may_activate


def _is_first_password(
    person: User | None, account: str, password: str, *, now: datetime
) -> bool:
    # Where the blind index says that the typed number is the one on file, the rule can be
    # applied to what was typed: nothing is decrypted for some and not for others.
    number = account.upper()
    expected = first_password(settings.FIRST_PASSWORD_RULE, number)
    # Upper case on both sides: a final x is typed in either.
    is_first = compare_digest(
        expected.upper().encode(), _bounded(password).upper().encode()
    )
    index = id_number_index(number)
    return (
        person is not None
        and person.id_number_index == index
        and person.awaits_first_login(now)
        and is_first
    )


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


def forget_login_failures(*, person: User, address: str) -> None:
    """Open an account again that was tried too often: its owner has a new password.

    Everywhere, and at `address`, where the owner has just proved the phone. What was counted
    of the address alone stays: others fail there too.
    """
    for account in (person.username, person.phone, person.id_number):
        for counter in _counters(canonical_account(account), address):
            if counter.scope != Scope.LOGIN_ADDRESS:
                forget_tries(scope=counter.scope, key=counter.key)


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
