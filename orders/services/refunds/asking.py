"""Asking for money back: what can be had, the buyer's wish, a refund that staff begin."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import record_audit
from orders.errors import (
    CodesTakenError,
    ReasonMissingError,
    RefundRefusedError,
    SamePersonError,
)
from orders.locks import lock_order, lock_paying_attempt
from orders.models import (
    Order,
    OrderEvent,
    OrderLine,
    PaymentAttempt,
    Refund,
    RefundLine,
)
from orders.queries.codes import count_free_codes
from orders.queries.refunds import (
    Part,
    count_left,
    count_left_fen,
    find_paying_attempt,
    list_refundable_lines,
)
from orders.rules import make_refund_number, share_amount
from orders.services.refunds.deciding import approve
from orders.services.refunds.policy import list_policy_obstacles, read_policy
from orders.services.trace import add_event
from portal.lib.money import format_yuan

_BATCH = 1000


@dataclass(frozen=True)
class Quote:
    """What would go back, and what of the policy stands against it."""

    attempt: PaymentAttempt
    parts: list[Part]
    amount_fen: int
    obstacles: list[str]

    @property
    def code_count(self) -> int:
        """How many activation codes would go back; none of an order for people."""
        return sum(part.quantity for part in self.parts if part.is_codes)


def quote_refund(
    *,
    order: Order,
    line_ids: Iterable[int] | None,
    now: datetime,
    count: int | None = None,
) -> Quote:
    """Say what these lines of a paid order, or all that are left of it, would bring back.

    Of an order for activation codes `count` of those that nobody has go back, or all of them.

    Raises `RefundRefusedError` for what nobody can have back.
    """
    attempt = find_paying_attempt(order)
    if order.state != Order.State.PAID or attempt is None:
        raise RefundRefusedError(f"订单{order.get_state_display()}，没有可退的款项。")
    return _quote(order, attempt, line_ids, count, now)


def _quote(
    order: Order,
    attempt: PaymentAttempt,
    line_ids: Iterable[int] | None,
    count: int | None,
    now: datetime,
) -> Quote:
    left = list(list_refundable_lines(order))
    if not left:
        raise RefundRefusedError("订单的款项已退回或正在退款，没有可退的款项。")
    if order.kind == Order.Kind.CODES:
        chosen = _choose_codes(left, count)
    else:
        chosen = _choose_seats(left, line_ids)
    rest = sum(count_left(line) for line in left)
    amount = share_amount(
        (part.price_fen for part in chosen),
        left_fen=count_left_fen(attempt),
        is_rest=sum(part.quantity for part in chosen) == rest,
    )
    if amount == 0:
        raise RefundRefusedError("订单没有可退的款项。")
    obstacles = list_policy_obstacles(order, chosen, now=now)
    return Quote(attempt, chosen, amount, obstacles)


def _choose_seats(left: list[OrderLine], line_ids: Iterable[int] | None) -> list[Part]:
    chosen = left
    if line_ids is not None:
        wanted = set(line_ids)
        chosen = [line for line in left if line.pk in wanted]
        if not chosen or len(chosen) != len(wanted):
            raise RefundRefusedError("所选人员中有已退款或正在退款的，请重新选择。")
    return [Part(line) for line in chosen]


def _choose_codes(left: list[OrderLine], count: int | None) -> list[Part]:
    """`count` codes that nobody has, or all of them. Raises `CodesTakenError`."""
    free = {line: count_free_codes(line) for line in left}
    total = sum(free.values())
    if total == 0:
        raise RefundRefusedError("激活码均已赠送或使用，没有可退的激活码。")
    missing = total if count is None else count
    if missing < 1:
        raise RefundRefusedError("请填写要退的激活码数量。")
    if missing > total:
        raise CodesTakenError(total)
    chosen = []
    for line, unused in free.items():
        taken = min(unused, missing)
        if taken:
            chosen.append(Part(line, taken))
            missing -= taken
    return chosen


@transaction.atomic
def request_refund(
    *,
    order: Order,
    line_ids: Iterable[int] | None,
    reason: str,
    buyer: User,
    now: datetime,
    count: int | None = None,
) -> Refund:
    """Let a buyer ask for money back within the policy.

    Finance look at it first unless the policy says otherwise; then it is approved at once.
    Raises `RefundRefusedError`, `CodesTakenError` and `ReasonMissingError`.
    """
    policy = read_policy()
    if not policy.buyers_may_ask:
        raise RefundRefusedError("暂不支持在线申请退款，请联系客服。")
    quote, locked = _lock_and_quote(order, line_ids, count, now)
    if quote.obstacles:
        raise RefundRefusedError("；".join(quote.obstacles) + "，不能申请退款。")
    refund = _create(locked, quote, Refund.Origin.BUYER, reason, buyer, now)
    if not policy.needs_approval:
        approve(refund, quote.attempt, locked, actor=None, now=now)
    return refund


@transaction.atomic
def start_refund(
    *,
    order: Order,
    line_ids: Iterable[int] | None,
    reason: str,
    actor: User,
    now: datetime,
    override_reason: str = "",
    count: int | None = None,
) -> Refund:
    """Let staff begin a refund. Within the policy it is approved at once.

    Against the policy `override_reason` says why, and another member of the staff has to
    approve it. Raises `RefundRefusedError`, `CodesTakenError`, `ReasonMissingError`, and
    `SamePersonError` for an order of one's own.
    """
    if order.buyer_id == actor.pk:
        raise SamePersonError
    quote, locked = _lock_and_quote(order, line_ids, count, now)
    if quote.obstacles and not override_reason.strip():
        raise RefundRefusedError(
            "；".join(quote.obstacles) + "。如确需退款，请填写超出退款规则的理由。"
        )
    refund = _create(locked, quote, Refund.Origin.STAFF, reason, actor, now)
    if quote.obstacles:
        refund.is_override, refund.proposed_by = True, actor
        refund.override_reason = override_reason.strip()[:200]
        refund.save(update_fields=["is_override", "proposed_by", "override_reason"])
    else:
        approve(refund, quote.attempt, locked, actor=actor, now=now)
    record_audit(
        action="orders.refund_started",
        target=f"refund:{refund.number}",
        actor=actor,
        now=now,
        detail={
            "order": locked.number,
            "amount_fen": refund.amount_fen,
            "override": refund.override_reason,
        },
    )
    return refund


def _lock_and_quote(
    order: Order, line_ids: Iterable[int] | None, count: int | None, now: datetime
) -> tuple[Quote, Order]:
    attempt = lock_paying_attempt(order.pk)
    locked = lock_order(order.pk)
    if locked.state != Order.State.PAID or attempt is None:
        raise RefundRefusedError(f"订单{locked.get_state_display()}，没有可退的款项。")
    return _quote(locked, attempt, line_ids, count, now), locked


def _create(
    order: Order,
    quote: Quote,
    origin: Refund.Origin,
    reason: str,
    actor: User,
    now: datetime,
) -> Refund:
    if not reason.strip():
        raise ReasonMissingError
    refund = Refund.objects.create(
        number=make_refund_number(timezone.localdate(now)),
        order=order,
        attempt=quote.attempt,
        origin=origin,
        amount_fen=quote.amount_fen,
        reason=reason.strip()[:200],
        requested_at=now,
        requested_by=actor,
    )
    RefundLine.objects.bulk_create(
        [
            RefundLine(
                refund=refund,
                line=part.line,
                quantity=part.quantity,
                amount_fen=min(part.price_fen, quote.amount_fen),
            )
            for part in quote.parts
        ],
        batch_size=_BATCH,
    )
    add_event(
        order,
        OrderEvent.Kind.REFUND_ASKED,
        now=now,
        actor=actor,
        detail=f"{format_yuan(quote.amount_fen)}元",
    )
    return refund
