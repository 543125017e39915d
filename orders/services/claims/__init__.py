"""Claims on payments to former platforms: handed in, decided by two, forgotten in time."""

from orders.services.claims.checks import check_plan
from orders.services.claims.deciding import (
    DECIDE,
    approve_claim,
    has_right,
    refuse_claim,
    refuse_without_right,
    return_claim,
)
from orders.services.claims.filing import (
    draft_letter,
    file_claim,
    resend_claim,
    sign_letter,
    take_claim_try,
    withdraw_claim,
)
from orders.services.claims.leaving import (
    forget_old_claims,
    withdraw_claims_of_closed_accounts,
)

__all__ = [
    "DECIDE",
    "approve_claim",
    "check_plan",
    "draft_letter",
    "file_claim",
    "forget_old_claims",
    "has_right",
    "refuse_claim",
    "refuse_without_right",
    "resend_claim",
    "return_claim",
    "sign_letter",
    "take_claim_try",
    "withdraw_claim",
    "withdraw_claims_of_closed_accounts",
]
