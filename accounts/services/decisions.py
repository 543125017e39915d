"""Steps common to requests and to whatever else staff decide on proofs.

The caller holds the row's lock, and writes the history and the audit of its own kind.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.errors import RequestMovedError, RequestRefusedError
from accounts.models import User
from accounts.models.decisions import DecidedPaper
from accounts.queries.requests import find_request_due_date
from accounts.rules.decisions import (
    FIRST_APPROVED,
    OPEN,
    WITHDRAWN,
    refuse_decider,
    refuse_unless_waiting,
)
from accounts.services.files import delete_private_file
from accounts.services.proofs import Proof, store_proofs


def check_decider(paper: DecidedPaper, *, seen_version: int, actor: User) -> None:
    """Let `actor` decide what they have seen.

    Raises `DeciderRefusedError`, `RequestStateError`, and `RequestMovedError` when it is not
    what they looked at.
    """
    refuse_decider(paper.standing, actor.pk)
    refuse_unless_waiting(paper.standing)
    if paper.version != seen_version:
        raise RequestMovedError


def mark_first_approval(paper: DecidedPaper, *, actor: User) -> None:
    """The first of two has approved; saved."""
    paper.state = FIRST_APPROVED
    paper.first_decider = actor
    paper.version += 1
    paper.save()


def mark_approver(paper: DecidedPaper, *, actor: User) -> None:
    """Note who approves for good, as the first or the second; saving is the caller's."""
    if paper.first_decider_id is None:
        paper.first_decider = actor
    else:
        paper.second_decider = actor


def mark_decided(
    paper: DecidedPaper, state: str, *, proofs_kept: timedelta, now: datetime
) -> None:
    """The decision has fallen: its time, and how long the proofs stay; saved."""
    paper.state = state
    paper.decided_at = now
    paper.version += 1
    paper.save()
    paper.files.update(expires_at=now + proofs_kept)


def mark_resent(paper: DecidedPaper, *, now: datetime) -> None:
    """Returned and handed in again: everything about the decision begins anew; saved.

    `filed_by` stays: of what staff entered the proofs may still be theirs, so that they
    decide nothing about it.
    """
    paper.state = OPEN
    paper.version += 1
    paper.filed_at = now
    paper.due_date = find_request_due_date(now=now)
    paper.first_decider = None
    paper.decided_at = None
    paper.save()


def mark_withdrawn(paper: DecidedPaper, *, now: datetime) -> None:
    """Taken back by the person; the proofs are deleted at once."""
    paper.state = WITHDRAWN
    paper.version += 1
    paper.decided_at = now
    paper.save(update_fields=["state", "version", "decided_at"])
    for file in paper.files.order_by("pk"):
        delete_private_file(file=file)


def replace_proofs(
    paper: DecidedPaper, proofs: Sequence[Proof], *, person: User, now: datetime
) -> None:
    """Put new proofs in the place of the old; without new ones the old stay.

    Raises `RequestRefusedError` when there are none left.
    """
    if proofs:
        for file in paper.files.order_by("pk"):
            delete_private_file(file=file)
        paper.files.set(store_proofs(proofs, owner=person, now=now))
        return
    if not paper.files.exists():
        raise RequestRefusedError("证明材料已到期删除，请重新上传。")
    paper.files.update(expires_at=None)
