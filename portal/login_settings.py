"""How long logins last, read from the environment."""

from datetime import timedelta

import environ


def read_session_limits(env: environ.Env) -> dict[str, dict[str, timedelta]]:
    """For learners and staff: after how long unused a login ends (`idle`), and at all (`total`)."""
    return {
        "learner": {
            "idle": timedelta(minutes=env.int("LEARNER_IDLE_MINUTES", default=12 * 60)),
            "total": timedelta(hours=env.int("LEARNER_SESSION_HOURS", default=14 * 24)),
        },
        "staff": {
            "idle": timedelta(minutes=env.int("STAFF_IDLE_MINUTES", default=30)),
            "total": timedelta(hours=env.int("STAFF_SESSION_HOURS", default=12)),
        },
    }
