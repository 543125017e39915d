"""The trace of a person's day, as a picture and as tables, beside what staff decide."""

from datetime import MAXYEAR, MINYEAR, date, datetime
from typing import Any

from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.admin.base import get_region_scope
from accounts.models import User
from learning.models import PlaySession, Prompt
from learning.queries.trace import Trace, read_trace
from learning.rules.durations import show_time
from learning.rules.timeline import Bar, Lane, Mark, draw_timeline, find_window

SIGNS = {
    Prompt.Outcome.RIGHT: "✓",
    Prompt.Outcome.WRONG: "✗",
    Prompt.Outcome.EXPIRED: "超",
}


def find_person_in_scope(request: HttpRequest, code: str) -> User:
    """The account, if it lies within the regions that bind the member of the staff.

    Raises Http404.
    """
    people = User.objects.filter(code=code)
    scope = get_region_scope(request)
    if scope is not None:
        people = people.filter(profile__region__in=scope)
    person = people.first()
    if person is None:
        raise Http404
    return person


def read_day(text: str) -> date:
    """The day that an address names.

    Raises Http404, also at the ends of the calendar, where no midnight can be reckoned.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Http404 from error
    if not MINYEAR < day.year < MAXYEAR:
        raise Http404
    return day


def describe_trace(person: User, day: date) -> dict[str, Any]:
    """What `admin/learning/_trace.html` shows."""
    trace = read_trace(person, day)
    return {"trace": trace, "picture": draw_trace(trace, timezone.now())}


def draw_trace(trace: Trace, now: datetime) -> SafeString:
    """The picture of the day; every word in it is escaped where it is drawn."""
    moments = [
        moment
        for session in trace.sessions
        for moment in (session.opened_at, session.ended_at or now)
    ]
    moments += [moment for row in trace.credited for moment in _ends(row)]
    moments += [moment for row in trace.refused for moment in _ends(row)]
    within = [_local(min(max(each, trace.start), trace.end)) for each in moments]
    title = f"{trace.person.name} {trace.day:%Y-%m-%d} 学习轨迹"
    window = find_window(within, _local(trace.start))
    return SafeString(draw_timeline(title, window, list_lanes(trace, now)))


def list_lanes(trace: Trace, now: datetime) -> list[Lane]:
    """The day as lanes: sessions, what counted, what did not, questions, takeovers."""
    sessions = [
        Bar(
            _local(session.opened_at),
            _local(session.ended_at or now),
            f"{session.chapter.title} {session.get_end_display() or '学习中'}",
        )
        for session in trace.sessions
    ]
    takeovers = [
        Mark(_local(session.ended_at), "▲", session.get_end_display())
        for session in trace.sessions
        if session.end == PlaySession.End.TAKEN_OVER
        and session.ended_at
        and session.ended_at < trace.end
    ]
    prompts = [
        Mark(
            _local(prompt.issued_at),
            SIGNS.get(Prompt.Outcome(prompt.outcome), "?") if prompt.outcome else "?",
            f"{prompt.stem} {prompt.get_outcome_display() or '待答'}",
        )
        for prompt in trace.prompts
    ]
    return [
        Lane("学习会话", "#8a8f98", sessions),
        Lane("已计入", "#2b8a5b", [_bar(row, row.label) for row in trace.credited]),
        Lane(
            "未计入",
            "#c0392b",
            [_bar(row, row.get_reason_display()) for row in trace.refused],
        ),
        Lane("答题", "#1f5fa8", prompts),
        Lane("接替", "#8a5a00", takeovers),
    ]


def _bar(row: Any, label: str) -> Bar:
    return Bar(
        _local(row.first_at),
        _local(row.last_at),
        f"{label} {show_time(row.milliseconds)}",
    )


def _ends(row: Any) -> tuple[datetime, datetime]:
    return row.first_at, row.last_at


def _local(moment: datetime) -> datetime:
    return timezone.localtime(moment)
