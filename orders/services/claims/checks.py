"""What stands in the way of a claim, and the notes that every step leaves."""

from datetime import datetime

from django.utils import timezone

from accounts.models import User
from accounts.services.audit import record_audit
from catalog.models import Plan
from learning.queries import find_enrolment
from orders.errors import ClaimRefusedError
from orders.models import Claim, ClaimEvent
from orders.queries import find_live_line
from orders.rules.claims import refuse_year


def check_plan(*, person: User, plan: Plan, now: datetime) -> None:
    """Raise `ClaimRefusedError` when the plan cannot be opened for the person: not by a
    claim, not any more, or because they hold it or are buying it."""
    today = timezone.localdate(now)
    refuse_year(
        year=plan.year,
        accepts_claims=plan.accepts_claims and plan.is_published,
        today=today,
    )
    if not plan.is_open_for_study(today):
        raise ClaimRefusedError("该年度的补学已结束，不能受理。")
    if person.state == User.State.CLOSED:
        raise ClaimRefusedError("该账号已注销，不能办理。")
    if find_enrolment(person.pk, plan.pk) is not None:
        raise ClaimRefusedError("该学习计划已开通，无需提交缴费凭证。")
    if find_live_line(person.pk, plan.pk) is not None:
        raise ClaimRefusedError("该学习计划已有订单，请先取消订单或联系在线客服。")


def write_event(
    claim: Claim, kind: str, *, actor: User | None, now: datetime, reason: str = ""
) -> None:
    """Note a step in the history that the person reads."""
    ClaimEvent.objects.create(
        claim=claim, kind=kind, actor=actor, reason=reason, at=now
    )


def record(action: str, claim: Claim, *, actor: User | None, now: datetime) -> None:
    """Note a step in the audit; last in the transaction."""
    record_audit(
        action=f"claim.{action}",
        target=f"claim:{claim.code}",
        actor=actor,
        now=now,
        detail={"kind": claim.kind, "plan": claim.plan.code},
    )
