"""The queues of appeals and flags for staff: the trace in view, rights and regions kept."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Profile, SupervisedRegion
from learning.models import (
    Appeal,
    ChapterProgress,
    CreditDecision,
    StudyFlag,
)
from tests.factories.accounts import RegionFactory
from tests.factories.requests import make_staff
from tests.learning.appealing import APPEALS, FLAGS, decide, text_of
from tests.learning.learner import Learner


def test_the_queue_lists_what_waits(desk: Client, waiting: Appeal):
    page = text_of(desk.get(APPEALS, {"due": "waiting"}))

    assert waiting.code in page
    assert "网络中断" in page
    assert "4:40" in page


def test_the_page_shows_the_trace_as_picture_and_tables(desk: Client, waiting: Appeal):
    page = text_of(desk.get(f"{APPEALS}{waiting.pk}/change/"))

    assert "小区断网" in page
    assert "4:40（不超过实际经过的时间，不重复计入）" in page
    assert 'role="img"' in page
    assert "<desc" in page
    assert "学习会话 1 项，已计入 1 项，未计入 1 项，答题 1 项，接替 0 项" in page
    for caption in ("学习会话", "已计入", "未计入", "防挂机答题"):
        assert f"<caption>{caption}</caption>" in page
    assert "答对" in page


def test_the_page_takes_few_queries(
    desk: Client, waiting: Appeal, django_assert_max_num_queries: Any
):
    with django_assert_max_num_queries(32):
        desk.get(f"{APPEALS}{waiting.pk}/change/")


def test_approval_credits_and_leaves_the_queue(desk: Client, waiting: Appeal):
    answer = decide(desk, waiting, "approve")

    assert answer.url == APPEALS
    assert ChapterProgress.objects.get().covered_ms == 60_000 + 280_000
    waiting = desk.get(APPEALS, {"due": "waiting"}).context["cl"].result_list
    assert list(waiting) == []


def test_what_cannot_be_granted_has_no_button(
    desk: Client, waiting: Appeal, learner: Learner
):
    address = f"{APPEALS}{waiting.pk}/change/"
    assert 'value="approve"' in text_of(desk.get(address))
    # Watched again meanwhile: it waits for its question.
    learner.beat(80)
    learner.watch(280)

    page = text_of(desk.get(address))

    assert "没有可以计入的新内容，不能同意" in page
    assert 'value="approve"' not in page
    assert 'value="refuse"' in page


@pytest.mark.parametrize("decision", ["refuse", "return"])
def test_turning_down_needs_a_reason(desk: Client, waiting: Appeal, decision: str):
    page = text_of(decide(desk, waiting, decision))

    assert "请填写原因" in page
    assert Appeal.objects.get().state == Appeal.State.OPEN


def test_a_returned_appeal_waits_for_the_learner(desk: Client, waiting: Appeal):
    assert 'value="return"' in text_of(desk.get(f"{APPEALS}{waiting.pk}/change/"))

    assert decide(desk, waiting, "return", reason="请补充断网通知").url == APPEALS

    assert Appeal.objects.get().state == Appeal.State.RETURNED
    page = text_of(desk.get(f"{APPEALS}{waiting.pk}/change/"))
    assert "已退回，等待申请人重新提交。" in page
    assert 'name="decision"' not in page
    assert ChapterProgress.objects.get().covered_ms == 60_000


@pytest.mark.parametrize("decision", ["complete", ""])
def test_other_decisions_do_not_exist(desk: Client, waiting: Appeal, decision: str):
    assert decide(desk, waiting, decision, reason="补充").status_code == 200

    assert Appeal.objects.get().state == Appeal.State.OPEN
    assert CreditDecision.objects.count() == 0


@pytest.mark.parametrize("role", ["审计", "区县督导"])
def test_who_only_looks_decides_nothing(
    client_of: Any, waiting: Appeal, owner: Any, role: str
):
    region = RegionFactory()
    Profile.objects.filter(person=owner).update(region=region)
    person = make_staff(role)
    SupervisedRegion.objects.create(person=person, region=region)
    client = client_of(person)

    page = text_of(client.get(f"{APPEALS}{waiting.pk}/change/"))

    assert "小区断网" in page
    assert 'value="approve"' not in page
    assert decide(client, waiting, "approve").status_code == 403
    assert client.get(f"{APPEALS}{waiting.pk}/files/x/").status_code == 403
    assert ChapterProgress.objects.get().covered_ms == 60_000
    assert Appeal.objects.get().state == Appeal.State.OPEN


def test_a_supervisor_of_another_region_finds_nothing(
    client_of: Any, waiting: Appeal, flag: StudyFlag, owner: Any
):
    Profile.objects.filter(person=owner).update(region=RegionFactory())
    person = make_staff("区县督导")
    SupervisedRegion.objects.create(person=person, region=RegionFactory())
    client = client_of(person)

    assert waiting.code not in text_of(client.get(APPEALS))
    for address in (
        f"{APPEALS}{waiting.pk}/change/",
        f"{FLAGS}{flag.pk}/change/",
        f"{FLAGS}trace/{owner.code}/2026-06-15/",
    ):
        assert client.get(address).status_code == 404, address


def test_a_role_without_the_right_finds_no_queue(client_of: Any, waiting: Appeal):
    client = client_of(make_staff("财务"))

    assert client.get(APPEALS).status_code == 403
    assert client.get(f"{APPEALS}{waiting.pk}/change/").status_code == 403
