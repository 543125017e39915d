"""What a plan costs from a day on."""

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services.audit import record_audit
from catalog import locks
from catalog.models import PlanPrice, Pricing
from catalog.rules import refuse_price


@transaction.atomic
def set_plan_price(
    *,
    plan_id: int,
    valid_from: date,
    pricing: str,
    unit_price_fen: int,
    reason: str,
    actor: User | None,
    now: datetime,
) -> PlanPrice:
    """Say what a plan costs from a day on; what was ordered before keeps its price.

    Raises PriceRefusedError.
    """
    plan = locks.lock_plan(plan_id)
    refuse_price(
        valid_from=valid_from,
        unit_price_fen=unit_price_fen,
        is_published=plan.is_published,
        today=timezone.localdate(now),
    )
    price = PlanPrice.objects.create(
        plan=plan,
        valid_from=valid_from,
        pricing=Pricing(pricing),
        unit_price_fen=unit_price_fen,
        reason=reason,
        set_by=actor,
        set_at=now,
    )
    record_audit(
        action="catalog.price_set",
        target=f"plan:{plan.code}",
        actor=actor,
        now=now,
        detail={
            "valid_from": valid_from.isoformat(),
            "pricing": price.pricing,
            "unit_price_fen": unit_price_fen,
            "reason": reason,
        },
    )
    return price
