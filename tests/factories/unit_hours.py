"""Hours that units record, for tests."""

from datetime import UTC, date, datetime
from typing import Any

import factory

from learning.models import UnitHours
from learning.rules.hours import Training
from tests.factories.accounts import UnitFactory, UserFactory


class UnitHoursFactory(factory.django.DjangoModelFactory):
    """Eight hours of a training class on two days of March 2026, without its history."""

    class Meta:
        model = UnitHours

    person = factory.SubFactory(UserFactory)
    unit = factory.SubFactory(UnitFactory)
    year = 2026
    kind = UnitHours.Kind.TRAINING
    content = factory.Sequence(lambda n: f"施工安全技术培训{n}")
    organiser = "示例培训中心"
    starts_on = factory.LazyAttribute(lambda row: date(row.year, 3, 2))
    ends_on = factory.LazyAttribute(lambda row: date(row.year, 3, 3))
    hours = 8
    result = "合格"
    recorded_by = factory.SubFactory(UserFactory)
    recorded_at = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)


def make_training(**changes: Any) -> Training:
    """A class of eight hours on two days of March 2026."""
    fields: dict[str, Any] = {
        "year": 2026,
        "kind": UnitHours.Kind.TRAINING,
        "content": "施工安全技术培训",
        "organiser": "示例培训中心",
        "starts_on": date(2026, 3, 2),
        "ends_on": date(2026, 3, 3),
        "hours": 8,
        "result": "合格",
    }
    return Training(**(fields | changes))
