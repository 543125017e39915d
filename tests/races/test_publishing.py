"""Publishing while somebody else changes what was checked."""

from threading import Event
from typing import Any

import pytest
from django.utils import timezone

from catalog import queries
from catalog.admin.plans import PlanAdmin
from catalog.errors import InUseError
from catalog.models import Course, Plan
from catalog.services import publish_plan, publishing, withdraw_course
from tests.factories.accounts import UserFactory
from tests.factories.catalog import make_plan
from tests.races.test_lock_order import meet_after
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plan() -> Plan:
    plan: Plan = make_plan(is_published=False)
    return plan


def test_course_becomes_a_draft_while_its_plan_is_published(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has looked at what the other is about to change."""
    course = plan.courses.order_by("pk")[0]
    look = queries.list_published_plans_with
    monkeypatch.setattr(
        queries, "list_published_plans_with", lambda course: list(look(course))
    )
    meet_after(
        monkeypatch,
        (publishing, "find_plan_problems"),
        (queries, "list_published_plans_with"),
    )
    now = timezone.now()

    run_together(
        lambda: publish_plan(plan_id=plan.pk, actor=None, now=now),
        lambda: withdraw_course(course_id=course.pk, actor=None, now=now),
        refusals=(InUseError, publishing.NotReadyError),
    )

    plan.refresh_from_db()
    drafts = Course.objects.filter(is_published=False).count()
    assert (plan.is_published, drafts) in ((True, 0), (False, 1))


def test_page_of_a_plan_is_saved_while_it_is_published(
    plan: Plan, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(UserFactory(is_staff=True, is_superuser=True))
    opened, published = Event(), Event()
    save = PlanAdmin.save_model

    def save_late(*args: Any) -> None:
        opened.set()
        published.wait(timeout=1)
        save(*args)

    def publish() -> None:
        assert opened.wait(timeout=30)
        publish_plan(plan_id=plan.pk, actor=None, now=timezone.now())
        published.set()

    monkeypatch.setattr(PlanAdmin, "save_model", save_late)
    names = ("code", "year", "subject", "field", "entry", "hours", "required_credits")
    names += ("compulsory_credits", "elective_credits", "fastest_speed")
    names += ("training_start", "training_end", "sale_start", "sale_end")
    data = {name: getattr(plan, name) for name in names} | {"title": "另一名称"}
    for rows in ("prices", "plan_courses"):
        data |= {f"{rows}-TOTAL_FORMS": 0, f"{rows}-INITIAL_FORMS": 0}

    answer, _ = run_together(
        lambda: client.post(f"/staff/catalog/plan/{plan.pk}/change/", data), publish
    )

    assert answer.status_code == 302
    plan.refresh_from_db()
    assert (plan.title, plan.is_published) == ("另一名称", True)
