"""The trace of a person's day: what staff look at before they decide."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from catalog.queries import read_served_bytes
from learning.models import (
    CreditDecision,
    CreditedTime,
    Enrolment,
    PlaySession,
    Prompt,
    RefusedTime,
    StudyFlag,
)
from learning.queries.flags import day_bounds


@dataclass(frozen=True)
class ServedVideo:
    """A video of the day, and how much of it was sent to the person so far.

    `bytes` is None where nobody counts them.
    """

    title: str
    bytes: int | None


@dataclass(frozen=True)
class Trace:
    """A person's day: everything that touched it, each kind in the order of time.

    `day_before` and `day_after` are the nearest days on which the player was opened.
    """

    person: User
    day: date
    start: datetime
    end: datetime
    sessions: list[PlaySession]
    credited: list[CreditedTime]
    refused: list[RefusedTime]
    prompts: list[Prompt]
    videos: list[ServedVideo]
    decisions: list[CreditDecision]
    flags: list[StudyFlag]
    day_before: date | None
    day_after: date | None


def read_trace(person: User, day: date) -> Trace:
    """Nine queries, and the cache for the bytes served."""
    start, end = day_bounds(day)
    within = {"first_at__lt": end, "last_at__gte": start}
    own = {"enrolment__person": person}
    places = ("chapter__course", "enrolment__plan")
    opened = PlaySession.objects.filter(person=person)
    sessions = list(
        opened.filter(
            Q(ended_at__isnull=True) | Q(ended_at__gte=start), opened_at__lt=end
        )
        .select_related(*places)
        .order_by("opened_at", "pk")
    )
    credited = CreditedTime.objects.filter(**own, **within)
    refused = RefusedTime.objects.filter(**own, **within)
    prompts = Prompt.objects.filter(
        person=person, issued_at__gte=start, issued_at__lt=end
    )
    decisions = CreditDecision.objects.filter(
        Q(appeal__stretch__first_at__lt=end, appeal__stretch__last_at__gte=start)
        | Q(corrected__first_at__lt=end, corrected__last_at__gte=start),
        **own,
    )
    return Trace(
        person=person,
        day=day,
        start=start,
        end=end,
        sessions=sessions,
        credited=list(
            credited.select_related(*places, "correction").order_by("first_at", "pk")
        ),
        refused=list(
            refused.select_related(*places, "appeal").order_by("first_at", "pk")
        ),
        prompts=list(prompts.order_by("issued_at", "pk")),
        videos=_list_served(person, sessions),
        decisions=list(
            decisions.select_related("actor", "chapter").order_by("at", "pk")
        ),
        flags=list(person.study_flags.filter(day=day).order_by("kind")),
        day_before=_find_day(opened.filter(opened_at__lt=start).order_by("-opened_at")),
        day_after=_find_day(opened.filter(opened_at__gte=end).order_by("opened_at")),
    )


def find_last_day(enrolment: Enrolment) -> date | None:
    """The last day on which the player was opened for the plan."""
    opened = PlaySession.objects.filter(enrolment=enrolment)
    return _find_day(opened.order_by("-opened_at"))


def _find_day(opened: QuerySet[PlaySession]) -> date | None:
    moment = opened.values_list("opened_at", flat=True).first()
    return timezone.localtime(moment).date() if moment else None


def _list_served(person: User, sessions: list[PlaySession]) -> list[ServedVideo]:
    titles = {
        session.chapter.video_id: session.chapter.title
        for session in sessions
        if session.chapter.video_id is not None
    }
    return [
        ServedVideo(title, read_served_bytes(person.pk, video_id))
        for video_id, title in titles.items()
    ]
