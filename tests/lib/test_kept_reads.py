"""Reads whose SQL is built once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import (
    BigAutoField,
    Count,
    DateTimeField,
    PositiveSmallIntegerField,
)

from catalog.models import Plan
from learning.models import ChapterProgress
from portal.lib.kept_reads import KeptRead, Parameter, column_names
from tests.factories.catalog import PlanFactory, make_plan
from tests.factories.learning import ChapterProgressFactory, EnrolmentFactory

pytestmark = pytest.mark.django_db

YEAR = PositiveSmallIntegerField()


def test_the_query_set_is_built_once_and_asked_each_time(
    django_assert_num_queries: Any,
) -> None:
    built = []

    def build() -> Any:
        built.append(1)
        plans = Plan.objects.filter(year=Parameter("year", YEAR), is_published=True)
        return plans.order_by("pk").values_list("code", "training_start")

    read = KeptRead(build)
    one, two = PlanFactory(year=2026), PlanFactory(year=2020)
    PlanFactory(year=2020, is_published=False)

    with django_assert_num_queries(3):
        assert read.rows(year=2026) == [(one.code, one.training_start)]
        assert read.rows(year=2020) == [(two.code, two.training_start)]
        assert read.rows(year=1999) == []

    assert built == [1]


def test_values_are_given_to_the_driver_as_the_field_wants_them(now: Any) -> None:
    read = KeptRead(
        lambda: ChapterProgress.objects.filter(
            updated_at__gt=Parameter("after", DateTimeField()),
            enrolment__person=Parameter("person", BigAutoField()),
        ).values_list("covered", "updated_at")
    )
    enrolment = EnrolmentFactory()
    ChapterProgressFactory(enrolment=enrolment, updated_at=now)
    ChapterProgressFactory(updated_at=now)
    covered = [[0, 500], [700, 900]]
    ChapterProgress.objects.update(covered=covered)

    person = enrolment.person_id
    before = now - timedelta(seconds=1)
    assert read.rows(person=person, after=before) == [(covered, now)]
    assert read.rows(person=person, after=now) == []


def test_groups_and_slices_are_kept_too() -> None:
    read = KeptRead(
        lambda: (
            Plan.objects.filter(year=Parameter("year", YEAR))
            .order_by("-pk")
            .values_list(Count("plan_courses"), "code")[:1]
        )
    )
    make_plan(courses=1)
    last = make_plan(courses=3)

    assert read.rows(year=2026) == [(3, last.code)]


def test_a_value_is_never_part_of_the_sql() -> None:
    read = KeptRead(
        lambda: Plan.objects.filter(
            code=Parameter("code", Plan._meta.get_field("code"))
        ).values_list("pk")
    )
    PlanFactory()

    assert read.rows(code="x' OR '1'='1") == []


def test_a_missing_value_is_an_error() -> None:
    read = KeptRead(
        lambda: Plan.objects.filter(year=Parameter("year", YEAR)).values_list("pk")
    )

    with pytest.raises(KeyError, match="year"):
        read.rows(years=2026)


def test_columns_make_an_instance() -> None:
    plan = PlanFactory()
    read = KeptRead(
        lambda: Plan.objects.filter(year=Parameter("year", YEAR)).values_list(
            *column_names(Plan)
        )
    )

    made = Plan.from_db("default", column_names(Plan), read.rows(year=plan.year)[0])

    assert made == plan
    assert (made.title, made.sale_end) == (plan.title, plan.sale_end)
