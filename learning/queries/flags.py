"""What the flags rest on: a day of many people, read in few queries."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone

from catalog.queries import read_served_bytes
from learning.models import CreditedTime, PlaySession, Prompt
from learning.rules.flags import (
    DAY,
    MEDIA_LEAST_MS,
    Answer,
    SessionRhythm,
    Stretch,
    WatchedVideo,
)

PEOPLE_AT_ONCE = 500


@dataclass
class LearnersDay:
    """What one person did on one day, as the rules of the flags take it.

    The stretches reach back as long as the longest stretch of 24 hours that ends that day.
    """

    rhythms: list[SessionRhythm] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    videos: list[WatchedVideo] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Midnight to midnight in the portal's time zone."""
    start = timezone.make_aware(datetime.combine(day, time.min))
    return start, start + timedelta(days=1)


def list_learners_of_day(day: date) -> Iterator[list[int]]:
    """Ids of those with a session that ended on the day, a few hundred at once."""
    start, end = day_bounds(day)
    people = (
        PlaySession.objects.filter(ended_at__gte=start, ended_at__lt=end)
        .order_by("person_id")
        .values_list("person_id", flat=True)
        .distinct()
    )
    last = 0
    while ids := list(people.filter(person_id__gt=last)[:PEOPLE_AT_ONCE]):
        yield ids
        last = ids[-1]


def read_days(person_ids: Sequence[int], day: date) -> dict[int, LearnersDay]:
    """The day of each of these people; three queries, and the cache for the bytes served."""
    start, end = day_bounds(day)
    days: dict[int, LearnersDay] = defaultdict(LearnersDay)
    watched: dict[int, Counter[int]] = defaultdict(Counter)
    sessions = PlaySession.objects.filter(
        person__in=person_ids, ended_at__gte=start, ended_at__lt=end
    )
    for person_id, video_id, credited_ms, beats, jitter_ms in sessions.values_list(
        "person_id", "chapter__video_id", "credited_ms", "beats", "jitter_ms"
    ):
        days[person_id].rhythms.append(SessionRhythm(beats, jitter_ms))
        if video_id is not None:
            watched[person_id][video_id] += credited_ms
    for person_id, videos in watched.items():
        days[person_id].videos = [
            WatchedVideo(credited_ms, read_served_bytes(person_id, video_id))
            for video_id, credited_ms in videos.items()
            if credited_ms >= MEDIA_LEAST_MS
        ]
    answered = Prompt.objects.filter(
        Q(outcome=Prompt.Outcome.RIGHT) | Q(outcome=Prompt.Outcome.WRONG),
        person__in=person_ids,
        closed_at__gte=start,
        closed_at__lt=end,
    )
    for prompt in answered.only(
        "person_id", "stem", "options", "issued_at", "closed_at"
    ):
        days[prompt.person_id].answers.append(describe_answer(prompt))
    credited = CreditedTime.objects.filter(
        enrolment__person__in=person_ids, last_at__gte=start - DAY, last_at__lt=end
    )
    for person_id, first_at, last_at, milliseconds in credited.values_list(
        "enrolment__person_id", "first_at", "last_at", "milliseconds"
    ):
        days[person_id].stretches.append(Stretch(first_at, last_at, milliseconds))
    return days


def describe_answer(prompt: Prompt) -> Answer:
    """An answered question as it was read: from its issue, for its way takes time as well."""
    characters = len(prompt.stem) + sum(len(text) for _, text in prompt.options)
    taken = (prompt.closed_at or prompt.issued_at) - prompt.issued_at
    return Answer(characters, taken // timedelta(milliseconds=1))
