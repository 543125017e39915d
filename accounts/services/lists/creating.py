"""From an approved list to accounts, five hundred rows a transaction.

Runs in a worker that may be killed at any line. People, their messages, the audit entries
and the rows' outcomes are written in one transaction each time, so whoever takes over goes
on with the rows that still wait: nobody is lost, nobody doubled.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import OuterRef, Subquery

from accounts.locks import lock_expired_people
from accounts.models import (
    ListedPerson,
    ListRow,
    Profile,
    RegistrationList,
    UnitMember,
    User,
)
from accounts.queries.lists import find_accounts, find_taken_phones
from accounts.rules.lists import Account, judge_row
from accounts.rules.usernames import make_username
from accounts.services.audit import Note, record_many
from accounts.services.leases import Clock, LeaseLostError
from accounts.services.lists.leases import ListLease, take_lease
from accounts.services.lists.replying import finish_list, tell_opened
from portal.lib.bulk_insert import insert_rows

logger = logging.getLogger(__name__)

State = RegistrationList.State
Outcome = ListRow.Outcome

ROWS_A_CHUNK = 500
PERSON_COLUMNS = (
    *("code", "username", "name", "id_kind", "id_number_cipher", "id_number_index"),
    *("phone_cipher", "phone_index"),
)
# After a deadlock: people are unique by number and by phone, and no one order of inserting
# suits both when another list, or somebody who registers, has the same ones crossed.
RETRY_PAUSES = (0.5, 2.0)


class Opened(NamedTuple):
    """A row and the account that was opened for it."""

    row: ListRow
    listed: ListedPerson
    code: str
    person_id: int


@dataclass
class Chunk:
    """Some rows of a list that wait, and what is to become of each."""

    registration_list: RegistrationList
    now: datetime
    new: list[tuple[ListRow, ListedPerson]] = field(default_factory=list)
    known: list[tuple[ListRow, Account]] = field(default_factory=list)
    failed: list[ListRow] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)

    @property
    def pending_until(self) -> datetime:
        """Until when the first password opens the accounts of this chunk."""
        return self.now + timedelta(days=settings.FIRST_LOGIN_DAYS)


def create_accounts(*, list_id: int, clock: Clock, size: int = ROWS_A_CHUNK) -> None:
    """Open the accounts of an approved list and answer it, unless another worker is at it."""
    lease = take_lease(
        list_id, states=RegistrationList.TO_CREATE, working=State.CREATING, clock=clock
    )
    if lease is None:
        return
    try:
        while _create_next(lease, size):
            pass
        finish_list(lease)
    except LeaseLostError:
        logger.info("list left to another", extra={"reference": list_id})


def _create_next(lease: ListLease, size: int) -> bool:
    for pause in RETRY_PAUSES:
        try:
            return _create_chunk(lease, size)
        except OperationalError as error:
            logger.warning("chunk again", extra={"error": type(error).__name__})
            time.sleep(pause)
    return _create_chunk(lease, size)


def _create_chunk(lease: ListLease, size: int) -> bool:
    """Handle the next rows that wait; False if there were none."""
    with lease.hold() as row:
        waiting = list(row.rows.filter(outcome=Outcome.WAITING).order_by("line")[:size])
        if not waiting:
            return False
        chunk = Chunk(row, lease.clock())
        _sort_out(chunk, [(each, each.listed) for each in waiting])
        _sort_out(chunk, _insert_people(chunk))
        if chunk.new:
            raise RuntimeError("rows that neither fit nor collide")
        _write_around(chunk)
        _note_outcomes(chunk)
        record_many(notes=_list_notes(chunk), actor=row.decided_by, now=chunk.now)
    return True


def _sort_out(chunk: Chunk, rows: Sequence[tuple[ListRow, ListedPerson]]) -> None:
    """Judge the rows by the accounts of this moment: days have passed since the check."""
    by_number = find_accounts(row.number_index for row, _ in rows)
    taken = find_taken_phones(row.phone_index for row, _ in rows)
    chunk.new = []
    for row, listed in rows:
        verdict = judge_row(
            name=listed.name,
            number_index=row.number_index,
            phone_index=row.phone_index,
            by_number=by_number,
            taken_phones=taken,
        )
        row.conflict = verdict.conflict
        if verdict.known is not None:
            chunk.known.append((row, verdict.known))
        elif verdict.conflict:
            chunk.failed.append(row)
        else:
            chunk.new.append((row, listed))


def _insert_people(chunk: Chunk) -> list[tuple[ListRow, ListedPerson]]:
    """Insert the new people; return the rows that somebody else was quicker with."""
    # Sorted, so that whoever inserts the same people waits and does not deadlock.
    chunk.new.sort(key=lambda pair: pair[0].number_index)
    people = [_seal_person(row, listed) for row, listed in chunk.new]
    same = {
        # Empty is no password at all: Django refuses every one, at the usual cost.
        "password": "",
        "state": User.State.PENDING,
        "pending_until": chunk.pending_until,
        "date_joined": chunk.now,
    }
    try:
        with transaction.atomic():
            insert_rows(User, same=same, each=PERSON_COLUMNS, rows=people)
        collided = set()
    except IntegrityError:
        collided = _insert_one_by_one(people, same)
    codes = [person[0] for person in people if person[0] not in collided]
    found = dict(User.objects.filter(code__in=codes).values_list("code", "pk"))
    chunk.opened = [
        Opened(row, listed, person[0], found[person[0]])
        for (row, listed), person in zip(chunk.new, people, strict=True)
        if person[0] in found
    ]
    return [
        pair
        for pair, person in zip(chunk.new, people, strict=True)
        if person[0] in collided
    ]


def _seal_person(row: ListRow, listed: ListedPerson) -> tuple[Any, ...]:
    """The columns in which the new people differ, in the order of PERSON_COLUMNS."""
    person = User()
    person.store_id_number(listed.id_number)
    person.store_phone(listed.phone)
    person.username, person.name = make_username(), listed.name
    person.id_kind = row.id_kind
    return tuple(getattr(person, column) for column in PERSON_COLUMNS)


def _insert_one_by_one(
    people: Sequence[tuple[Any, ...]], same: Mapping[str, Any]
) -> set[str]:
    """Insert whom nobody was quicker with; the codes of the others."""
    collided = set()
    for person in people:
        try:
            with transaction.atomic():
                insert_rows(User, same=same, each=PERSON_COLUMNS, rows=[person])
        except IntegrityError:
            collided.add(person[0])
    return collided


def _write_around(chunk: Chunk) -> None:
    """Profiles, memberships and messages of those who were opened or linked."""
    unit, now = chunk.registration_list.unit, chunk.now
    known = [account.person_id for _, account in chunk.known]
    expired = _renew_expired(chunk, known)
    insert_rows(
        Profile,
        same={
            "region_id": unit.region_id,
            "unit_id": unit.pk,
            "unit_name": unit.name,
            "updated_at": now,
        },
        each=("person_id",),
        rows=[(opened.person_id,) for opened in chunk.opened],
    )
    Profile.objects.filter(person__in=known, unit=None, unit_name="").update(
        region=unit.region, unit=unit, unit_name=unit.name, updated_at=now
    )
    source = UnitMember.Source.LIST
    insert_rows(
        UnitMember,
        same={"unit_id": unit.pk, "source": source, "joined_at": now},
        each=("person_id",),
        rows=[(opened.person_id,) for opened in chunk.opened],
    )
    # Members already stay what they are.
    UnitMember.objects.bulk_create(
        [
            UnitMember(unit=unit, person_id=pk, source=source, joined_at=now)
            for pk in sorted(known)
        ],
        ignore_conflicts=True,
    )
    phones = [opened.listed.phone for opened in chunk.opened]
    phones += [person.phone for person in expired if person.phone]
    tell_opened(phones, unit=unit, pending_until=chunk.pending_until, now=now)


def _renew_expired(chunk: Chunk, known: Sequence[int]) -> list[User]:
    """Give those whose time for the first login ran out another one."""
    people = lock_expired_people(known, now=chunk.now)
    User.objects.filter(pk__in=[person.pk for person in people]).update(
        pending_until=chunk.pending_until
    )
    return people


def _note_outcomes(chunk: Chunk) -> None:
    row, now = chunk.registration_list, chunk.now
    holder = User.objects.filter(id_number_index=OuterRef("number_index"))
    for outcome, handled in (
        (Outcome.NEW, [opened.row.pk for opened in chunk.opened]),
        (Outcome.LINKED, [each.pk for each, _ in chunk.known]),
    ):
        ListRow.objects.filter(pk__in=handled).update(
            outcome=outcome, ended_at=now, person=Subquery(holder.values("pk")[:1])
        )
    for conflict in {each.conflict for each in chunk.failed}:
        alike = [each.pk for each in chunk.failed if each.conflict == conflict]
        ListRow.objects.filter(pk__in=alike).update(
            outcome=Outcome.FAILED, ended_at=now, conflict=conflict
        )
    row.new_count += len(chunk.opened)
    row.linked_count += len(chunk.known)
    row.failed_count += len(chunk.failed)


def _list_notes(chunk: Chunk) -> list[Note]:
    code = chunk.registration_list.code
    opened = [("account.opened", opened.code) for opened in chunk.opened]
    linked = [("account.linked_to_unit", known.code) for _, known in chunk.known]
    return [
        Note(action, f"user:{who}", {"list": code}) for action, who in opened + linked
    ]
