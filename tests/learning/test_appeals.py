"""Appeals: once, in time, of one's own; worth no more than the time that passed (I2 to I4)."""

from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest

from accounts.errors import DeciderRefusedError, RequestMovedError, RequestStateError
from accounts.models import AuditEntry, Message
from learning.errors import (
    AppealRefusedError,
    LearningError,
    NotEntitledError,
    StretchNotFoundError,
    TakenOverError,
)
from learning.models import Appeal, CreditDecision, CreditedTime, RefusedTime
from learning.services import revoke_enrolment
from learning.services.appeals import (
    approve_appeal,
    file_appeal,
    forget_old_appeals,
    refuse_appeal,
)
from tests.factories.accounts import UserFactory
from tests.factories.requests import make_proofs, make_staff
from tests.learning.appealing import appeal, approve
from tests.learning.learner import Learner


def test_an_appeal_is_kept_encrypted_with_its_proofs(learner: Learner, offline):
    row = appeal(learner, offline, proofs=make_proofs(2))

    assert row.wanted == {"text": "小区断网"}
    assert "小区断网".encode() not in bytes(row.wanted_cipher)
    assert row.files.count() == 2
    assert [event.kind for event in row.events.all()] == ["filed"]
    assert AuditEntry.objects.filter(action="appeal.filed").count() == 1


def test_a_stretch_is_appealed_once(learner: Learner, offline):
    row = appeal(learner, offline)

    with pytest.raises(AppealRefusedError, match="只能申诉一次"):
        appeal(learner, offline, text="再来一次")

    assert Appeal.objects.get() == row
    assert Appeal.objects.get().wanted == {"text": "小区断网"}


def test_the_stretch_of_another_is_unknown(offline, stranger, now):
    with pytest.raises(StretchNotFoundError):
        file_appeal(
            person=stranger, stretch_id=offline.pk, text="给我", proofs=[], now=now
        )

    assert Appeal.objects.count() == 0


@pytest.mark.parametrize(("days", "is_late"), [(30, False), (31, True)])
def test_an_appeal_has_its_time(learner: Learner, offline, days: int, is_late: bool):
    learner.clock.advance(days * 86_400)

    if is_late:
        with pytest.raises(AppealRefusedError, match="已超过30天"):
            appeal(learner, offline)
    else:
        appeal(learner, offline)

    assert Appeal.objects.count() == (0 if is_late else 1)


def test_watching_again_cannot_be_appealed(learner: Learner):
    learner.watch(60)
    learner.beat(0)
    learner.watch(60)

    with pytest.raises(AppealRefusedError, match="重复观看"):
        appeal(learner, RefusedTime.objects.get())

    assert Appeal.objects.count() == 0


def test_time_that_another_device_earned_is_heard_and_not_granted(
    learner: Learner, owner, reviewer
):
    """Somebody else may have used the account."""
    learner.watch(10)
    other = Learner(owner, learner.enrolment.plan, learner.clock, login="phone")
    other.open(1)
    other.watch(10)
    with pytest.raises(TakenOverError):
        learner.beat()
    row = appeal(learner, RefusedTime.objects.get(reason="taken_over"))

    with pytest.raises(LearningError):
        approve(row, reviewer, learner.clock.now)

    assert Appeal.objects.get().state == Appeal.State.OPEN
    assert not CreditDecision.objects.exists()


def test_time_without_an_open_plan_is_heard_and_not_granted(learner: Learner, reviewer):
    """It may have been closed by mistake."""
    learner.watch(10)
    revoke_enrolment(enrolment=learner.enrolment, now=learner.clock.now)
    learner.play(10)
    with pytest.raises(NotEntitledError):
        learner.beat()
    row = appeal(learner, RefusedTime.objects.get(reason="not_entitled"))

    with pytest.raises(LearningError):
        approve(row, reviewer, learner.clock.now)

    assert Appeal.objects.get().state == Appeal.State.OPEN
    assert not CreditDecision.objects.exists()


def test_approval_credits_the_stretch_and_nothing_else(
    learner: Learner, offline, reviewer
):
    row = appeal(learner, offline)

    decided = approve(row, reviewer, learner.clock.now)

    progress = learner.progress()
    assert progress.covered == [[80_000, 360_000]]
    assert progress.covered_ms == 280_000
    assert progress.pending == [[0, 80_000]]
    assert decided.state == Appeal.State.APPROVED
    decision = CreditDecision.objects.get()
    assert (decision.kind, decision.milliseconds) == ("added", 280_000)
    assert (decision.actor, decision.appeal) == (reviewer, row)
    credited = CreditedTime.objects.get()
    assert (credited.media, credited.milliseconds) == ([[80_000, 360_000]], 280_000)
    assert (credited.first_at, credited.last_at) == (offline.first_at, offline.last_at)
    assert credited.label == "申诉计入"
    message = Message.objects.get()
    assert message.template == "appeal_approved"
    assert "计入4:40" in message.text
    entry = AuditEntry.objects.get(action="appeal.approved")
    assert entry.actor == reviewer


def test_a_decision_is_no_contact_with_the_learner(learner: Learner, offline, reviewer):
    row = appeal(learner, offline)
    left_at = learner.clock.now
    learner.clock.advance(3600)
    approve(row, reviewer, learner.clock.now)
    assert learner.progress(0).updated_at == left_at

    learner.open(1)
    learner.expect_prompt_after(30)
    learner.watch(30)
    learner.answer_right()

    # The eighty seconds that waited were watched before the staff decided.
    waited = CreditedTime.objects.get(chapter=learner.chapters[0], milliseconds=80_000)
    assert waited.last_at == left_at


def test_approval_may_complete_a_chapter(learner: Learner, reviewer):
    learner.open(1)
    learner.play(300)
    learner.beat()
    stretch = RefusedTime.objects.get()
    # The first beat came too late to count at all.
    assert (stretch.milliseconds, stretch.media) == (300_000, [[0, 300_000]])

    approve(appeal(learner, stretch), reviewer, learner.clock.now)

    assert learner.progress(1).completed_at == learner.clock.now
    assert learner.progress(1).covered_ms == 300_000


def test_a_jump_is_worth_the_time_that_passed(learner: Learner, reviewer):
    learner.watch(10)
    learner.clock.advance(15)
    learner.beat(590)
    stretch = RefusedTime.objects.get()

    approve(appeal(learner, stretch), reviewer, learner.clock.now)

    assert learner.progress().covered == [[10_000, 25_000]]


@pytest.mark.parametrize("chapter", [0, 1])
def test_what_a_missed_question_cost_is_given_back_in_every_chapter(
    learner: Learner, reviewer, chapter: int
):
    learner.watch(60)
    learner.clock.advance(86_400)
    learner.open(1)
    learner.expect_prompt_after(30)
    learner.watch(30)
    learner.beat(is_playing=False)
    learner.clock.advance(70)
    learner.beat(is_playing=False)
    lost = RefusedTime.objects.get(chapter=learner.chapters[chapter])

    approve(appeal(learner, lost), reviewer, learner.clock.now)

    earned = [(60_000, [[0, 60_000]]), (30_000, [[0, 30_000]])][chapter]
    progress = learner.progress(chapter)
    assert (progress.covered_ms, progress.covered) == earned
    assert learner.progress(1 - chapter).covered_ms == 0


def test_what_was_watched_again_meanwhile_is_not_credited_twice(
    learner: Learner, offline, reviewer
):
    row = appeal(learner, offline)
    learner.beat(80)
    learner.watch(280)

    with pytest.raises(AppealRefusedError, match="没有可以计入的新内容"):
        approve(row, reviewer, learner.clock.now)

    row.refresh_from_db()
    assert row.state == Appeal.State.OPEN
    assert learner.progress().covered == []
    assert CreditDecision.objects.count() == 0
    assert Message.objects.count() == 0


def test_nothing_is_credited_to_a_revoked_enrolment(
    learner: Learner, offline, reviewer
):
    row = appeal(learner, offline)
    revoke_enrolment(enrolment=learner.enrolment, now=learner.clock.now)

    with pytest.raises(AppealRefusedError, match="已撤销"):
        approve(row, reviewer, learner.clock.now)

    assert learner.progress().covered_ms == 0
    assert Appeal.objects.get().state == Appeal.State.OPEN


def test_refusal_changes_no_credit_and_says_why(learner: Learner, offline, reviewer):
    row = appeal(learner, offline)

    refuse_appeal(
        appeal_id=row.pk,
        seen_version=1,
        reason="轨迹显示视频未播放",
        actor=reviewer,
        now=learner.clock.now,
    )

    row.refresh_from_db()
    assert row.state == Appeal.State.REFUSED
    assert row.events.last().reason == "轨迹显示视频未播放"
    assert learner.progress().covered_ms == 0
    assert CreditDecision.objects.count() == 0
    assert Message.objects.get().template == "appeal_refused"


def test_a_decided_appeal_is_not_decided_again(learner: Learner, offline, reviewer):
    row = approve(appeal(learner, offline), reviewer, learner.clock.now)

    with pytest.raises(RequestStateError):
        approve(row, make_staff("业务"), learner.clock.now)

    assert learner.progress().covered_ms == 280_000
    assert CreditDecision.objects.count() == 1


def test_staff_decide_on_what_they_have_seen(learner: Learner, offline, reviewer):
    row = appeal(learner, offline)

    with pytest.raises(RequestMovedError):
        approve_appeal(
            appeal_id=row.pk, seen_version=2, actor=reviewer, now=learner.clock.now
        )

    assert learner.progress().covered_ms == 0


@pytest.mark.parametrize("role", ["财务", "系统", "审计", "区县督导"])
def test_other_roles_decide_nothing(learner: Learner, offline, role: str):
    row = appeal(learner, offline)

    with pytest.raises(DeciderRefusedError):
        approve(row, make_staff(role), learner.clock.now)

    assert learner.progress().covered_ms == 0
    assert Appeal.objects.get().state == Appeal.State.OPEN


def test_nobody_decides_their_own(learner: Learner, offline, reviewer):
    learner.person.is_staff = True
    learner.person.groups.set(reviewer.groups.all())
    row = appeal(learner, offline)

    with pytest.raises(DeciderRefusedError):
        approve(row, learner.person, learner.clock.now)

    assert learner.progress().covered_ms == 0


@pytest.mark.parametrize("seed", range(8))
def test_credit_with_all_appeals_granted_never_exceeds_the_time(
    learner: Learner, reviewer, seed: int
):
    """I2 over the whole time: whatever a client reports, and whatever staff grant of it."""
    rng = Random(seed)
    begun = learner.clock.now
    for _ in range(25):
        learner.clock.advance(rng.choice([1, 5, 10, 10, 30, 90]))
        learner.beat(rng.choice([0, 30, 90, 595, learner.position + 10]) % 600)
    for stretch in RefusedTime.objects.exclude(reason="repeated").order_by("pk"):
        try:
            approve(appeal(learner, stretch), reviewer, learner.clock.now)
        except LearningError:
            continue

    passed = (learner.clock.now - begun) / timedelta(milliseconds=1)
    assert learner.earned_ms() <= passed + 5_000
    covered = learner.progress().covered
    assert all(one[1] < two[0] for one, two in pairwise(covered))


def test_old_words_are_forgotten_and_the_decision_stays(
    learner: Learner, offline, reviewer
):
    row = appeal(learner, offline, proofs=make_proofs())
    approve(row, reviewer, learner.clock.now)
    fresh = UserFactory()
    assert fresh.appeals.count() == 0

    assert forget_old_appeals(now=learner.clock.now + timedelta(days=89)) == 0
    assert forget_old_appeals(now=learner.clock.now + timedelta(days=90)) == 1

    row.refresh_from_db()
    assert (row.wanted, row.state) == ({}, Appeal.State.APPROVED)
