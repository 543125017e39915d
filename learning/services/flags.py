"""Flags: found once a day in what has ended, closed by staff who looked."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from django.db import transaction

from accounts.errors import DeciderRefusedError
from accounts.models import IntegrityRecord, Message, User
from accounts.services.audit import record_audit
from accounts.services.integrity import add_integrity_record
from accounts.services.messages import send_message
from learning.errors import FlagClosedError, ReasonMissingError
from learning.locks import lock_flag
from learning.models import StudyFlag
from learning.queries.flags import (
    LearnersDay,
    day_bounds,
    list_learners_of_day,
    read_days,
)
from learning.rules.flags import (
    Facts,
    find_fast_answers,
    find_machine_rhythm,
    find_marathon,
    find_missing_media,
)
from learning.services.corrections import CORRECT

CLOSE = "learning.close_studyflag"
Kind = StudyFlag.Kind


def raise_flags(*, day: date, now: datetime) -> int:
    """Look at everybody who learnt on that day; returns how many flags are new.

    One for a person, kind and day, however often it runs; credit is not touched.
    """
    return sum(_flag(people, day, now) for people in list_learners_of_day(day))


def _flag(people: list[int], day: date, now: datetime) -> int:
    known = set(
        StudyFlag.objects.filter(person__in=people, day=day).values_list(
            "person_id", "kind"
        )
    )
    new = [
        StudyFlag(person_id=person_id, kind=kind, day=day, facts=facts, found_at=now)
        for person_id, learnt in sorted(read_days(people, day).items())
        for kind, facts in _find(learnt, day_bounds(day)[0])
        if (person_id, kind) not in known
    ]
    StudyFlag.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _find(learnt: LearnersDay, start: datetime) -> Iterator[tuple[Kind, Facts]]:
    found: Iterable[tuple[Kind, Facts | None]] = (
        (Kind.RHYTHM, find_machine_rhythm(learnt.rhythms)),
        (Kind.FAST_ANSWERS, find_fast_answers(learnt.answers)),
        (Kind.NO_MEDIA, find_missing_media(learnt.videos)),
        (Kind.MARATHON, find_marathon(learnt.stretches, since=start)),
    )
    return ((kind, facts) for kind, facts in found if facts is not None)


@transaction.atomic
def close_flag(
    *, flag_id: int, state: str, note: str, actor: User, now: datetime
) -> StudyFlag:
    """Note what staff found: nothing wrong (`normal`), or something they saw to (`handled`).

    Raises ReasonMissingError, DeciderRefusedError, and FlagClosedError for a second time.
    """
    if not note.strip():
        raise ReasonMissingError
    if not actor.has_perm(CLOSE):
        raise DeciderRefusedError("您没有核查学习异常的权限。")
    flag = lock_flag(flag_id)
    if flag.person_id == actor.pk:
        raise DeciderRefusedError("不能办理与本人有关的事项。")
    if flag.state != StudyFlag.State.OPEN:
        raise FlagClosedError
    flag.state = StudyFlag.State(state)
    flag.note = note.strip()
    flag.closed_by = actor
    flag.closed_at = now
    flag.save(update_fields=["state", "note", "closed_by", "closed_at"])
    record_audit(
        action="study_flag.closed",
        target=f"user:{flag.person.code}",
        actor=actor,
        now=now,
        detail={"kind": flag.kind, "day": f"{flag.day}", "state": flag.state},
    )
    return flag


@transaction.atomic
def prove_flag(*, flag_id: int, note: str, actor: User, now: datetime) -> StudyFlag:
    """Close a flag as proven and enter the note into the person's integrity record (诚信档案).

    The credit is not touched: taking it back is a decision of its own. Raises what
    `close_flag` raises, DeciderRefusedError also for staff who may not take credit back.
    """
    if not actor.has_perm(CORRECT):
        raise DeciderRefusedError("您没有记入诚信档案的权限。")
    flag = close_flag(
        flag_id=flag_id,
        state=StudyFlag.State.HANDLED,
        note=note,
        actor=actor,
        now=now,
    )
    if flag.person.phone_index is not None:
        send_message(
            channel=Message.Channel.SMS,
            recipient=flag.person.phone,
            template="integrity_recorded",
            context={"day": f"{flag.day}"},
            now=now,
        )
    add_integrity_record(
        person=flag.person,
        kind=IntegrityRecord.Kind.CHEATING,
        text=f"{flag.day} {flag.get_kind_display()}：{flag.note}",
        source=f"study_flag:{flag.pk}",
        actor=actor,
        now=now,
    )
    return flag
