from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from learning.models import PersonClock, PlaySession
from learning.tasks import close_idle_sessions


def test_the_sweep_ends_sessions_that_fell_silent(learner):
    PersonClock.objects.update(last_beat_at=timezone.now() - timedelta(hours=1))

    close_idle_sessions.delay()

    assert PlaySession.objects.get().end == PlaySession.End.IDLE


def test_beat_calls_the_task_by_its_name():
    tasks = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert close_idle_sessions.name in tasks
