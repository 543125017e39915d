"""The periodic tasks exist under the names by which beat calls them."""

from django.conf import settings

from portal.celery import app


def test_beat_calls_tasks_that_exist():
    app.loader.import_default_modules()
    called = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert called - set(app.tasks) == set()


def test_tasks_are_acknowledged_late_and_limited():
    assert app.conf.task_acks_late is True
    assert app.conf.task_reject_on_worker_lost is True
    assert app.conf.worker_prefetch_multiplier == 1
    assert 0 < app.conf.task_soft_time_limit < app.conf.task_time_limit


def test_redis_waits_longer_than_the_longest_task(monkeypatch):
    from portal import celery  # noqa: PLC0415 - beside the application of the same name

    assert celery.VISIBILITY_SECONDS > celery.TASK_LIMIT_SECONDS
