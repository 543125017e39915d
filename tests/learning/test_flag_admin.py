"""The queue of flags, the trace of a day, and credit taken back from it."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from accounts.models import IntegrityRecord
from learning.models import (
    Appeal,
    ChapterProgress,
    CreditDecision,
    CreditedTime,
    StudyFlag,
)
from tests.factories.requests import make_staff
from tests.learning.appealing import FLAGS, decide, text_of
from tests.learning.learner import Learner


def test_a_flag_is_closed_on_its_page(desk: Client, flag: StudyFlag):
    page = text_of(desk.get(f"{FLAGS}{flag.pk}/change/"))
    assert "24 小时内计入 13.0 小时" in page
    assert 'value="proven"' in page

    answer = desk.post(
        f"{FLAGS}{flag.pk}/change/", {"state": "normal", "note": "已核实"}
    )

    assert answer.url == FLAGS
    flag.refresh_from_db()
    assert (flag.state, flag.note) == ("normal", "已核实")


def test_flags_that_wait_come_first(desk: Client, flag: StudyFlag, owner: Any):
    later = StudyFlag.objects.create(
        person=owner,
        kind="marathon",
        day=date(2026, 6, 16),
        facts=flag.facts,
        found_at=flag.found_at,
    )
    newest = StudyFlag.objects.create(
        person=owner,
        kind="marathon",
        day=date(2026, 6, 17),
        facts=flag.facts,
        found_at=flag.found_at,
        state="normal",
        closed_by=make_staff("业务"),
        closed_at=flag.found_at,
    )

    rows = desk.get(FLAGS).context["cl"].result_list

    assert list(rows) == [later, flag, newest]


def test_the_trace_is_of_one_person(
    desk: Client, waiting: Appeal, stranger: Any, clock: Any
):
    other = Learner(stranger, waiting.stretch.enrolment.plan, clock)
    other.open()
    other.expect_prompt_after(100_000)

    page = text_of(desk.get(f"{FLAGS}trace/{stranger.code}/2026-06-15/"))

    assert "学习会话 1 项，已计入 0 项，未计入 0 项，答题 0 项，接替 0 项" in page
    assert "当天没有计入的时间。" in page


def test_a_proven_flag_is_entered_by_those_who_may(
    desk: Client, client_of: Any, flag: StudyFlag
):
    address = f"{FLAGS}{flag.pk}/change/"
    values = {"state": "proven", "note": "脚本播放"}
    business = client_of(make_staff("业务"))

    assert 'value="proven"' not in text_of(business.get(address))
    assert "您没有记入诚信档案的权限" in text_of(business.post(address, values))
    assert IntegrityRecord.objects.count() == 0

    assert desk.post(address, values).url == FLAGS
    assert IntegrityRecord.objects.get().person == flag.person


@pytest.mark.parametrize(
    "values", [{"state": "normal", "note": ""}, {"state": "open", "note": "x"}]
)
def test_a_flag_is_not_closed_without_note_and_state(
    desk: Client, flag: StudyFlag, values: dict[str, str]
):
    assert desk.post(f"{FLAGS}{flag.pk}/change/", values).status_code == 200

    flag.refresh_from_db()
    assert flag.state == StudyFlag.State.OPEN


def test_the_audit_role_closes_no_flag(client_of: Any, flag: StudyFlag):
    client = client_of(make_staff("审计"))

    assert client.get(f"{FLAGS}{flag.pk}/change/").status_code == 200
    values = {"state": "normal", "note": "已核实"}
    assert client.post(f"{FLAGS}{flag.pk}/change/", values).status_code == 403
    flag.refresh_from_db()
    assert flag.state == StudyFlag.State.OPEN


@pytest.mark.parametrize("day", ["2026-06-31", "today", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_is_not_there(desk: Client, owner: Any, day: str):
    assert desk.get(f"{FLAGS}trace/{owner.code}/{day}/").status_code == 404


def test_a_trace_leads_to_the_days_before_and_after(
    desk: Client, learner: Learner, owner: Any
):
    for _ in range(2):
        learner.watch(10)
        learner.clock.advance(3 * 86_400)
        learner.open()
    trace = f"{FLAGS}trace/{owner.code}/"

    first, middle, last = (
        text_of(desk.get(f"{trace}{day}/"))
        for day in ("2026-06-15", "2026-06-18", "2026-06-21")
    )

    assert f'href="{trace}2026-06-18/"' in first
    assert "上一学习日" not in first
    assert f'href="{trace}2026-06-15/"' in middle
    assert f'href="{trace}2026-06-21/"' in middle
    assert f'href="{trace}2026-06-18/"' in last
    assert "下一学习日" not in last


def test_an_enrolment_leads_to_its_last_day(desk: Client, learner: Learner, owner: Any):
    address = f"/staff/learning/enrolment/{learner.enrolment.pk}/change/"

    assert f'href="{FLAGS}trace/{owner.code}/2026-06-15/"' in text_of(desk.get(address))


def test_what_goes_over_midnight_names_both_days(
    desk: Client, learner: Learner, owner: Any
):
    # The day begins at ten; a minute before midnight the line breaks for five.
    learner.clock.advance(13 * 3600 + 59 * 60)
    learner.beat(is_playing=False)
    learner.watch(10)
    learner.play(300)
    learner.beat()

    page = text_of(desk.get(f"{FLAGS}trace/{owner.code}/2026-06-15/"))
    next_day = text_of(desk.get(f"{FLAGS}trace/{owner.code}/2026-06-16/"))

    assert "<td>23:59:10 – 06-16 00:04:10</td>" in page
    assert "<td>06-15 23:59:10 – 00:04:10</td>" in next_day


def test_a_decision_names_what_it_undid(client_of: Any, waiting: Appeal):
    decision = CreditDecision.objects.create(
        kind="removed",
        enrolment=waiting.stretch.enrolment,
        chapter=waiting.stretch.chapter,
        media=[],
        milliseconds=1,
        withdrawn=["chapter", "course"],
        actor=make_staff("审核"),
        at=waiting.filed_at,
    )
    client = client_of(make_staff("审计"))

    page = text_of(client.get(f"/staff/learning/creditdecision/{decision.pk}/change/"))

    assert "章节完成、课程完成及其学分" in page


def test_credit_is_taken_back_from_the_trace(
    desk: Client, waiting: Appeal, learner: Learner
):
    row = CreditedTime.objects.get()
    trace = f"{FLAGS}trace/{learner.person.code}/2026-06-15/"
    assert f"{FLAGS}correct/{row.pk}/" in text_of(desk.get(trace))

    answer = desk.post(f"{FLAGS}correct/{row.pk}/", {"reason": "脚本播放"})

    assert answer.url == trace
    assert ChapterProgress.objects.get().covered_ms == 0
    page = text_of(desk.get(trace))
    assert "核查扣减" in page
    assert f"{FLAGS}correct/{row.pk}/" not in page


def test_what_an_appeal_added_can_be_taken_back_from_the_trace(
    desk: Client, waiting: Appeal, learner: Learner
):
    decide(desk, waiting, "approve")
    row = CreditedTime.objects.get(session="")
    trace = f"{FLAGS}trace/{learner.person.code}/2026-06-15/"
    page = text_of(desk.get(trace))
    assert "<td>申诉计入</td>" in page
    assert f"{FLAGS}correct/{row.pk}/" in page

    assert desk.post(f"{FLAGS}correct/{row.pk}/", {"reason": "不实"}).url == trace

    assert ChapterProgress.objects.get().covered_ms == 60_000


def test_what_cannot_be_taken_back_has_no_button(
    desk: Client, waiting: Appeal, learner: Learner
):
    row = CreditedTime.objects.get()
    trace = f"{FLAGS}trace/{learner.person.code}/2026-06-15/"
    correct = f"{FLAGS}correct/{row.pk}/"
    learner.enrolment.state = "completed"
    learner.enrolment.completed_at = learner.clock.now
    learner.enrolment.save()

    assert correct not in text_of(desk.get(trace))
    for answer in (desk.get(correct), desk.post(correct, {"reason": "脚本"})):
        page = text_of(answer)
        assert "该计划已结业，不能扣减" in page
        assert 'name="reason"' not in page

    assert ChapterProgress.objects.get().covered_ms == 60_000
    assert CreditDecision.objects.count() == 0


def test_what_was_taken_back_has_no_button(desk: Client, waiting: Appeal):
    correct = f"{FLAGS}correct/{CreditedTime.objects.get().pk}/"
    desk.post(correct, {"reason": "脚本"})

    page = text_of(desk.post(correct, {"reason": "脚本"}))

    assert "该时段已扣减" in page
    assert 'name="reason"' not in page
    assert CreditDecision.objects.count() == 1


def test_business_staff_take_no_credit_back(client_of: Any, waiting: Appeal):
    client = client_of(make_staff("业务"))
    address = f"{FLAGS}correct/{CreditedTime.objects.get().pk}/"

    assert client.get(address).status_code == 403
    assert client.post(address, {"reason": "x"}).status_code == 403
    assert ChapterProgress.objects.get().covered_ms == 60_000
    assert CreditDecision.objects.count() == 0
