"""Flags: found once a day, never a block, closed by staff; honest learners get none."""

from datetime import date, timedelta

import pytest

from accounts.errors import DeciderRefusedError
from accounts.models import AuditEntry, IntegrityRecord, Message
from learning.errors import FlagClosedError, ReasonMissingError
from learning.models import CreditedTime, PlaySession, Prompt, StudyFlag
from learning.services.flags import close_flag, prove_flag, raise_flags
from tests.clock import at
from tests.factories.accounts import UserFactory
from tests.factories.learning import enrol, list_chapters, make_study_plan
from tests.factories.requests import make_staff
from tests.learning.learner import Learner, TestClock

pytestmark = pytest.mark.django_db

DAY = date(2026, 6, 15)
NIGHT = at("2026-06-16 03:00")
NOON = at("2026-06-15 12:00")


def make_session(person, enrolment, **values) -> PlaySession:
    chapter = list_chapters(enrolment.plan)[0]
    given = {
        "code": f"S{PlaySession.objects.count():025}",
        "opened_at": NOON,
        "ended_at": NOON + timedelta(hours=1),
        "end": PlaySession.End.CLOSED,
    }
    return PlaySession.objects.create(
        person=person, enrolment=enrolment, chapter=chapter, **given | values
    )


@pytest.fixture(autouse=True)
def served(monkeypatch) -> None:
    """Whoever learns here was sent the video."""
    monkeypatch.setattr(
        "learning.queries.flags.read_served_bytes", lambda person, video: 50_000_000
    )


@pytest.fixture
def enrolment(owner):
    return enrol(owner, make_study_plan())


def kinds() -> list[str]:
    return sorted(StudyFlag.objects.values_list("kind", flat=True))


def test_a_machines_rhythm_is_flagged_once(owner, enrolment):
    make_session(owner, enrolment, beats=300, jitter_ms=300, credited_ms=3_000_000)

    assert raise_flags(day=DAY, now=NIGHT) == 1
    assert raise_flags(day=DAY, now=NIGHT + timedelta(hours=1)) == 0

    flag = StudyFlag.objects.get()
    assert (flag.person, flag.kind, flag.day) == (owner, "rhythm", DAY)
    assert flag.facts == {"beats": 300, "deviation_us": 1000}
    assert flag.found_at == NIGHT


def test_a_flag_touches_nothing(learner: Learner):
    learner.expect_prompt_after(60)
    learner.watch(60)
    learner.answer_right()
    PlaySession.objects.update(
        beats=300, jitter_ms=0, ended_at=learner.clock.now, end="closed"
    )
    before = learner.progress().covered

    raise_flags(day=DAY, now=NIGHT)

    assert kinds() == ["rhythm"]
    assert learner.progress().covered == before
    learner.open()
    assert learner.watch(20)[-1].receipt.credited_ms == 10_000


def test_answers_nobody_can_read_are_flagged(owner, enrolment):
    make_session(owner, enrolment)
    for number in range(6):
        issued = NOON + timedelta(minutes=5 * number)
        Prompt.objects.create(
            person=owner,
            enrolment=enrolment,
            chapter=list_chapters(enrolment.plan)[0],
            stem="下列哪一项属于专业技术人员继续教育的原则？",
            options=[["a", "理论联系实际、讲求实效"], ["b", "先收费后培训"]],
            correct_option="a",
            issued_at=issued,
            deadline_at=issued + timedelta(minutes=1),
            closed_at=issued + timedelta(milliseconds=300),
            outcome=Prompt.Outcome.RIGHT,
        )

    raise_flags(day=DAY, now=NIGHT)

    assert kinds() == ["fast_answers"]
    assert StudyFlag.objects.get().facts["fast"] == 6


@pytest.mark.parametrize(
    ("served", "found"), [(0, ["no_media"]), (None, []), (50_000_000, [])]
)
def test_credit_without_media_is_flagged_where_bytes_are_counted(
    owner, enrolment, monkeypatch, served: int | None, found: list[str]
):
    monkeypatch.setattr(
        "learning.queries.flags.read_served_bytes", lambda person, video: served
    )
    make_session(owner, enrolment, credited_ms=600_000)

    raise_flags(day=DAY, now=NIGHT)

    assert kinds() == found


def test_a_marathon_over_midnight_is_flagged(owner, enrolment):
    make_session(owner, enrolment)
    chapter = list_chapters(enrolment.plan)[0]
    for start in (at("2026-06-14 16:00"), at("2026-06-15 01:00")):
        CreditedTime.objects.create(
            enrolment=enrolment,
            chapter=chapter,
            session="S",
            milliseconds=7 * 3_600_000,
            first_at=start,
            last_at=start + timedelta(hours=7),
        )

    raise_flags(day=DAY, now=NIGHT)

    assert kinds() == ["marathon"]
    assert StudyFlag.objects.get().facts == {"credited_ms": 14 * 3_600_000}


def test_a_marathon_is_not_flagged_again_for_a_minute_on_the_next_day(owner, enrolment):
    chapter = list_chapters(enrolment.plan)[0]
    for start, hours in (("2026-06-14 01:00", 13), ("2026-06-15 20:00", 0.1)):
        CreditedTime.objects.create(
            enrolment=enrolment,
            chapter=chapter,
            session="S",
            milliseconds=hours * 3_600_000,
            first_at=at(start),
            last_at=at(start) + timedelta(hours=hours),
        )
        make_session(owner, enrolment, ended_at=at(start) + timedelta(hours=hours))

    assert raise_flags(day=DAY - timedelta(days=1), now=NIGHT) == 1
    assert raise_flags(day=DAY, now=NIGHT) == 0
    assert StudyFlag.objects.get().day == DAY - timedelta(days=1)


def test_what_did_not_end_that_day_is_left_to_another(owner, enrolment):
    make_session(owner, enrolment, beats=300, ended_at=at("2026-06-16 00:00"))
    make_session(owner, enrolment, beats=300, ended_at=at("2026-06-14 23:59"))

    assert raise_flags(day=DAY, now=NIGHT) == 0
    assert kinds() == []


# --- Honest learners ---------------------------------------------------------------------


def test_five_minutes_offline_make_no_flag(learner: Learner):
    learner.watch(60)
    learner.play(300)
    learner.beat()
    learner.watch(60)
    learner.close()

    assert raise_flags(day=DAY, now=NIGHT) == 0


def test_a_slow_reader_makes_no_flag(learner: Learner):
    for _ in range(6):
        learner.expect_prompt_after(30)
        learner.watch(30)
        learner.clock.advance(58)
        learner.answer_right()
    learner.close()

    assert raise_flags(day=DAY, now=NIGHT) == 0
    assert Prompt.objects.filter(outcome="right").count() == 6


def test_many_behind_one_address_make_no_flag(django_assert_max_num_queries):
    plan = make_study_plan()
    for number in range(200):
        person = UserFactory()
        make_session(
            person,
            enrol(person, plan),
            code=f"P{number:025}",
            beats=360,
            jitter_ms=360 * 15,
            credited_ms=3_600_000,
        )

    with django_assert_max_num_queries(6):
        assert raise_flags(day=DAY, now=NIGHT) == 0


# --- Closing -----------------------------------------------------------------------------


@pytest.fixture
def flag(owner) -> StudyFlag:
    return StudyFlag.objects.create(
        person=owner,
        kind="marathon",
        day=DAY,
        facts={"credited_ms": 50_000_000},
        found_at=NIGHT,
    )


def close(flag: StudyFlag, actor, note: str = "夜班，已核实", state: str = "normal"):
    return close_flag(flag_id=flag.pk, state=state, note=note, actor=actor, now=NIGHT)


@pytest.mark.parametrize("state", ["normal", "handled"])
def test_staff_close_a_flag_with_a_note(flag: StudyFlag, state: str):
    actor = make_staff("业务")

    close(flag, actor, state=state)

    flag.refresh_from_db()
    assert (flag.state, flag.note) == (state, "夜班，已核实")
    assert (flag.closed_by, flag.closed_at) == (actor, NIGHT)
    assert AuditEntry.objects.get(action="study_flag.closed").actor == actor


def test_a_flag_is_closed_once(flag: StudyFlag):
    close(flag, make_staff("业务"))

    with pytest.raises(FlagClosedError):
        close(flag, make_staff("审核"), note="我也看过", state="handled")

    flag.refresh_from_db()
    assert (flag.state, flag.note) == ("normal", "夜班，已核实")


def test_closing_needs_a_note_and_the_right(flag: StudyFlag):
    with pytest.raises(ReasonMissingError):
        close(flag, make_staff("业务"), note=" ")
    with pytest.raises(DeciderRefusedError):
        close(flag, make_staff("审计"))

    flag.refresh_from_db()
    assert flag.state == StudyFlag.State.OPEN


def test_nobody_closes_their_own(flag: StudyFlag):
    flag.person.is_staff = True
    flag.person.groups.set(make_staff("审核").groups.all())

    with pytest.raises(DeciderRefusedError, match="与本人有关"):
        close(flag, flag.person)

    flag.refresh_from_db()
    assert flag.state == StudyFlag.State.OPEN


def test_what_is_proven_goes_into_the_integrity_record(flag: StudyFlag):
    actor = make_staff("审核")

    prove_flag(flag_id=flag.pk, note="脚本播放，已核实", actor=actor, now=NIGHT)

    flag.refresh_from_db()
    assert (flag.state, flag.closed_by) == ("handled", actor)
    record = IntegrityRecord.objects.get()
    assert (record.person, record.kind) == (flag.person, "cheating")
    assert record.text == "2026-06-15 学习时间过长：脚本播放，已核实"
    assert record.recorded_by == actor
    assert Message.objects.get().template == "integrity_recorded"


def test_a_proven_flag_needs_the_right_and_an_open_flag(flag: StudyFlag):
    with pytest.raises(DeciderRefusedError):
        prove_flag(flag_id=flag.pk, note="脚本", actor=make_staff("业务"), now=NIGHT)
    flag.refresh_from_db()
    assert flag.state == StudyFlag.State.OPEN

    close(flag, make_staff("业务"))
    with pytest.raises(FlagClosedError):
        prove_flag(flag_id=flag.pk, note="脚本", actor=make_staff("审核"), now=NIGHT)

    assert IntegrityRecord.objects.count() == 0
    assert Message.objects.count() == 0


def test_a_learner_of_today_waits_for_tomorrow(learner: Learner, clock: TestClock):
    learner.watch(20)
    learner.close()

    assert raise_flags(day=DAY - timedelta(days=1), now=clock.now) == 0
