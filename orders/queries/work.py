"""What waits to be done: notifications, polls, closings."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from orders.models import GatewayMessage, Order, PaymentAttempt
from orders.rules import FIRST_POLL_AFTER, LAST_QUESTION_AFTER, POLL_EVERY

# A message is left to its own task first; the sweep takes what has waited this long.
_LEFT_TO_ITS_TASK = timedelta(seconds=5)
# After a longer standstill the bills have told.
_LAST_QUESTION_WITHIN = timedelta(days=1)


def list_waiting_message_ids(now: datetime, limit: int) -> list[int]:
    """Verified messages whose own task has not come, oldest first.

    Before those whose attempt was asked about lately: what waits for the word of a gateway
    that is down holds up nobody else's.
    """
    waiting = GatewayMessage.objects.filter(
        state=GatewayMessage.State.WAITING,
        received_at__lte=now - _LEFT_TO_ITS_TASK,
    )
    order = (F("attempt__polled_at").asc(nulls_first=True), "received_at")
    return list(waiting.order_by(*order).values_list("pk", flat=True)[:limit])


def list_attempt_ids_to_poll(now: datetime, limit: int) -> list[int]:
    """Waiting attempts whose gateway has not been asked for a while, longest first."""
    due = PaymentAttempt.objects.filter(
        Q(polled_at__isnull=True, created_at__lte=now - FIRST_POLL_AFTER)
        | Q(polled_at__lte=now - POLL_EVERY),
        state=PaymentAttempt.State.WAITING,
        expires_at__gt=now,
        order__state=Order.State.PENDING,
    )
    return _longest_unasked(due, limit)


def list_attempt_ids_to_close(now: datetime, limit: int) -> list[int]:
    """Waiting attempts that have run out, or whose order needs them no more."""
    due = PaymentAttempt.objects.filter(
        Q(expires_at__lte=now) | ~Q(order__state=Order.State.PENDING),
        state=PaymentAttempt.State.WAITING,
    )
    return _longest_unasked(due, limit)


def list_attempt_ids_to_ask_last(now: datetime, limit: int) -> list[int]:
    """Attempts ended by us before their time was over at the gateway, now that it is.

    An address of a cashier lives until then: what was paid there, and whose notification was
    lost, would be found by the bill of the next day only. Each is asked about once.
    """
    closed = PaymentAttempt.objects.filter(
        Q(polled_at__isnull=True)
        | Q(polled_at__lt=F("expires_at") + LAST_QUESTION_AFTER),
        state=PaymentAttempt.State.CLOSED,
        received_fen__isnull=True,
        expires_at__lte=now - LAST_QUESTION_AFTER,
        expires_at__gt=now - _LAST_QUESTION_WITHIN,
    )
    return list(closed.order_by("expires_at").values_list("pk", flat=True)[:limit])


def list_order_ids_to_expire(now: datetime, limit: int) -> list[int]:
    """Unpaid orders past their time for which no gateway can still hold money."""
    undecided = PaymentAttempt.objects.filter(
        order=OuterRef("pk"),
        state__in=[PaymentAttempt.State.WAITING, PaymentAttempt.State.REVIEW],
    )
    due = Order.objects.filter(
        ~Exists(undecided), state=Order.State.PENDING, expires_at__lte=now
    )
    return list(due.order_by("expires_at").values_list("pk", flat=True)[:limit])


def _longest_unasked(attempts: QuerySet[PaymentAttempt], limit: int) -> list[int]:
    order = F("polled_at").asc(nulls_first=True)
    return list(attempts.order_by(order, "pk").values_list("pk", flat=True)[:limit])
