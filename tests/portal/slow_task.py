"""A task for the crash tests, loaded by the worker they start."""

import os
import time
from pathlib import Path

from celery import shared_task


@shared_task
def note_start_and_linger(folder: str) -> None:
    """Note this run's process; the first run then takes long enough to be killed."""
    runs = len(list(Path(folder).glob("run-*")))
    (Path(folder) / f"run-{runs}-{os.getpid()}").touch()
    if runs == 0:
        time.sleep(60)
    (Path(folder) / "finished").touch()
