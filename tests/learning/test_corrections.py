"""Credit taken back: once, for a reason, recorded, and said out loud what goes with it (I4)."""

import pytest
from django.db import DatabaseError, transaction

from accounts.errors import DeciderRefusedError
from accounts.models import AuditEntry, Message
from learning.errors import CorrectionRefusedError, ReasonMissingError
from learning.models import (
    CourseCompletion,
    CreditDecision,
    CreditedTime,
    Enrolment,
    RefusedTime,
)
from learning.services.appeals import approve_appeal, file_appeal
from learning.services.corrections import correct_credit
from learning.services.study import lock_progress
from tests.factories.learning import make_study_plan
from tests.factories.requests import make_staff
from tests.learning.learner import Learner


@pytest.fixture
def half_done(owner, clock) -> Learner:
    """One of two courses finished; the plan needs both."""
    learner = Learner(owner, make_study_plan(chapters=(100_000,), courses=2), clock)
    learner.open()
    learner.expect_prompt_after(100_000)
    learner.watch(100)
    assert CourseCompletion.objects.count() == 1
    return learner


def correct(actor, now, reason: str = "核实为脚本播放") -> CreditDecision:
    return correct_credit(
        credited_id=CreditedTime.objects.get().pk, reason=reason, actor=actor, now=now
    )


def test_a_correction_takes_the_stretch_and_names_what_is_undone(
    half_done: Learner, reviewer
):
    watched_at = half_done.clock.now
    half_done.clock.advance(3600)
    decision = correct(reviewer, half_done.clock.now)

    progress = half_done.progress()
    assert progress.updated_at == watched_at
    assert (progress.covered, progress.covered_ms) == ([], 0)
    assert progress.completed_at is None
    assert CourseCompletion.objects.count() == 0
    enrolment = Enrolment.objects.get()
    assert (enrolment.credits_earned, enrolment.percent) == (0, 0)
    assert decision.withdrawn == ["chapter", "course"]
    assert (decision.kind, decision.milliseconds) == ("removed", 100_000)
    assert decision.reason == "核实为脚本播放"
    assert Message.objects.get().template == "credit_removed"
    entry = AuditEntry.objects.get(action="credit.removed")
    assert (entry.actor, entry.detail["removed_ms"]) == (reviewer, 100_000)


def test_what_was_taken_back_can_be_learnt_again(half_done: Learner, reviewer):
    correct(reviewer, half_done.clock.now)

    half_done.open(position=0)
    half_done.watch(100)

    assert half_done.progress().completed_at == half_done.clock.now
    assert Enrolment.objects.get().credits_earned == 5
    assert CreditedTime.objects.count() == 2


def test_a_stretch_is_taken_back_once(half_done: Learner, reviewer):
    first = CreditedTime.objects.get()
    correct(reviewer, half_done.clock.now)
    half_done.open(position=0)
    half_done.watch(100)

    with pytest.raises(CorrectionRefusedError, match="已扣减"):
        correct_credit(
            credited_id=first.pk,
            reason="再扣一次",
            actor=reviewer,
            now=half_done.clock.now,
        )

    assert half_done.progress().covered_ms == 100_000
    assert CreditDecision.objects.count() == 1


def test_what_an_appeal_added_is_taken_back_like_the_rest(half_done: Learner, reviewer):
    half_done.open(1)
    half_done.play(60)
    half_done.beat()
    row = file_appeal(
        person=half_done.person,
        stretch_id=RefusedTime.objects.get().pk,
        text="断网",
        proofs=[],
        now=half_done.clock.now,
    )
    approve_appeal(
        appeal_id=row.pk, seen_version=1, actor=reviewer, now=half_done.clock.now
    )
    granted = CreditedTime.objects.get(session="")
    assert half_done.progress(1).covered == [[0, 60_000]]

    correct_credit(
        credited_id=granted.pk,
        reason="申诉不实",
        actor=reviewer,
        now=half_done.clock.now,
    )

    assert half_done.progress(1).covered == []
    assert half_done.progress(0).covered_ms == 100_000
    assert granted.correction.milliseconds == 60_000
    kinds = CreditDecision.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["added", "removed"]


def test_a_stretch_that_grew_meanwhile_is_taken_whole(
    learner: Learner, reviewer, monkeypatch
):
    """An answer comes in between what was read and the lock."""
    learner.expect_prompt_after(60)
    learner.watch(60)
    learner.answer_right()
    learner.expect_prompt_after(60)
    learner.watch(60)

    def lock_late(*place):
        learner.answer_right()
        return lock_progress(*place)

    monkeypatch.setattr("learning.services.corrections.lock_progress", lock_late)
    decision = correct(reviewer, learner.clock.now)

    assert CreditedTime.objects.get().milliseconds == 120_000
    assert decision.milliseconds == 120_000
    assert learner.progress().covered == []


def test_a_completed_plan_is_not_touched(owner, clock, reviewer):
    learner = Learner(owner, make_study_plan(chapters=(100_000,)), clock)
    learner.open()
    learner.expect_prompt_after(100_000)
    learner.watch(100)
    assert Enrolment.objects.get().is_completed

    with pytest.raises(CorrectionRefusedError, match="已结业"):
        correct(reviewer, clock.now)

    assert learner.progress().covered_ms == 100_000
    assert Enrolment.objects.get().is_completed
    assert CreditDecision.objects.count() == 0
    assert Message.objects.count() == 0


def test_a_correction_needs_a_reason(half_done: Learner, reviewer):
    with pytest.raises(ReasonMissingError):
        correct(reviewer, half_done.clock.now, reason="  ")

    assert half_done.progress().covered_ms == 100_000


@pytest.mark.parametrize("role", ["业务", "财务", "系统", "审计", "区县督导"])
def test_other_roles_take_nothing_back(half_done: Learner, role: str):
    with pytest.raises(DeciderRefusedError):
        correct(make_staff(role), half_done.clock.now)

    assert half_done.progress().covered_ms == 100_000
    assert CreditDecision.objects.count() == 0


def test_nobody_takes_back_their_own(half_done: Learner, reviewer):
    half_done.person.is_staff = True
    half_done.person.groups.set(reviewer.groups.all())

    with pytest.raises(DeciderRefusedError, match="与本人有关"):
        correct(half_done.person, half_done.clock.now)

    assert half_done.progress().covered_ms == 100_000
    assert CreditDecision.objects.count() == 0


def test_a_corrected_stretch_grows_no_more(learner: Learner, reviewer):
    for _ in range(2):
        learner.expect_prompt_after(60)
        learner.watch(60)
        learner.answer_right()
        row = CreditedTime.objects.order_by("pk").last()
        correct_credit(
            credited_id=row.pk, reason="脚本", actor=reviewer, now=learner.clock.now
        )

    lengths = CreditedTime.objects.values_list("milliseconds", flat=True)
    assert list(lengths) == [60_000, 60_000]
    assert learner.progress().covered == []


def test_a_decision_is_never_rewritten(half_done: Learner, reviewer):
    decision = correct(reviewer, half_done.clock.now)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CreditDecision.objects.filter(pk=decision.pk).update(milliseconds=1)

    decision.refresh_from_db()
    assert decision.milliseconds == 100_000
