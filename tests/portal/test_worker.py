import pytest
from django.core.cache import cache

from portal.celery import app
from portal.tasks import WORKER_SEEN_KEY, mark_worker_seen
from tests.conftest import wait_for_cache

pytestmark = pytest.mark.worker


def test_a_real_worker_takes_a_task_from_the_real_broker(celery_worker_process):
    cache.delete(WORKER_SEEN_KEY)

    mark_worker_seen.delay()

    assert wait_for_cache(WORKER_SEEN_KEY, celery_worker_process) is not None


def test_tasks_are_eager_again_afterwards():
    assert app.conf.task_always_eager is True
