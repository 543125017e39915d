"""Claims that end by themselves: the account was closed, or their time is over."""

from collections.abc import Sequence
from datetime import datetime

from accounts.errors import RequestStateError
from accounts.rules.decisions import PROOF_AGE
from orders.models import Claim
from orders.queries.claims import (
    list_claim_ids_of_closed_accounts,
    list_claims_to_forget,
)
from orders.rules.claims import APPROVED_KEPT
from orders.services.claims.filing import withdraw_claim

State = Claim.State
# Each goes through the table in small transactions.
AT_ONCE = 200


def withdraw_claims_of_closed_accounts(*, now: datetime) -> int:
    """End what people who have closed their account had asked for; how many.

    Accounts know nothing of claims, so this is looked for; until it is found, an approval is
    refused because the account is closed.
    """
    count = 0
    for claim_id in list_claim_ids_of_closed_accounts(limit=AT_ONCE):
        try:
            withdraw_claim(claim_id=claim_id, actor=None, now=now)
        except RequestStateError:
            # Decided since the list was read.
            continue
        count += 1
    return count


def forget_old_claims(*, now: datetime) -> int:
    """Delete what decided claims state, with their proofs' time; how many.

    Which claim it was, when and how it was decided stays, and so does the integrity record.
    """
    others = [State.REFUSED, State.WITHDRAWN, State.RETURNED]
    return _forget([State.APPROVED], before=now - APPROVED_KEPT) + _forget(
        others, before=now - PROOF_AGE
    )


def _forget(states: Sequence[str], *, before: datetime) -> int:
    old = list_claims_to_forget(states=states, before=before)
    keys = list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    # What was sent again since the list was read is old no more.
    return old.filter(pk__in=keys).update(wanted_cipher=b"")
