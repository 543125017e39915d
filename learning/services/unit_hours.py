"""Hours that a unit records for its people, and what becomes of them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import Message, Unit, User
from accounts.queries.invitations import list_coordinators
from accounts.queries.units import list_members, list_units_for
from accounts.services.audit import Note, record_audit, record_many
from accounts.services.messages import send_message
from learning.errors import HoursRefusedError, ReasonMissingError
from learning.locks import lock_learners, lock_unit_hours
from learning.models import UnitHours, UnitHoursEvent
from learning.rules.hours import (
    Training,
    refuse_beside,
    refuse_step,
    refuse_training,
)


@transaction.atomic
def record_unit_hours(
    *,
    unit: Unit,
    people: Iterable[User],
    training: Training,
    actor: User,
    now: datetime,
) -> list[UnitHours]:
    """Record that these members of the unit took part in a training: all of them or none.

    Raises `HoursRefusedError` for who does not act for the unit, for people outside it, for
    a training that cannot be, and for hours that somebody's other records leave no room for.
    """
    _refuse_outsider(unit, actor)
    refuse_training(training, today=timezone.localdate(now))
    locked = lock_learners(person.pk for person in people)
    members = set(
        list_members(unit).filter(person__in=locked).values_list("person", flat=True)
    )
    counted = _read_counted(locked, training.year)
    for person in locked:
        if person.pk not in members:
            raise HoursRefusedError(f"{person.name}不在本单位人员名单中")
        _refuse_for(person, training, counted[person.pk])
    recorded = UnitHours.objects.bulk_create(
        UnitHours(
            person=person,
            unit=unit,
            recorded_by=actor,
            recorded_at=now,
            **asdict(training),
        )
        for person in locked
    )
    _write_history(recorded, actor=actor, now=now)
    return recorded


@transaction.atomic
def withdraw_unit_hours(
    *, record: UnitHours, reason: str, actor: User, now: datetime
) -> UnitHours:
    """Take back what the unit recorded, while the district has not checked it.

    Raises `HoursRefusedError`, and `ReasonMissingError` for an empty reason.
    """
    row = lock_unit_hours(record.pk)
    _refuse_outsider(row.unit, actor)
    if not reason.strip():
        raise ReasonMissingError
    return _step(row, UnitHours.State.WITHDRAWN, reason, actor, now)


@transaction.atomic
def inspect_unit_hours(
    *, record: UnitHours, passes: bool, reason: str, actor: User, now: datetime
) -> UnitHours:
    """Keep what a spot check (抽查) found; the caller has checked the right to do so.

    Not recognising hours wants a reason, and so does changing an earlier finding. Nobody
    checks hours of their own, or that they recorded. Whose hours count no more, or again, is
    told by SMS, and the unit is of the former. Raises `HoursRefusedError` and
    `ReasonMissingError`.
    """
    lock_learners([record.person_id])
    row = lock_unit_hours(record.pk)
    if actor.pk in (row.person_id, row.recorded_by_id):
        raise HoursRefusedError("不能抽查本人的或由本人登记的学时")
    after = UnitHours.State.PASSED if passes else UnitHours.State.REJECTED
    refuse_step(row.state, after)
    if not reason.strip() and not (passes and row.state == UnitHours.State.RECORDED):
        raise ReasonMissingError
    if passes and not row.is_counted:
        # Meanwhile the same may have been recorded anew.
        others = _read_counted([row.person], row.year)[row.person_id]
        _refuse_for(row.person, _training_of(row), others)
    if passes != row.is_counted:
        _tell(row, counts=passes, now=now)
    return _step(row, after, reason, actor, now)


def _refuse_outsider(unit: Unit, actor: User) -> None:
    if not list_units_for(actor).filter(pk=unit.pk).exists():
        raise HoursRefusedError("您不是该单位的经办人")


def _read_counted(people: Iterable[User], year: int) -> dict[int, list[Training]]:
    """What counts for each of these people in `year`; one query."""
    found: dict[int, list[Training]] = defaultdict(list)
    rows = UnitHours.objects.counted().filter(person__in=list(people), year=year)
    for row in rows:
        found[row.person_id].append(_training_of(row))
    return found


def _refuse_for(person: User, training: Training, others: Iterable[Training]) -> None:
    try:
        refuse_beside(training, others)
    except HoursRefusedError as error:
        raise HoursRefusedError(f"{person.name}：{error.message}") from None


def _write_history(rows: Iterable[UnitHours], *, actor: User, now: datetime) -> None:
    recorded = list(rows)
    UnitHoursEvent.objects.bulk_create(
        UnitHoursEvent(record=row, state=row.state, actor=actor, at=now)
        for row in recorded
    )
    record_many(
        notes=[
            Note(
                "learning.unit_hours_recorded",
                f"unithours:{row.code}",
                {"person": row.person.code, "unit": row.unit.code, "hours": row.hours},
            )
            for row in recorded
        ],
        actor=actor,
        now=now,
    )


def _tell(row: UnitHours, *, counts: bool, now: datetime) -> None:
    """Tell the person that hours count no more or again, and of the former the unit."""
    values = {
        "unit": row.unit.name,
        "year": str(row.year),
        "hours": str(row.hours),
    }
    if counts:
        _send(row.person, "unit_hours_restored", values, now=now)
        return
    _send(row.person, "unit_hours_rejected", values, now=now)
    values["name"] = row.person.name
    for appointment in list_coordinators(row.unit):
        _send(appointment.person, "unit_hours_rejected_unit", values, now=now)


def _send(
    recipient: User, template: str, values: dict[str, str], *, now: datetime
) -> None:
    if recipient.phone_index is None:
        return
    send_message(
        channel=Message.Channel.SMS,
        recipient=recipient.phone,
        template=template,
        context=values,
        now=now,
    )


def _training_of(row: UnitHours) -> Training:
    return Training(
        year=row.year,
        kind=row.kind,
        content=row.content,
        organiser=row.organiser,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        hours=row.hours,
        result=row.result,
    )


def _step(
    row: UnitHours, after: UnitHours.State, reason: str, actor: User, now: datetime
) -> UnitHours:
    refuse_step(row.state, after)
    row.state, row.state_reason = after, reason.strip()
    row.save(update_fields=["state", "state_reason"])
    UnitHoursEvent.objects.create(
        record=row, state=after, actor=actor, at=now, reason=row.state_reason
    )
    record_audit(
        action=f"learning.unit_hours_{after.value}",
        target=f"unithours:{row.code}",
        actor=actor,
        now=now,
        detail={"reason": row.state_reason},
    )
    return row
