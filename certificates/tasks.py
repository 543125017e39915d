"""Wake-up calls for papers; the rows say what is to be done."""

from celery import shared_task
from django.utils import timezone

from certificates import services

# A worker makes about twenty a second; the next sweep comes in ten seconds.
ISSUES_PER_SWEEP = 200


@shared_task
def render_issue(issue_id: int, **_kwargs: object) -> None:
    """Make the paper of one issue."""
    services.render_issue(issue_id=issue_id, now=timezone.now())


@shared_task
def render_waiting_issues(**_kwargs: object) -> None:
    """Find issues whose wake-up call was lost or whose worker was killed.

    Each gets a task of its own: one that fails does not hold up the others.
    """
    waiting = services.claim_waiting_issues(now=timezone.now(), limit=ISSUES_PER_SWEEP)
    for issue_id in waiting:
        render_issue.delay(issue_id)
