"""Play sessions: one per person, ended politely (I9, I10)."""

from datetime import UTC, date

import pytest

from learning.errors import (
    NotEntitledError,
    OutsideTrainingPeriodError,
    SessionEndedError,
    TakenOverError,
    VideoUnavailableError,
)
from learning.models import ChapterProgress, PersonClock, PlaySession, RefusedTime
from learning.services import close_idle_sessions, open_enrolments, revoke_enrolment
from learning.services import sessions as play_sessions
from tests.clock import at
from tests.factories.catalog import VideoFactory
from tests.factories.learning import make_study_plan
from tests.learning.learner import Learner, TestClock


@pytest.fixture
def phone(learner: Learner, clock: TestClock) -> Learner:
    """The same person's phone, with nothing open yet."""
    return Learner(learner.person, learner.enrolment.plan, clock, login="phone")


def test_opening_elsewhere_ends_the_old_session(learner: Learner, phone: Learner):
    """I9."""
    learner.watch(30)

    phone.open()

    old, new = PlaySession.objects.order_by("pk")
    assert (old.end, old.ended_at) == (PlaySession.End.TAKEN_OVER, phone.clock.now)
    assert old.credited_ms == 30_000
    assert (new.code, new.end, new.ended_at) == (phone.session, "", None)


def test_the_old_page_is_told_and_its_time_is_named(learner: Learner, phone: Learner):
    learner.watch(30)
    phone.open()

    learner.play(10)
    with pytest.raises(TakenOverError):
        learner.beat()
    learner.play(10)
    with pytest.raises(TakenOverError):
        learner.beat()

    row = RefusedTime.objects.get()
    assert row.reason == RefusedTime.Reason.TAKEN_OVER
    assert (row.session, row.milliseconds) == (learner.session, 10_000)
    assert learner.earned_ms() == 30_000


def test_the_phone_goes_on_where_the_computer_stood(learner: Learner, phone: Learner):
    learner.watch(30)

    answer = phone.open()

    assert answer.progress.position_ms == 30_000
    phone.watch(30)
    assert learner.progress().pending == [[0, 60_000]]


def test_the_way_before_the_opening_is_not_paid_to_the_new_session(
    learner: Learner, phone: Learner
):
    """I2: time until the opening belongs to nobody."""
    learner.watch(10)
    learner.clock.advance(10)
    phone.open()
    phone.beat(20)

    assert learner.earned_ms() == 10_000


def test_closing_takes_the_last_seconds(learner: Learner):
    learner.watch(10)
    learner.play(7)

    learner.close()

    session = PlaySession.objects.get()
    assert learner.progress().pending == [[0, 17_000]]
    assert (session.end, session.credited_ms) == (PlaySession.End.CLOSED, 17_000)
    assert learner.person_clock.session == ""


def test_a_closed_session_is_over(learner: Learner):
    learner.close()

    with pytest.raises(SessionEndedError):
        learner.watch(10)

    assert RefusedTime.objects.count() == 0


def test_an_idle_session_is_closed(learner: Learner, phone: Learner):
    learner.watch(10)
    learner.clock.advance(900)
    assert close_idle_sessions(now=learner.clock.now) == 0

    learner.clock.advance(1)

    assert close_idle_sessions(now=learner.clock.now) == 1
    assert close_idle_sessions(now=learner.clock.now) == 0
    assert PlaySession.objects.get().end == PlaySession.End.IDLE
    with pytest.raises(SessionEndedError):
        learner.beat()


def test_a_beat_that_comes_while_the_sweep_looks_keeps_the_session(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
):
    learner.watch(10)
    learner.clock.advance(901)
    find = play_sessions.find_locked_clock

    def find_late(person_id: int) -> PersonClock | None:
        learner.beat(is_playing=False)
        return find(person_id)

    monkeypatch.setattr(play_sessions, "find_locked_clock", find_late)

    assert close_idle_sessions(now=learner.clock.now) == 0

    assert learner.person_clock.session == learner.session
    assert PlaySession.objects.get().ended_at is None


def test_a_revoked_enrolment_stops_at_once(learner: Learner):
    """I10."""
    learner.watch(30)

    revoke_enrolment(enrolment=learner.enrolment, now=learner.clock.now)

    learner.play(10)
    with pytest.raises(NotEntitledError):
        learner.beat()
    row = RefusedTime.objects.get()
    assert (row.reason, row.milliseconds) == ("not_entitled", 10_000)
    assert learner.earned_ms() == 30_000


def test_a_revoked_enrolment_cannot_be_opened(learner: Learner):
    revoke_enrolment(enrolment=learner.enrolment, now=learner.clock.now)

    with pytest.raises(NotEntitledError):
        learner.open()

    assert PlaySession.objects.count() == 1


def test_a_revoked_enrolment_that_is_paid_again_keeps_what_was_learnt(
    learner: Learner,
):
    learner.watch(30)
    revoke_enrolment(enrolment=learner.enrolment, now=learner.clock.now)

    open_enrolments(
        plan=learner.enrolment.plan,
        users=[learner.person],
        source="order",
        source_number="NEW",
        now=learner.clock.now,
    )

    assert learner.open().progress.pending_ms == 30_000
    learner.watch(10)
    assert learner.earned_ms() == 40_000


def test_revoking_leaves_a_session_on_another_plan_alone(learner: Learner, clock):
    other = Learner(learner.person, make_study_plan(), clock)
    other.open()

    revoke_enrolment(enrolment=learner.enrolment, now=clock.now)

    assert other.watch(10)[0].receipt.credited_ms == 10_000


@pytest.mark.parametrize(
    ("moment", "may_study"),
    [
        ("2026-02-28 23:59", False),
        ("2026-03-01 00:00", True),
        ("2026-12-31 23:59", True),
        ("2027-01-01 00:00", False),
    ],
)
def test_study_is_open_in_the_training_period(owner, moment: str, may_study: bool):
    plan = make_study_plan(training_start=date(2026, 3, 1))
    # The server's clock tells UTC, the days are those of Chongqing.
    learner = Learner(owner, plan, TestClock(at(moment).astimezone(UTC)))

    if may_study:
        learner.open()
    else:
        with pytest.raises(OutsideTrainingPeriodError):
            learner.open()

    assert PlaySession.objects.count() == int(may_study)
    assert PersonClock.objects.count() == int(may_study)


@pytest.mark.parametrize("video", [None, "waiting"])
def test_a_chapter_without_a_playable_video_cannot_be_opened(
    learner: Learner, video: str | None
):
    chapter = learner.chapters[1]
    chapter.video = VideoFactory(waiting=True) if video else None
    chapter.save()
    session = learner.session

    with pytest.raises(VideoUnavailableError):
        learner.open(1)

    assert learner.person_clock.session == session
    assert ChapterProgress.objects.count() == 1


def test_the_player_may_start_elsewhere_than_where_it_was_left(learner: Learner):
    learner.open(position=100)

    learner.watch(10)

    assert learner.progress().pending == [[100_000, 110_000]]


def test_session_codes_cannot_be_guessed(learner: Learner):
    codes = {learner.open().session for _ in range(20)}

    assert len(codes) == 20
    assert {len(code) for code in codes} == {26}
