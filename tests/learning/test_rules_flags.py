"""Flags: what a machine does, and what no honest learner ever reaches."""

from datetime import timedelta
from random import Random

import pytest

from learning.rules.flags import (
    Answer,
    SessionRhythm,
    Stretch,
    WatchedVideo,
    find_fast_answers,
    find_machine_rhythm,
    find_marathon,
    find_missing_media,
    show_facts,
)
from tests.clock import at

HOUR = 3_600_000
MORNING = at("2026-06-15 08:00")


def test_beats_like_a_clock_are_found():
    machine = SessionRhythm(beats=100, jitter_ms=120)

    facts = find_machine_rhythm([SessionRhythm(200, 90_000), machine])

    assert facts == {"beats": 100, "deviation_us": 1200}
    assert show_facts("rhythm", facts) == "100 次计时，平均偏差 1.2 毫秒"


@pytest.mark.parametrize(
    "session",
    [
        # Too short to tell.
        SessionRhythm(beats=59, jitter_ms=0),
        SessionRhythm(beats=60, jitter_ms=300),
        # The moment between two answers of a quick line.
        SessionRhythm(beats=360, jitter_ms=360 * 12),
    ],
)
def test_a_browsers_beats_are_no_machine(session: SessionRhythm):
    assert find_machine_rhythm([session]) is None


def test_nobody_is_flagged_without_beats():
    assert find_machine_rhythm([]) is None


def test_answers_faster_than_reading():
    fast = [Answer(characters=60, milliseconds=900)] * 5

    facts = find_fast_answers([*fast, Answer(60, 8_000)])

    assert facts == {"fast": 5, "answers": 6, "fastest_ms": 900}
    assert show_facts("fast_answers", facts) == (
        "6 次答题中 5 次快于阅读所需，最快 0.9 秒"
    )


@pytest.mark.parametrize(
    "answers",
    [
        # Four by luck, or by knowing the question.
        [Answer(60, 900)] * 4,
        # Five among many.
        [Answer(60, 900)] * 5 + [Answer(60, 6_000)] * 6,
        # A quick mind at sums: a second and a half for twenty characters.
        [Answer(20, 1_500)] * 30,
        # Slow readers.
        [Answer(60, 55_000)] * 30,
    ],
)
def test_readers_are_no_machine(answers: list[Answer]):
    assert find_fast_answers(answers) is None


def test_credit_without_media():
    videos = [WatchedVideo(600_000, 0), WatchedVideo(600_000, 90_000_000)]

    facts = find_missing_media(videos)

    assert facts == {"videos": 1, "credited_ms": 600_000, "served_bytes": 0}
    assert show_facts("no_media", facts) == "1 个视频计入 10 分钟，仅加载 0 字节"


@pytest.mark.parametrize(
    "video",
    [
        # Another server sends the files: nothing is known.
        WatchedVideo(600_000, None),
        # A minute looked into.
        WatchedVideo(60_000, 0),
        # The poorest quality there is.
        WatchedVideo(600_000, 240_000),
    ],
)
def test_media_that_came_or_is_not_counted(video: WatchedVideo):
    assert find_missing_media([video]) is None


def make_day(*, hours: int, per_hour_ms: int = HOUR, start: int = 0) -> list[Stretch]:
    return [
        Stretch(
            MORNING + timedelta(hours=start + hour),
            MORNING + timedelta(hours=start + hour + 1),
            per_hour_ms,
        )
        for hour in range(hours)
    ]


def test_thirteen_hours_in_a_day():
    facts = find_marathon(make_day(hours=13), since=MORNING)

    assert facts == {"credited_ms": 13 * HOUR}
    assert show_facts("marathon", facts) == "24 小时内计入 13.0 小时"


def test_a_night_between_two_days_does_not_hide_it():
    facts = find_marathon(
        [*make_day(hours=7), *make_day(hours=7, start=16)], since=MORNING
    )

    assert facts == {"credited_ms": 14 * HOUR}


@pytest.mark.parametrize(
    "stretches",
    [
        [],
        make_day(hours=12),
        # A whole day in front of the player with long pauses.
        make_day(hours=20, per_hour_ms=HOUR // 2),
        # Twelve hours on one day and on the next.
        [*make_day(hours=12), *make_day(hours=12, start=24)],
    ],
)
def test_long_days_that_are_possible(stretches: list[Stretch]):
    shuffled = list(stretches)
    Random(1).shuffle(shuffled)

    assert find_marathon(shuffled, since=MORNING) is None


def test_what_ended_the_day_before_was_looked_at_then():
    days = [*make_day(hours=13), *make_day(hours=1, start=24)]
    midnight = at("2026-06-16 00:00")

    assert find_marathon(days, since=MORNING) == {"credited_ms": 13 * HOUR}
    # From nine of the first morning to nine of the second: twelve hours and one.
    assert find_marathon(days, since=midnight) == {"credited_ms": 13 * HOUR}
    assert find_marathon(days[:-1], since=midnight) is None
