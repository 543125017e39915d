"""How attempts at UnionPay end and begin anew: it knows no closing, and wants fresh orders."""

from datetime import timedelta

import pytest
import requests
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import GatewayDownError, OrderNotCancellableError
from orders.models import Order, PaymentAttempt, PaymentException
from orders.payments.registry import reset_gateways
from orders.services import cancel_order, end_attempt, expire_order, query_attempt
from portal.sandbox import SandboxServer
from tests.orders.unionpay_purchases import (
    UnionPurchase,
    expect_paid_once,
    expect_untouched,
    make_union_purchase,
    press_pay,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def purchase(sandbox: SandboxServer, owner: User, plan: Plan) -> UnionPurchase:
    return make_union_purchase(sandbox, owner, plan)


# --- Expiry and cancelling -------------------------------------------------------------------


def run_out(purchase: UnionPurchase) -> None:
    """Let the time of an order be over, here and there."""
    over = timezone.now() - timedelta(minutes=2)
    PaymentAttempt.objects.update(expires_at=over)
    Order.objects.update(expires_at=over)
    purchase.refresh()


def test_order_cannot_be_cancelled_while_it_can_be_paid_there(
    purchase: UnionPurchase,
) -> None:
    with pytest.raises(OrderNotCancellableError, match="到期未支付的订单会自动关闭"):
        cancel_order(
            order=purchase.order, actor=purchase.order.buyer, now=timezone.now()
        )

    expect_untouched(purchase)


@pytest.mark.parametrize("tried", [True, False])
def test_unpaid_order_expires_after_its_time(
    purchase: UnionPurchase, *, tried: bool
) -> None:
    """Also of a buyer who never arrived, and of one whose card was refused."""
    if tried:
        purchase.sandbox.unionpay.fail(purchase.attempt.number)
    now = timezone.now()
    assert not end_attempt(attempt_id=purchase.attempt.pk, now=now)
    run_out(purchase)

    assert end_attempt(attempt_id=purchase.attempt.pk, now=now)
    assert expire_order(order_id=purchase.order.pk, now=now)

    purchase.refresh()
    assert purchase.attempt.state == PaymentAttempt.State.CLOSED
    assert purchase.order.state == Order.State.EXPIRED


def test_expiry_finds_the_payment_whose_notification_was_lost(
    purchase: UnionPurchase,
) -> None:
    purchase.pay()
    run_out(purchase)

    assert end_attempt(attempt_id=purchase.attempt.pk, now=timezone.now())
    assert not expire_order(order_id=purchase.order.pk, now=timezone.now())

    expect_paid_once(purchase)


@pytest.mark.parametrize("fault", ["html", "in_doubt"])
def test_expiry_waits_while_the_gateway_is_in_doubt(
    purchase: UnionPurchase, fault: str
) -> None:
    purchase.pay()
    run_out(purchase)
    purchase.sandbox.unionpay.faults.append(fault)

    assert not end_attempt(attempt_id=purchase.attempt.pk, now=timezone.now())
    assert not expire_order(order_id=purchase.order.pk, now=timezone.now())
    assert end_attempt(attempt_id=purchase.attempt.pk, now=timezone.now())

    expect_paid_once(purchase)


# --- Starting once more ------------------------------------------------------------------------


def test_button_pressed_again_keeps_the_number(purchase: UnionPurchase) -> None:
    start = press_pay(purchase.order, timezone.now() + timedelta(minutes=4))

    assert start.fields["orderId"] == purchase.attempt.number
    assert requests.post(start.url, start.fields, timeout=5).status_code == 200
    assert PaymentAttempt.objects.count() == 1


def test_after_a_while_it_is_a_new_attempt(purchase: UnionPurchase) -> None:
    """UnionPay wants `txnTime` to be now, and the time belongs to the number."""
    start = press_pay(purchase.order, timezone.now() + timedelta(minutes=6))

    older, newer = PaymentAttempt.objects.order_by("pk")
    assert older == purchase.attempt
    assert older.state == PaymentAttempt.State.WAITING
    assert start.fields["orderId"] == newer.number
    assert newer.expires_at == older.expires_at


def test_both_attempts_paid_is_one_order_and_a_refund_to_do(
    purchase: UnionPurchase,
) -> None:
    start = press_pay(purchase.order, timezone.now() + timedelta(minutes=6))
    newer = PaymentAttempt.objects.get(number=start.fields["orderId"])
    PaymentAttempt.objects.filter(pk=newer.pk).update(created_at=timezone.now())
    newer.refresh_from_db()
    again = press_pay(purchase.order, timezone.now())
    assert requests.post(again.url, again.fields, timeout=5).status_code == 200
    for attempt in (purchase.attempt, newer):
        purchase.sandbox.unionpay.pay(attempt.number)
        query_attempt(attempt_id=attempt.pk, now=timezone.now())

    exception = PaymentException.objects.get()
    assert exception.kind == PaymentException.Kind.DUPLICATE
    assert exception.attempt == newer
    assert Enrolment.objects.count() == 1


def test_unusable_gateway_is_told_to_the_log_not_to_the_buyer(
    purchase: UnionPurchase, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.UNIONPAY = {**settings.UNIONPAY, "merchant_key_password": "wrong"}
    reset_gateways()

    with pytest.raises(GatewayDownError) as error:
        press_pay(purchase.order, timezone.now())

    assert "支付渠道暂时无法使用" in str(error.value)
    assert "keys of UnionPay cannot be read" in caplog.text
