"""What staff decide by one or by two: which states follow on which, and who may decide."""

from dataclasses import dataclass
from datetime import timedelta

from accounts.errors import DeciderRefusedError, RequestStateError

OPEN = "open"
FIRST_APPROVED = "first_approved"
APPROVED = "approved"
RETURNED = "returned"
REFUSED = "refused"
WITHDRAWN = "withdrawn"

WAITING = (OPEN, FIRST_APPROVED)
# What the person can still do something about.
UNFINISHED = (*WAITING, RETURNED)

# The notices promise an answer within three working days.
WORKING_DAYS = 3
# Pictures of identity cards are kept as long as a decision may still be questioned.
PROOF_AGE = timedelta(days=90)


@dataclass(frozen=True)
class Standing:
    """Where something stands that staff decide, as far as it matters for who may; people by
    their keys."""

    state: str
    by_two: bool
    person: int | None = None
    filed_by: int | None = None
    first_decider: int | None = None


def state_after_approval(standing: Standing) -> str:
    """The state that one more approval leads to. Raises `RequestStateError`."""
    refuse_unless_waiting(standing)
    if standing.by_two and standing.state == OPEN:
        return FIRST_APPROVED
    return APPROVED


def refuse_unless_waiting(standing: Standing) -> None:
    """Raise `RequestStateError` unless it waits for staff."""
    if standing.state not in WAITING:
        raise RequestStateError


def refuse_decider(standing: Standing, decider: int) -> None:
    """Raise `DeciderRefusedError` for somebody who has a part in it themselves."""
    if decider == standing.person:
        raise DeciderRefusedError("不能审批与本人有关的申请。")
    if decider == standing.filed_by:
        raise DeciderRefusedError("该申请由您登记，请由其他工作人员审批。")


def refuse_second_approver(standing: Standing, decider: int) -> None:
    """Raise `DeciderRefusedError` for the one who approved already."""
    if standing.state == FIRST_APPROVED and decider == standing.first_decider:
        raise DeciderRefusedError("您已完成初审，须由另一名工作人员复核。")
