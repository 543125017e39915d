"""Completion is computed by the server, in the ledger's transaction, once (I12)."""

import pytest

from catalog.models import PlanCourse, Video
from learning.models import CourseCompletion, Enrolment
from learning.services import revoke_enrolment
from tests.clock import at
from tests.factories.catalog import CourseFactory, PlanCourseFactory, PlanFactory
from tests.factories.learning import fill_course, list_chapters, make_study_plan
from tests.learning.learner import Learner, TestClock


def learn(learner: Learner, chapter: int) -> None:
    """Watch one whole chapter without being asked."""
    learner.open(chapter, position=0)
    learner.expect_prompt_after(100_000)
    video = learner.chapters[chapter].video
    assert video is not None
    learner.watch(video.duration_ms / 1000)


def test_a_chapter_is_finished_at_95_percent(learner: Learner):
    learner.watch(560)
    before = learner.progress()
    learner.watch(10)

    after = learner.progress()
    assert (before.completed_at, before.covered_ms) == (None, 0)
    assert after.completed_at == learner.clock.now
    assert (after.covered_ms, after.pending_ms) == (570_000, 0)


def test_a_shorter_video_in_its_place_finishes_what_is_covered(learner: Learner):
    """Nothing new is left to play that would finish it."""
    learner.expect_prompt_after(500)
    learner.watch(500)
    learner.answer_right()
    learner.expect_prompt_after(100_000)
    assert learner.progress().completed_at is None
    Video.objects.filter(chapters=learner.chapters[0]).update(duration_ms=500_000)

    learner.beat(480)
    learner.watch(10)

    progress = learner.progress()
    assert (progress.covered_ms, progress.pending_ms) == (500_000, 0)
    assert progress.completed_at is not None
    assert progress.completed_at <= learner.clock.now


def test_seconds_scattered_over_the_chapter_finish_it_too(learner: Learner):
    for start in range(0, 600, 20):
        learner.beat(start)
        learner.watch(19)

    assert learner.progress().completed_at == learner.clock.now


def test_no_chapter_is_finished_while_a_question_is_open(learner: Learner):
    learner.open(1)
    learner.expect_prompt_after(240)

    learner.watch(300)

    assert learner.prompt.closed_at is None
    assert learner.progress(1).pending_ms == 300_000
    assert learner.progress(1).completed_at is None


def test_the_answer_of_the_last_question_finishes_the_chapter(learner: Learner):
    learner.open(1)
    learner.expect_prompt_after(280)
    learner.watch(300)
    assert learner.progress(1).completed_at is None

    judged = learner.answer_right()

    assert learner.progress(1).completed_at == learner.clock.now
    assert judged.answer.progress.completed_at == learner.clock.now


def test_a_course_needs_every_chapter(learner: Learner):
    learn(learner, 1)
    assert CourseCompletion.objects.count() == 0

    learn(learner, 0)

    completion = CourseCompletion.objects.get()
    assert completion.course == learner.chapters[0].course
    assert (completion.credits, completion.is_compulsory) == (5, False)


def test_the_last_beat_of_a_plan_says_so_and_a_repeat_says_it_again(learner: Learner):
    learn(learner, 0)
    learner.open(1)
    learner.expect_prompt_after(100_000)
    answers = learner.watch(290)

    completing = next(each for each in answers if each.receipt.plan_completed)
    learner.sequence = completing.sequence
    repeated = learner.beat(sequence=answers[-1].sequence)

    enrolment = Enrolment.objects.get()
    assert completing.receipt.course_completed
    assert enrolment.state == Enrolment.State.COMPLETED
    assert enrolment.completed_at == completing.now
    assert (enrolment.percent, enrolment.elective_earned) == (100, 5)
    assert repeated.receipt == answers[-1].receipt


def test_completion_happens_once(learner: Learner):
    learn(learner, 0)
    learn(learner, 1)
    completed_at = Enrolment.objects.get().completed_at

    learn(learner, 0)
    learn(learner, 1)

    enrolment = Enrolment.objects.get()
    assert CourseCompletion.objects.count() == 1
    assert enrolment.completed_at == completed_at
    assert enrolment.credits_earned == 5


def test_credits_add_up_by_kind(owner, clock):
    """2020: required and elective credits are counted apart."""
    plan = PlanFactory(required_credits=30, compulsory_credits=20, elective_credits=10)
    kinds = PlanCourse.Kind
    for position, (kind, credits) in enumerate(
        [(kinds.COMPULSORY, 20), (kinds.COMPULSORY, 10), (kinds.ELECTIVE, 10)], start=1
    ):
        course = CourseFactory(credits=credits)
        fill_course(course, (20_000,))
        PlanCourseFactory(plan=plan, course=course, kind=kind, position=position)
    learner = Learner(owner, plan, clock)
    seen = []
    for chapter in range(3):
        learn(learner, chapter)
        row = Enrolment.objects.get()
        seen.append(
            (row.compulsory_earned, row.elective_earned, row.percent, row.state)
        )

    assert seen == [
        (20, 0, 66, "open"),
        (30, 0, 66, "open"),
        (30, 10, 100, "completed"),
    ]


def test_a_revoked_enrolment_completes_nothing(learner: Learner):
    """I10: asked of the database when it matters."""
    learner.watch(560)
    revoke_enrolment(enrolment=learner.enrolment, now=learner.clock.now)

    with pytest.raises(Exception, match="未开通"):
        learner.watch(10)

    assert learner.progress().completed_at is None
    assert CourseCompletion.objects.count() == 0


def test_completion_asks_the_database_whether_the_right_still_stands(learner: Learner):
    """I10: a right that went while its session lived on; given again, it is made up for."""
    learner.watch(560)
    Enrolment.objects.update(state=Enrolment.State.REVOKED)

    learner.watch(10)

    assert learner.progress().covered_ms == 570_000
    assert learner.progress().completed_at is None
    Enrolment.objects.update(state=Enrolment.State.OPEN)
    learner.watch(10)
    assert learner.progress().completed_at == learner.clock.now


def test_the_last_chapter_on_new_years_eve_counts(owner):
    """Begun in time; the slow server takes the last beat in January."""
    clock = TestClock(at("2026-12-31 23:55"))
    learner = Learner(owner, make_study_plan(chapters=(300_000,)), clock)
    learner.open()
    learner.expect_prompt_after(100_000)
    learner.watch(280)
    learner.position += 15
    clock.advance(75)

    learner.beat()

    enrolment = Enrolment.objects.get()
    assert clock.now > at("2027-01-01 00:00")
    assert enrolment.state == Enrolment.State.COMPLETED


def test_no_length_or_end_is_taken_from_the_player(learner: Learner):
    """I5: standing at the end is not having been there."""
    learner.beat(600, is_playing=False)
    learner.close()

    assert learner.progress().completed_at is None
    assert learner.earned_ms() == 0
    assert [chapter.pk for chapter in learner.chapters] == [
        chapter.pk for chapter in list_chapters(learner.enrolment.plan)
    ]
