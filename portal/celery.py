"""The Celery application: tasks are acknowledged late, taken one by one, limited in time.

A message is a wake-up call. What must not be lost is a row, and the periodic sweeps of
`settings.CELERY_BEAT_SCHEDULE` find what no message told of.
"""

import os
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask
from celery.signals import setup_logging
from django.conf import settings
from django.db import transaction

from portal.broker import URL_SCHEME
from portal.wake_ups import WakeUps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

# The longest task renders one certificate or reads one sheet. A limit of ten minutes frees a
# worker that hangs; the sweep brings the work back.
TASK_LIMIT_SECONDS = 600
# Redis hands a message out again after this time: it has to outlast the longest task.
VISIBILITY_SECONDS = 3 * TASK_LIMIT_SECONDS
CONNECT_SECONDS = 2


class WakeUpTask(DjangoTask):
    """A task whose `delay_on_commit` never harms the request that committed.

    Plain `on_commit` would raise after the commit while the broker is down: the work is done,
    the visitor reads of a failure. `robust` logs the error instead, and the sweep finds the row.
    Nor does it wait for a dead broker: see `portal.wake_ups`.
    """

    abstract = True

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:
        """Send the task once the surrounding transaction has committed."""

        # A function, not a partial: Django names it in the log by its __qualname__.
        def send() -> None:
            if self.app.conf.task_always_eager:
                self.delay(*args, **kwargs)
            else:
                wake_ups.send(self, args, kwargs)

        transaction.on_commit(send, robust=True)


app = Celery("portal", task_cls=WakeUpTask)
wake_ups = WakeUps(app)
app.config_from_object("django.conf:settings", namespace="CELERY")
embedded = settings.CELERY_BROKER_URL.startswith(URL_SCHEME)
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=CONNECT_SECONDS,
    broker_transport_options=(
        {"folder": str(settings.BROKER_FOLDER)}
        if embedded
        else {
            "visibility_timeout": VISIBILITY_SECONDS,
            "socket_connect_timeout": CONNECT_SECONDS,
        }
    ),
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_soft_time_limit=TASK_LIMIT_SECONDS - 60,
    task_time_limit=TASK_LIMIT_SECONDS,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    # The folder has no fan-out, which remote control needs.
    worker_enable_remote_control=not embedded,
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    worker_redirect_stdouts=False,
    beat_schedule_filename=str(settings.VAR_DIR / "celerybeat-schedule"),
    beat_sync_every=1,
)
app.autodiscover_tasks()


@setup_logging.connect
def keep_logging(**_kwargs: Any) -> None:
    """Leave the logging of portal.logs alone; Celery configures its own without a listener."""
