"""Claims made by the services, and the plans they are for."""

from datetime import datetime
from typing import Any

from accounts.models import User
from catalog.models import Plan
from orders.models import Claim
from orders.services.claims import approve_claim, file_claim
from tests.factories.orders import make_endless_plan
from tests.factories.requests import make_proofs

VOUCHER = {
    "order_number": "GX-2019-0001",
    "payer": "赵一",
    "paid_on": "2019-06-30",
    "amount_fen": "3300",
    "platform": "原公需科目学习网",
}
LETTER = {"paid_on": "2019-06-30", "reason": "原平台已关闭"}


def make_past_plan(**fields: object) -> Plan:
    """The plan of 2019, open for make-up at any time, which a former payment opens."""
    known = {
        "year": 2019,
        "title": "2019年公需科目",
        "accepts_claims": True,
        "pricing": Plan.Pricing.FLAT,
        "unit_price_fen": 3300,
    }
    return make_endless_plan(**(known | fields))


def file_voucher(
    person: User,
    plan: Plan,
    *,
    now: datetime,
    actor: User | None = None,
    **wanted: str,
) -> Claim:
    return file_claim(
        kind=Claim.Kind.VOUCHER,
        person=person,
        plan=plan,
        wanted=VOUCHER | wanted,
        proofs=make_proofs(),
        actor=actor or person,
        now=now,
    )


def file_commitment(
    person: User, plan: Plan, *, now: datetime, actor: User | None = None
) -> Claim:
    return file_claim(
        kind=Claim.Kind.COMMITMENT,
        person=person,
        plan=plan,
        wanted=LETTER,
        proofs=[],
        actor=actor or person,
        now=now,
    )


def approve(claim: Claim, actor: User, *, now: datetime, **known: Any) -> Claim:
    """Approve what is there now; the second of two opens the plan."""
    claim.refresh_from_db()
    values: dict[str, Any] = {"seen_version": claim.version} | known
    return approve_claim(claim_id=claim.pk, actor=actor, now=now, **values)
