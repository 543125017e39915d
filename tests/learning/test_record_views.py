"""学习记录 and 申诉 as the learner sees them; another's are not there."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.errors import RequestThrottledError
from accounts.rules.throttles import REQUEST_PERSON
from learning.models import Appeal, CreditedTime, RefusedTime
from learning.services.appeals import (
    approve_appeal,
    file_appeal,
    refuse_appeal,
    return_appeal,
    take_appeal_try,
)
from learning.services.corrections import correct_credit
from tests.factories.learning import make_study_plan
from tests.factories.requests import make_proofs, make_staff, upload
from tests.learning.learner import Learner

RECORDS = "/learning/records/"


@pytest.fixture(autouse=True)
def _at_the_time_of_the_test(clock: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("learning.views.history.timezone.now", lambda: clock.now)


@pytest.fixture
def visitor(owner: Any, client_of: Any) -> Client:
    return client_of(owner)


@pytest.fixture
def stretch(learner: Learner) -> RefusedTime:
    """A minute that counts and 280 seconds offline that do not."""
    learner.expect_prompt_after(60)
    learner.watch(60)
    learner.answer_right()
    learner.play(300)
    learner.beat()
    return RefusedTime.objects.get()


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def file(stretch: RefusedTime, now: Any, **values: Any) -> Appeal:
    given = {"text": "小区断网", "proofs": []}
    return file_appeal(
        person=stretch.enrolment.person,
        stretch_id=stretch.pk,
        now=now,
        **given | values,
    )


def test_the_record_says_what_counted_and_what_did_not(visitor: Client, stretch):
    page = text_of(visitor.get(RECORDS))

    assert "2026年6月15日" in page
    assert "网络中断 4:40 未计入" in page
    assert "已计入" in page
    assert '<td data-label="时长" class="num">1:00</td>' in page
    assert f'href="/learning/records/{stretch.pk}/"' in page


def test_the_record_says_what_an_appeal_added_and_staff_took_back(
    visitor: Client, stretch, clock: Any
):
    row, reviewer = file(stretch, clock.now), make_staff("审核")
    decided_at = clock.now + timedelta(days=1)
    approve_appeal(appeal_id=row.pk, seen_version=1, actor=reviewer, now=decided_at)

    # Three stretches of one day; the decision makes no fourth of its own day.
    response = visitor.get(RECORDS)
    assert response.context["page_obj"].paginator.count == 3
    assert [len(rows) for _, rows in response.context["days"]] == [3]
    assert "申诉计入" in text_of(response)

    correct_credit(
        credited_id=CreditedTime.objects.get(session="").pk,
        reason="申诉不实",
        actor=reviewer,
        now=decided_at,
    )

    page = text_of(visitor.get(RECORDS))
    assert "核查扣减" in page
    assert "申诉不实" in page


def test_a_stretch_over_midnight_names_both_days(
    learner: Learner, owner: Any, client_of: Any, clock: Any
):
    clock.advance(13 * 3600 + 59 * 60)
    learner.beat(is_playing=False)
    learner.watch(10)
    learner.play(300)
    learner.beat()
    stretch = RefusedTime.objects.get(reason="network")

    # A login from the morning would be over.
    visitor = client_of(owner)
    page = text_of(visitor.get(RECORDS))
    form = text_of(visitor.get(f"/learning/records/{stretch.pk}/"))

    assert "2026年6月16日" in page
    assert "06-15 23:59–00:04" in page
    assert "2026-06-15 23:59:10 – 06-16 00:04:10" in form


def test_an_empty_record_says_so(visitor: Client):
    assert "还没有学习记录" in text_of(visitor.get(RECORDS))


def test_another_sees_nothing_of_it(stretch, stranger: Any, client_of: Any):
    page = text_of(client_of(stranger).get(RECORDS))

    assert "网络中断" not in page
    assert "还没有学习记录" in page


def test_the_record_of_one_plan(visitor: Client, stretch, owner: Any, clock: Any):
    other = Learner(owner, make_study_plan(title="另一计划"), clock)
    other.open()
    other.watch(10)
    other.play(300)
    other.beat()

    both = visitor.get(RECORDS)
    one = visitor.get(RECORDS, {"plan": other.enrolment.plan.code})

    assert both.context["page_obj"].paginator.count == 3
    assert one.context["page_obj"].paginator.count == 1
    unknown = visitor.get(RECORDS, {"plan": "nothing", "page": "99"})
    assert unknown.context["page_obj"].paginator.count == 3


@pytest.mark.parametrize("count", [1, 40])
def test_a_page_takes_few_queries(
    visitor: Client, stretch, count: int, django_assert_max_num_queries: Any
):
    RefusedTime.objects.bulk_create(
        RefusedTime(
            enrolment=stretch.enrolment,
            chapter=stretch.chapter,
            session=f"S{number}",
            reason="network",
            milliseconds=1_000,
            first_at=stretch.first_at,
            last_at=stretch.last_at,
        )
        for number in range(count)
    )

    with django_assert_max_num_queries(9):
        response = visitor.get(RECORDS)

    assert response.context["page_obj"].paginator.count == count + 2


def test_a_stretch_is_appealed_with_a_picture(visitor: Client, stretch):
    address = f"/learning/records/{stretch.pk}/"
    assert "网络中断" in text_of(visitor.get(address))

    answer = visitor.post(
        address, {"text": "小区断网，有通知", "proofs": [upload(name="通知.jpg")]}
    )

    row = Appeal.objects.get()
    assert answer.url == f"/learning/appeals/{row.code}/"
    assert row.files.count() == 1
    page = text_of(visitor.get(answer.url))
    assert "小区断网，有通知" in page
    assert "待审核" in page
    proof = visitor.get(f"{answer.url}{row.files.get().code}/")
    assert (proof.status_code, proof["Content-Type"]) == (200, "image/jpeg")
    assert "待审核" in text_of(visitor.get(RECORDS))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"text": ""}, "请填写申诉理由。"),
        ({"text": "本人手机 19900000001"}, "请勿填写完整的证件号码或手机号码"),
    ],
)
def test_an_appeal_needs_its_words(
    visitor: Client, stretch, values: dict[str, str], words: str
):
    page = text_of(visitor.post(f"/learning/records/{stretch.pk}/", values))

    assert words in page
    assert Appeal.objects.count() == 0


def test_a_picture_that_is_none_is_refused(visitor: Client, stretch):
    page = text_of(
        visitor.post(
            f"/learning/records/{stretch.pk}/",
            {"text": "断网", "proofs": [upload(b"MZ\x90" + b"x" * 30)]},
        )
    )

    assert "第1个文件不是图片或PDF" in page
    assert Appeal.objects.count() == 0


def test_appeals_of_a_day_are_counted_before_a_picture_is_read(
    visitor: Client, stretch, owner: Any, clock: Any
):
    for _ in range(REQUEST_PERSON.count):
        take_appeal_try(person=owner, now=clock.now)

    answer = visitor.post(
        f"/learning/records/{stretch.pk}/",
        {"text": "断网", "proofs": [upload(b"MZ\x90" + b"x" * 30)]},
    )

    page = text_of(answer)
    assert str(RequestThrottledError()) in page
    assert "不是图片或PDF" not in page
    assert Appeal.objects.count() == 0


def test_a_second_appeal_leads_to_the_first(visitor: Client, stretch, clock: Any):
    row = file(stretch, clock.now)

    answer = visitor.post(f"/learning/records/{stretch.pk}/", {"text": "再来"})

    assert answer.url == f"/learning/appeals/{row.code}/"
    assert Appeal.objects.get().wanted == {"text": "小区断网"}


def test_an_appeal_out_of_time_has_no_form(visitor: Client, stretch, clock: Any):
    RefusedTime.objects.update(last_at=clock.now - timedelta(days=31))

    page = text_of(visitor.get(f"/learning/records/{stretch.pk}/"))
    posted = visitor.post(f"/learning/records/{stretch.pk}/", {"text": "太晚了"})

    assert "已超过30天的申诉期限" in page
    assert "提交申诉</button>" not in page
    assert posted.status_code == 200
    assert Appeal.objects.count() == 0


def test_what_is_anothers_is_not_there(stretch, stranger: Any, client_of: Any, clock):
    row = file(stretch, clock.now, proofs=make_proofs())
    thief = client_of(stranger)

    for answer in (
        thief.get(f"/learning/records/{stretch.pk}/"),
        thief.post(f"/learning/records/{stretch.pk}/", {"text": "给我"}),
        thief.get(f"/learning/appeals/{row.code}/"),
        thief.get(f"/learning/appeals/{row.code}/{row.files.get().code}/"),
    ):
        assert answer.status_code == 404

    assert Appeal.objects.get().wanted == {"text": "小区断网"}


@pytest.fixture
def returned(stretch, clock: Any) -> Appeal:
    return return_appeal(
        appeal_id=file(stretch, clock.now, proofs=make_proofs()).pk,
        seen_version=1,
        reason="请补充断网通知",
        actor=make_staff("审核"),
        now=clock.now,
    )


def test_a_returned_appeal_is_sent_again_from_its_page(
    visitor: Client, returned: Appeal
):
    address = f"/learning/appeals/{returned.code}/"
    page = text_of(visitor.get(address))
    assert "原因：请补充断网通知" in page
    assert "小区断网</textarea>" in page
    assert "不重新上传则沿用原有材料" in page
    assert "已退回" in text_of(visitor.get(RECORDS))

    answer = visitor.post(address, {"text": "小区断网，附通知"})

    assert answer.url == address
    returned.refresh_from_db()
    assert returned.state == Appeal.State.OPEN
    assert returned.wanted == {"text": "小区断网，附通知"}
    assert returned.files.count() == 1
    assert "重新提交</button>" not in text_of(visitor.get(address))


def test_a_returned_appeal_needs_its_words(visitor: Client, returned: Appeal):
    page = text_of(visitor.post(f"/learning/appeals/{returned.code}/", {"text": ""}))

    assert "请填写申诉理由。" in page
    returned.refresh_from_db()
    assert returned.state == Appeal.State.RETURNED
    assert returned.wanted == {"text": "小区断网"}


def test_another_sends_no_returned_appeal(returned: Appeal, stranger, client_of: Any):
    address = f"/learning/appeals/{returned.code}/"

    assert client_of(stranger).post(address, {"text": "给我"}).status_code == 404

    returned.refresh_from_db()
    assert returned.state == Appeal.State.RETURNED


def test_what_waits_is_not_sent_again(visitor: Client, stretch, clock: Any):
    row = file(stretch, clock.now)

    answer = visitor.post(f"/learning/appeals/{row.code}/", {"text": "再来"})

    assert answer.url == f"/learning/appeals/{row.code}/"
    row.refresh_from_db()
    assert (row.version, row.wanted) == (1, {"text": "小区断网"})


def test_the_learner_reads_why_it_was_refused(visitor: Client, stretch, clock: Any):
    row = file(stretch, clock.now)
    reviewer = make_staff("审核", name="审核员甲")
    refuse_appeal(
        appeal_id=row.pk,
        seen_version=1,
        reason="轨迹显示视频未播放",
        actor=reviewer,
        now=clock.now,
    )

    page = text_of(visitor.get(f"/learning/appeals/{row.code}/"))

    assert "申诉未通过。原因：轨迹显示视频未播放" in page
    assert "审核员甲" not in page
