from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from learning.models import PersonClock, PlaySession, StudyFlag
from learning.tasks import close_idle_sessions, forget_old_appeals, raise_flags


def test_the_sweep_ends_sessions_that_fell_silent(learner):
    PersonClock.objects.update(last_beat_at=timezone.now() - timedelta(hours=1))

    close_idle_sessions.delay()

    assert PlaySession.objects.get().end == PlaySession.End.IDLE


def test_beat_calls_the_task_by_its_name():
    tasks = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert {
        close_idle_sessions.name,
        raise_flags.name,
        forget_old_appeals.name,
    } <= tasks


def test_yesterday_is_looked_at(learner):
    ended = timezone.now() - timedelta(days=1)
    PlaySession.objects.update(
        beats=300,
        jitter_ms=0,
        opened_at=ended,
        ended_at=ended,
        end=PlaySession.End.CLOSED,
    )

    raise_flags.delay()

    flag = StudyFlag.objects.get()
    assert flag.kind == StudyFlag.Kind.RHYTHM
    assert flag.day == timezone.localdate(ended)
