"""Giving codes away (赠送): to whom, which one, and telling the person.

A code given cannot be taken back. It waits for the person, who uses it under 我的激活码.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.errors import NameRefusedError
from accounts.models import ThrottleCounter, User
from accounts.queries import find_person_by_account
from accounts.rules.names import read_name
from accounts.services.messages import send_to_many
from accounts.services.throttling import (
    Counter,
    give_back_try,
    take_tries,
    throttle_key,
)
from catalog.models import Plan
from orders.errors import (
    CodeOverError,
    NoCodeLeftError,
    RecipientNotFoundError,
    RecipientProvidedError,
    SearchThrottledError,
)
from orders.locks import lock_people, lock_unused_codes
from orders.models import ActivationCode
from orders.queries.codes import (
    is_colleague,
    list_colleagues_named,
    list_open_people,
    list_provided,
    list_unused_of,
)
from orders.rules import SEARCH_PERSON, is_usable

State = ActivationCode.State


def find_recipients(
    *, owner: User, account: str, name: str, now: datetime
) -> list[User]:
    """The people meant by an account (user name, phone or ID number) and a name.

    Of the owner's own units either of the two is enough. Of anybody else both must fit,
    and who has no account is told apart from who has another name by nothing. A look that
    finds nobody is counted.

    Raises `RecipientNotFoundError` and `SearchThrottledError`.
    """
    scope, key = ThrottleCounter.Scope.CODE_SEARCH, throttle_key("give", owner.code)
    if not take_tries([Counter(scope, key, SEARCH_PERSON)], now=now):
        raise SearchThrottledError
    found = _look_for(owner, account.strip(), _spell(name))
    if not found:
        raise RecipientNotFoundError
    give_back_try(scope=scope, key=key)
    return found


def _spell(name: str) -> str:
    try:
        return read_name(name)
    except NameRefusedError:
        return name.strip()


def _look_for(owner: User, account: str, name: str) -> list[User]:
    if not account:
        return list_colleagues_named(owner, name) if name else []
    person = find_person_by_account(account)
    # Asked whether anybody was found or not: the answer takes the same queries.
    person_id = person.pk if person is not None else 0
    is_known = is_colleague(owner, person_id)
    is_open = list_open_people().filter(pk=person_id).exists()
    if person is None or not is_open:
        return []
    fits = person.name == name if name else is_known
    return [person] if fits else []


@transaction.atomic
def give_code(
    *, owner: User, plan: Plan, person: User, now: datetime
) -> ActivationCode:
    """Give an unused code of the owner's to a person who has been found before; for ever.

    Raises `RecipientNotFoundError`, `RecipientProvidedError`, `CodeOverError` and
    `NoCodeLeftError`.
    """
    lock_people([owner.pk, person.pk])
    if not is_usable(training_end=plan.training_end, today=timezone.localdate(now)):
        raise CodeOverError
    if not list_open_people().filter(pk=person.pk).exists():
        raise RecipientNotFoundError
    if list_provided(plan.pk, [person.pk]):
        raise RecipientProvidedError
    codes = take_unused(owner.pk, plan.pk, 1)
    if not codes:
        raise NoCodeLeftError
    try:
        with transaction.atomic():
            mark_given(codes, [person.pk], now=now)
    except IntegrityError as error:
        raise RecipientProvidedError from error
    tell_given([person], owner=owner, plan=plan, now=now)
    return codes[0]


def take_unused(owner_id: int, plan_id: int, count: int) -> list[ActivationCode]:
    """Lock up to `count` unused codes of the owner, those on no paper first.

    The caller has locked the owner: only somebody who types a code may come in between,
    and then another one is taken.
    """
    taken: list[ActivationCode] = []
    while len(taken) < count:
        left = list_unused_of(owner_id, plan_id).exclude(pk__in=[c.pk for c in taken])
        ids = list(left.values_list("pk", flat=True)[: count - len(taken)])
        if not ids:
            break
        taken += lock_unused_codes(pk__in=ids)
    return taken


def mark_given(
    codes: Sequence[ActivationCode], person_ids: Sequence[int], *, now: datetime
) -> None:
    """Hand locked codes to as many people."""
    for code, person_id in zip(codes, person_ids, strict=True):
        code.state, code.person_id, code.given_at = State.GIVEN, person_id, now
    ActivationCode.objects.bulk_update(
        codes, ["state", "person", "given_at"], batch_size=500
    )


def tell_given(
    people: Iterable[User], *, owner: User, plan: Plan, now: datetime
) -> None:
    """Write one notice for each of the people with a phone, in the giving transaction.

    Who has not logged in yet is told how to.
    """
    values = {"giver": owner.name, "plan": plan.title}
    reachable = [person for person in people if person.phone_index]
    for state, template, page in (
        (User.State.ACTIVE, "code_given", "orders:codes"),
        (User.State.PENDING, "code_given_pending", "accounts:activate"),
    ):
        phones = [person.phone for person in reachable if person.state == state]
        if phones:
            send_to_many(
                phones=phones,
                template=template,
                context=values | {"address": settings.SITE_URL + reverse(page)},
                now=now,
            )
