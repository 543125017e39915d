"""Polling, expiry and cancelling against a gateway that answers, refuses or hangs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from learning.models import Enrolment
from orders import tasks
from orders.errors import OrderNotCancellableError
from orders.models import (
    GatewayMessage,
    Order,
    OrderEvent,
    OrderLine,
    PaymentAttempt,
    PaymentException,
)
from orders.payments.protocol import State
from orders.queries import list_attempt_ids_to_poll
from orders.services import cancel_order, expire_order, query_attempt
from tests.orders.purchases import Purchase

pytestmark = pytest.mark.django_db

OVER = timedelta(minutes=31)


def run_out(purchase: Purchase) -> None:
    """Let the time of an order be over here; the gateway's own clock goes on."""
    past = timezone.now() - timedelta(seconds=1)
    Order.objects.filter(pk=purchase.order.pk).update(expires_at=past)
    PaymentAttempt.objects.filter(pk=purchase.attempt.pk).update(expires_at=past)


def ask(purchase: Purchase, after: timedelta = timedelta()) -> State | None:
    return query_attempt(attempt_id=purchase.attempt.pk, now=timezone.now() + after)


def expect_states(purchase: Purchase, order: str, attempt: str) -> None:
    purchase.refresh()
    assert (purchase.order.state, purchase.attempt.state) == (order, attempt)


def test_lost_notification_is_found_by_asking(purchase: Purchase) -> None:
    purchase.pay()

    assert ask(purchase) is State.PAID

    expect_states(purchase, "paid", "paid")
    assert Enrolment.objects.count() == 1
    message = GatewayMessage.objects.get()
    assert message.source == GatewayMessage.Source.QUERY
    assert "TRADE_SUCCESS" in message.body
    kinds = OrderEvent.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [
        *("placed", "attempt_started"),
        *("queried", "paid", "enrolled"),
    ]


def test_unpaid_changes_nothing_and_is_not_kept(purchase: Purchase) -> None:
    purchase.enter()

    assert ask(purchase) is State.UNPAID

    expect_states(purchase, "pending", "waiting")
    assert GatewayMessage.objects.count() == 0


@pytest.mark.parametrize("fault", ["hang", "html", "system_error", "bad_signature"])
def test_doubt_changes_nothing_and_the_next_answer_counts(
    purchase: Purchase, fault: str
) -> None:
    purchase.pay()
    purchase.sandbox.alipay.faults.append(fault)

    assert ask(purchase) is None
    expect_states(purchase, "pending", "waiting")
    assert ask(purchase, timedelta(seconds=11)) is State.PAID
    expect_states(purchase, "paid", "paid")


def test_gateway_is_not_asked_again_at_once(purchase: Purchase) -> None:
    ask(purchase)

    assert ask(purchase, timedelta(seconds=5)) is None
    assert len(purchase.sandbox.alipay.requests) == 1


def test_wrong_amount_found_by_asking_is_held(purchase: Purchase) -> None:
    purchase.pay(amount_fen=1)

    ask(purchase)

    expect_states(purchase, "pending", "review")
    assert PaymentException.objects.get().amount_fen == 1


def test_polling_begins_after_a_minute_and_comes_back(purchase: Purchase) -> None:
    now = timezone.now()
    started = purchase.attempt.created_at

    def due(after: timedelta) -> list[int]:
        return list_attempt_ids_to_poll(now=started + after, limit=10)

    assert due(timedelta(seconds=59)) == []
    assert due(timedelta(seconds=61)) == [purchase.attempt.pk]
    PaymentAttempt.objects.update(polled_at=now)
    assert due(timedelta(seconds=100)) == []
    assert due(timedelta(seconds=130)) == [purchase.attempt.pk]
    assert due(OVER) == []


def test_sweep_settles_what_was_paid(purchase: Purchase) -> None:
    purchase.pay()
    PaymentAttempt.objects.update(created_at=timezone.now() - timedelta(minutes=2))

    tasks.poll_waiting_attempts()

    expect_states(purchase, "paid", "paid")


def test_unpaid_order_expires_at_the_gateway_first(purchase: Purchase) -> None:
    purchase.enter()
    run_out(purchase)

    tasks.expire_orders()

    expect_states(purchase, "expired", "closed")
    methods = [method for method, _ in purchase.sandbox.alipay.requests]
    assert methods == ["alipay.trade.query", "alipay.trade.close"]
    trade = purchase.sandbox.alipay.trades.get(purchase.attempt.number)
    assert trade["status"] == "TRADE_CLOSED"
    assert OrderLine.objects.get().is_live is False
    assert OrderEvent.objects.latest("pk").kind == OrderEvent.Kind.EXPIRED


def test_buyer_who_never_came_expires_too(purchase: Purchase) -> None:
    run_out(purchase)

    tasks.expire_orders()

    expect_states(purchase, "expired", "closed")


def test_order_without_attempts_expires(purchase: Purchase) -> None:
    purchase.attempt.delete()
    run_out(purchase)

    tasks.expire_orders()

    purchase.order.refresh_from_db()
    assert purchase.order.state == Order.State.EXPIRED


def test_order_with_a_waiting_attempt_is_not_expired(purchase: Purchase) -> None:
    """The list of due orders is read before the lock; a new attempt may come between."""
    run_out(purchase)

    expired = expire_order(order_id=purchase.order.pk, now=timezone.now())

    assert expired is False
    expect_states(purchase, "pending", "waiting")


def test_order_that_has_time_left_is_not_expired(purchase: Purchase) -> None:
    purchase.attempt.delete()

    assert expire_order(order_id=purchase.order.pk, now=timezone.now()) is False
    purchase.order.refresh_from_db()
    assert purchase.order.state == Order.State.PENDING


def test_paid_order_is_settled_instead_of_expiring(purchase: Purchase) -> None:
    purchase.pay()
    run_out(purchase)

    tasks.expire_orders()

    expect_states(purchase, "paid", "paid")
    assert Enrolment.objects.count() == 1


@pytest.mark.parametrize("faults", [["hang"], ["html"], ["system_error"]])
def test_silent_gateway_leaves_the_order_open(
    purchase: Purchase, faults: list[str]
) -> None:
    purchase.pay()
    run_out(purchase)
    purchase.sandbox.alipay.faults.extend(faults)

    tasks.expire_orders()
    expect_states(purchase, "pending", "waiting")

    tasks.expire_orders()
    expect_states(purchase, "paid", "paid")


def test_close_in_doubt_leaves_the_order_open(
    purchase: Purchase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The buyer pays between our query and our close."""
    purchase.enter()
    run_out(purchase)
    gateway = "orders.payments.alipay.AlipayGateway.close"
    monkeypatch.setattr(gateway, lambda *_args: State.UNKNOWN)

    tasks.expire_orders()

    expect_states(purchase, "pending", "waiting")


def test_order_under_review_does_not_expire(purchase: Purchase) -> None:
    PaymentAttempt.objects.update(state=PaymentAttempt.State.REVIEW)
    run_out(purchase)

    tasks.expire_orders()

    expect_states(purchase, "pending", "review")


def test_waiting_attempt_of_a_paid_order_is_closed_at_once(purchase: Purchase) -> None:
    purchase.enter()
    now = timezone.now()
    Order.objects.update(state=Order.State.PAID, paid_at=now)

    tasks.expire_orders()

    expect_states(purchase, "paid", "closed")
    trade = purchase.sandbox.alipay.trades.get(purchase.attempt.number)
    assert trade["status"] == "TRADE_CLOSED"


def test_notification_after_expiry_is_late_money(
    purchase: Purchase, post_notice: Callable[[bytes], Any]
) -> None:
    run_out(purchase)
    tasks.expire_orders()
    purchase.pay()

    post_notice(purchase.make_body())

    expect_states(purchase, "paid", "paid")
    assert OrderLine.objects.get().is_live is True
    assert Enrolment.objects.count() == 1


def test_cancelling_closes_the_gateway_first(purchase: Purchase, owner: User) -> None:
    purchase.enter()

    cancel_order(order=purchase.order, actor=owner, now=timezone.now())

    expect_states(purchase, "cancelled", "closed")
    assert OrderLine.objects.get().is_live is False
    event = OrderEvent.objects.latest("pk")
    assert (event.kind, event.actor) == (OrderEvent.Kind.CANCELLED, owner)


def test_cancelling_a_paid_order_settles_it(purchase: Purchase, owner: User) -> None:
    purchase.pay()

    with pytest.raises(OrderNotCancellableError):
        cancel_order(order=purchase.order, actor=owner, now=timezone.now())

    expect_states(purchase, "paid", "paid")


def test_cancelling_waits_for_the_gateway(purchase: Purchase, owner: User) -> None:
    purchase.sandbox.alipay.faults.append("html")

    with pytest.raises(OrderNotCancellableError):
        cancel_order(order=purchase.order, actor=owner, now=timezone.now())

    expect_states(purchase, "pending", "waiting")
    assert OrderLine.objects.get().is_live is True


def test_order_is_cancelled_once(purchase: Purchase, owner: User) -> None:
    cancel_order(order=purchase.order, actor=owner, now=timezone.now())
    purchase.order.refresh_from_db()

    with pytest.raises(OrderNotCancellableError):
        cancel_order(order=purchase.order, actor=owner, now=timezone.now())
