"""Learning for staff: found by name and by number, read-only but for opening a plan."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry
from learning.models import Enrolment
from learning.services import revoke_enrolment
from tests.factories.catalog import PlanFactory
from tests.factories.learning import (
    EnrolmentFactory,
    enrol,
    finish_plan,
    make_study_plan,
)
from tests.learning.learner import Learner
from tests.learning.steady import SteadyLearner

LIST = "/staff/learning/enrolment/"


@pytest.fixture
def desk(staff: Any, client_of: Any) -> Client:
    return client_of(staff)


@pytest.fixture
def enrolment(owner: Any) -> Enrolment:
    return enrol(owner, PlanFactory(title="公需科目培训"), source_number="NO20260001")


def rows_of(response: Any) -> list[Any]:
    return list(response.context["cl"].result_list)


@pytest.mark.parametrize("term", ["赵一", "NO2026"])
def test_an_enrolment_is_found_by_name_and_order(
    desk: Client, enrolment: Enrolment, stranger: Any, term: str
):
    enrol(stranger, PlanFactory())

    assert rows_of(desk.get(LIST, {"q": term})) == [enrolment]


@pytest.mark.parametrize("number", ["phone", "id_number"])
def test_an_enrolment_is_found_by_number_without_it_in_an_address(
    desk: Client, enrolment: Enrolment, owner: Any, stranger: Any, number: str
):
    enrol(stranger, PlanFactory())

    found = desk.post(LIST + "find/", {"number": getattr(owner, number)})

    assert found.url == f"{LIST}?person__id__exact={owner.pk}"
    assert rows_of(desk.get(found.url)) == [enrolment]


def test_an_unknown_number_finds_nothing(desk: Client, enrolment: Enrolment):
    assert desk.post(LIST + "find/", {"number": "19911111111"}).url == LIST


def test_a_number_in_the_address_finds_nothing(
    desk: Client, enrolment: Enrolment, owner: Any
):
    assert rows_of(desk.get(LIST, {"q": owner.phone})) == []
    assert rows_of(desk.get(LIST, {"q": owner.id_number})) == []


def test_an_enrolment_shows_progress_and_cannot_be_changed(
    desk: Client, owner: Any, clock: Any
):
    learner = Learner(owner, make_study_plan(chapters=(600_000,)), clock)
    learner.open()
    learner.expect_prompt_after(60)
    learner.watch(60)
    learner.answer_right()
    learner.play(300)
    learner.beat()

    page = desk.get(f"{LIST}{learner.enrolment.pk}/change/").content.decode()

    assert "1:00" in page
    assert "网络中断" in page
    assert 'name="_save"' not in page
    assert "deletelink" not in page


def test_what_the_open_player_has_played_is_waiting(
    desk: Client, owner: Any, clock: Any
):
    """It lies in the clock alone until the next full contact."""
    learner = SteadyLearner(owner, make_study_plan(chapters=(600_000,)), clock)
    learner.open()
    learner.expect_prompt_after(600)
    learner.watch(10)
    clock.advance(17)
    assert learner.try_steady(27) is not None

    page = desk.get(f"{LIST}{learner.enrolment.pk}/change/").content.decode()

    assert "0:27" in page
    assert learner.progress().pending_ms == 10_000


def test_a_plan_is_opened_with_a_reason(desk: Client, staff: Any, owner: Any):
    plan = PlanFactory()

    response = desk.post(
        LIST + "add/",
        {"account": owner.phone, "plan": plan.pk, "reason": "缴费凭证核实无误"},
    )

    enrolment = Enrolment.objects.get()
    entry = AuditEntry.objects.get(action="enrolment.opened_by_staff")
    assert response.status_code == 302
    assert (enrolment.person, enrolment.plan) == (owner, plan)
    assert enrolment.source == Enrolment.Source.STAFF
    assert (entry.actor, entry.detail["reason"]) == (staff, "缴费凭证核实无误")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"account": "nobody"}, "没有找到该账号"),
        ({"reason": ""}, "必填"),
        ({"reason": "补"}, "至少"),
    ],
)
def test_a_plan_is_not_opened_without_person_or_reason(
    desk: Client, owner: Any, changed: dict[str, str], error: str
):
    data = {"account": owner.username, "plan": PlanFactory().pk, "reason": "核实无误"}

    page = desk.post(LIST + "add/", data | changed).content.decode()

    assert error in page
    assert Enrolment.objects.count() == 0


def test_a_plan_that_is_held_is_not_opened_again(
    desk: Client, enrolment: Enrolment, owner: Any
):
    data = {
        "account": owner.username,
        "plan": enrolment.plan_id,
        "reason": "核实无误",
    }

    page = desk.post(LIST + "add/", data).content.decode()

    assert "该学员已开通此计划" in page
    assert Enrolment.objects.get().source == Enrolment.Source.ORDER


def test_a_revoked_plan_can_be_opened_again(
    desk: Client, enrolment: Enrolment, owner: Any, now: Any
):
    revoke_enrolment(enrolment=enrolment, now=now)
    data = {
        "account": owner.username,
        "plan": enrolment.plan_id,
        "reason": "退款后重新开通",
    }

    desk.post(LIST + "add/", data)

    assert Enrolment.objects.get().state == Enrolment.State.OPEN


@pytest.mark.parametrize("name", ["playsession", "prompt", "refusedtime"])
def test_the_other_lists_open_and_nothing_can_be_added(
    desk: Client, owner: Any, clock: Any, name: str
):
    learner = Learner(owner, make_study_plan(), clock)
    learner.open()
    learner.expect_prompt_after(10)
    learner.watch(10)
    learner.play(100)
    learner.beat()
    url = f"/staff/learning/{name}/"

    rows = rows_of(desk.get(url, {"q": "赵一"}))

    assert len(rows) >= 1
    assert desk.get(f"{url}{rows[0].pk}/change/").status_code == 200
    assert desk.get(url + "add/").status_code == 403


@pytest.mark.parametrize("path", ["", "add/", "find/"])
def test_learners_are_not_staff(client_of: Any, owner: Any, path: str):
    assert client_of(owner).get(LIST + path).status_code == 302


@pytest.mark.parametrize("count", [1, 10])
def test_the_list_takes_few_queries(
    desk: Client, count: int, django_assert_max_num_queries: Any
):
    for _ in range(count):
        EnrolmentFactory()

    with django_assert_max_num_queries(9):
        desk.get(LIST)


def test_a_finished_plan_is_shown_whole(
    desk: Client, owner: Any, django_assert_max_num_queries: Any
):
    enrolment = finish_plan(enrol(owner, make_study_plan(courses=6)))

    with django_assert_max_num_queries(14):
        page = desk.get(f"{LIST}{enrolment.pk}/change/").content.decode()

    assert "已结业" in page
    assert "100%" in page
