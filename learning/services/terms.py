"""The figures of the ledger, from the settings."""

from django.conf import settings

from learning.rules.credit import Terms

PROMPT_TRIES = 3


def read_terms() -> Terms:
    """The terms of `settings.LEARNING`, in milliseconds."""
    learning = settings.LEARNING
    shortest, longest = learning["prompt_after_seconds"]
    first = learning["first_prompt_seconds"]
    return Terms(
        beat_ms=learning["beat_seconds"] * 1000,
        tolerance_ms=learning["tolerance_seconds"] * 1000,
        prompt_after_ms=(shortest * 1000, longest * 1000),
        first_prompt_ms=first * 1000 or None,
        prompt_answer_ms=learning["prompt_answer_seconds"] * 1000,
        prompt_tries=PROMPT_TRIES,
        prompt_hold_ms=learning["prompt_hold_seconds"] * 1000,
        idle_ms=learning["idle_seconds"] * 1000,
    )
