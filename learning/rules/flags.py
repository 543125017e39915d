"""What looks unlike a person who learns. A flag asks staff to look; it never blocks.

Each rule says in figures what an honest learner does not reach: not one on a bad line, who
reads slowly, or who shares an address with two hundred others (addresses are never read).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# A browser's timer and a line together miss a beat's second by more than this, on average.
RHYTHM_BEATS = 60
RHYTHM_MS = 5
# Nobody reads faster: four times what a quick reader does, after the time to see and to press.
READ_MS = 30
REACT_MS = 400
FAST_ANSWERS = 5
# A tenth of the poorest sound that can be listened to.
BYTES_PER_SECOND = 400
MEDIA_LEAST_MS = 5 * 60_000
DAY = timedelta(hours=24)
MARATHON_MS = 12 * 3_600_000


@dataclass(frozen=True)
class SessionRhythm:
    """A session's beats, and the sum of how far each was off its period (milliseconds)."""

    beats: int
    jitter_ms: int


@dataclass(frozen=True)
class Answer:
    """A question that was answered: what there was to read, and how long it took."""

    characters: int
    milliseconds: int


@dataclass(frozen=True)
class WatchedVideo:
    """A video's credit, and the bytes of it served to the person; None: not counted."""

    credited_ms: int
    served_bytes: int | None


@dataclass(frozen=True)
class Stretch:
    """Credited time by the clock."""

    first_at: datetime
    last_at: datetime
    milliseconds: int


Facts = dict[str, int]


def find_machine_rhythm(sessions: Iterable[SessionRhythm]) -> Facts | None:
    """The steadiest long session, if its beats came like those of a machine."""
    steady = [
        (session.jitter_ms / session.beats, session.beats)
        for session in sessions
        if session.beats >= RHYTHM_BEATS
    ]
    if not steady or min(steady)[0] >= RHYTHM_MS:
        return None
    deviation, beats = min(steady)
    return {"beats": beats, "deviation_us": round(deviation * 1000)}


def find_fast_answers(answers: Sequence[Answer]) -> Facts | None:
    """Answers given sooner than the question can be read, if they are many and the rule."""
    fast = [
        answer
        for answer in answers
        if answer.milliseconds < REACT_MS + READ_MS * answer.characters
    ]
    if len(fast) < FAST_ANSWERS or 2 * len(fast) < len(answers):
        return None
    fastest = min(answer.milliseconds for answer in fast)
    return {"fast": len(fast), "answers": len(answers), "fastest_ms": fastest}


def find_missing_media(videos: Iterable[WatchedVideo]) -> Facts | None:
    """Credit for videos of which next to nothing was ever sent to the person."""
    missing = [
        (video.credited_ms, video.served_bytes)
        for video in videos
        if video.served_bytes is not None
        and video.credited_ms >= MEDIA_LEAST_MS
        and video.served_bytes * 1000 < BYTES_PER_SECOND * video.credited_ms
    ]
    if not missing:
        return None
    return {
        "videos": len(missing),
        "credited_ms": sum(credited for credited, _ in missing),
        "served_bytes": sum(served for _, served in missing),
    }


def find_marathon(stretches: Iterable[Stretch], *, since: datetime) -> Facts | None:
    """The most that was credited within any 24 hours that end after `since`, if it is more
    than a day of learning; what ended before has been looked at on its own day."""
    ordered = sorted(stretches, key=lambda stretch: stretch.last_at)
    most = total = first = 0
    for stretch in ordered:
        total += stretch.milliseconds
        while stretch.last_at - ordered[first].first_at > DAY:
            total -= ordered[first].milliseconds
            first += 1
        if stretch.last_at >= since:
            most = max(most, total)
    return {"credited_ms": most} if most > MARATHON_MS else None


def show_facts(kind: str, facts: Facts) -> str:
    """The figures of a flag in words for staff."""
    if kind == "rhythm":
        deviation = facts["deviation_us"] / 1000
        return f"{facts['beats']} 次计时，平均偏差 {deviation:.1f} 毫秒"
    if kind == "fast_answers":
        fastest = facts["fastest_ms"] / 1000
        return (
            f"{facts['answers']} 次答题中 {facts['fast']} 次快于阅读所需，"
            f"最快 {fastest:.1f} 秒"
        )
    if kind == "no_media":
        minutes = facts["credited_ms"] // 60_000
        return (
            f"{facts['videos']} 个视频计入 {minutes} 分钟，"
            f"仅加载 {facts['served_bytes']:,} 字节"
        )
    return f"24 小时内计入 {facts['credited_ms'] / 3_600_000:.1f} 小时"
