"""Hours that the sample unit recorded for its people."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Unit, User
from learning.models import UnitHours
from learning.rules.hours import Training
from learning.services.unit_hours import (
    inspect_unit_hours,
    record_unit_hours,
    withdraw_unit_hours,
)


def load_unit_hours(
    coordinator: User, unit: Unit, people: Sequence[User], staff: User, now: datetime
) -> None:
    """A seminar of all, of which one row was checked, and a talk that was entered wrongly."""

    def hold(content: str, kind: str, hours: int, days_ago: int) -> Training:
        day = timezone.localdate(now) - timedelta(days=days_ago)
        return Training(day.year, kind, content, unit.name, day, day, hours, "合格")

    seminar, *_ = record_unit_hours(
        unit=unit,
        people=people,
        training=hold("课程思政教学设计研修", UnitHours.Kind.TRAINING, 8, 40),
        actor=coordinator,
        now=now,
    )
    inspect_unit_hours(
        record=seminar, passes=True, reason="签到表齐全", actor=staff, now=now
    )
    [talk] = record_unit_hours(
        unit=unit,
        people=people[:1],
        training=hold("人工智能与教育学术讲座", UnitHours.Kind.CONFERENCE, 6, 20),
        actor=coordinator,
        now=now,
    )
    withdraw_unit_hours(
        record=talk, reason="学时填错，应为 4 学时", actor=coordinator, now=now
    )
