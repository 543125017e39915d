"""Group purchases on their way: handed in, checked, ordered."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from accounts.models import Unit, User
from catalog.models import Plan
from orders.models import GroupCheck, Order
from orders.services.groups import (
    Submission,
    check_people,
    place_group_order,
    submit_people,
)
from portal.lib.spreadsheet import write_sheet
from tests.factories.accounts import UserFactory, make_id_number, make_phone

COLUMNS = (("身份证号码", 24), ("姓名（选填）", 16))


def make_trainees(count: int, **given: Any) -> list[User]:
    """People with accounts who hold nothing, in the order of their ids."""
    return [UserFactory(**given) for _ in range(count)]


def make_crowd(count: int, *, first: int) -> list[User]:
    """Thousands of people at once: accounts without passwords, the `first` of them the
    so-manieth synthetic person."""
    people = []
    for n in range(first, first + count):
        person = User(username=f"crowd{n}", name="众人", password="")
        person.store_id_number(make_id_number(n))
        person.store_phone(make_phone(n))
        people.append(person)
    return User.objects.bulk_create(people, batch_size=1000)


def paste(*people: User | str) -> str:
    """The numbers of these people, one a line; a text stands as it is."""
    return "\n".join(
        each if isinstance(each, str) else each.id_number for each in people
    )


def make_sheet(lines: Iterable[Sequence[object]]) -> bytes:
    """A sheet of number and name, as the template has it."""
    return write_sheet("团购名单", COLUMNS, lines)


def hand_in(
    given: str | bytes,
    *,
    buyer: User,
    unit: Unit,
    plan: Plan,
    now: datetime,
    **more: Any,
) -> GroupCheck:
    """A check that waits for its worker; a text was pasted, bytes are a sheet."""
    is_sheet = isinstance(given, bytes)
    return submit_people(
        submission=Submission(
            plan=plan,
            unit=unit,
            content=given if isinstance(given, bytes) else given.encode(),
            is_sheet=is_sheet,
            **more,
        ),
        actor=buyer,
        now=now,
    )


def make_checked(given: str | bytes, *, now: datetime, **more: Any) -> GroupCheck:
    """A check that its worker is through with."""
    check = hand_in(given, now=now, **more)
    check_people(check_id=check.pk, clock=lambda: now)
    check.refresh_from_db()
    return check


def make_group_order(
    people: Iterable[User], *, buyer: User, now: datetime, **more: Any
) -> Order:
    """An unpaid order of a plan for these people."""
    check = make_checked(paste(*people), buyer=buyer, now=now, **more)
    return place_group_order(check_id=check.pk, actor=buyer, now=now)
