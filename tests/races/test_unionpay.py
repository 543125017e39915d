"""UnionPay's notifications at once, and one that meets an expiry: nothing is paid twice.

Each is confirmed by a query of its own, outside of any lock; the rows decide afterwards.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from learning.models import Enrolment
from orders.models import (
    GatewayMessage,
    Order,
    OrderEvent,
    PaymentAttempt,
    PaymentException,
)
from orders.payments.protocol import Inbound
from orders.payments.registry import get_gateway
from orders.payments.unionpay import UnionPayGateway
from orders.services import end_attempt, expire_order, process_message, query_attempt
from orders.services.notifications import store_notification
from portal.sandbox import SandboxServer
from tests.factories.accounts import UserFactory
from tests.factories.orders import make_endless_plan
from tests.orders.unionpay_purchases import (
    UnionPurchase,
    expect_paid_once,
    make_union_purchase,
)
from tests.races.test_settlement import TIMES
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def purchase(sandbox: SandboxServer) -> UnionPurchase:
    buyer: User = UserFactory()
    purchase = make_union_purchase(sandbox, buyer, make_endless_plan())
    purchase.pay()
    return purchase


def receive(purchase: UnionPurchase) -> Callable[[], Any]:
    """A notification as the view takes it, and its task after it."""
    body = purchase.make_body()

    def work() -> Any:
        receipt = store_notification(
            gateway_code="unionpay", inbound=Inbound({}, body), now=timezone.now()
        )
        assert receipt.acknowledgement.status == 200
        assert receipt.message_id is not None
        return process_message(message_id=receipt.message_id, now=timezone.now())

    return work


def test_twelve_notifications_at_once_settle_once(purchase: UnionPurchase) -> None:
    outcomes = run_together(*[receive(purchase)] * TIMES)

    assert sorted(outcomes) == ["settled"] + ["unchanged"] * (TIMES - 1)
    expect_paid_once(purchase)
    done = GatewayMessage.objects.filter(source="notification", state="done")
    assert done.count() == TIMES


def test_notification_query_and_expiry_at_once_settle_once(
    purchase: UnionPurchase,
) -> None:
    over = timezone.now() - timedelta(minutes=2)
    PaymentAttempt.objects.update(expires_at=over)
    Order.objects.update(expires_at=over)
    key, order_key = purchase.attempt.pk, purchase.order.pk

    def expire() -> None:
        end_attempt(attempt_id=key, now=timezone.now())
        expire_order(order_id=order_key, now=timezone.now())

    works = [
        receive(purchase),
        lambda: query_attempt(attempt_id=key, now=timezone.now()),
        expire,
    ]
    run_together(*works * 3)

    expect_paid_once(purchase)
    assert OrderEvent.objects.filter(kind=OrderEvent.Kind.EXPIRED).count() == 0


def test_two_attempts_paid_at_once_are_one_enrolment_and_a_refund_to_do(
    purchase: UnionPurchase,
) -> None:
    first = purchase.attempt
    second = PaymentAttempt.objects.get(pk=first.pk)
    second.pk, second.number = None, "R261121ZZZZZZZZZZZZZ"
    second.save()
    trades = purchase.sandbox.unionpay.trades
    trades._store.put(
        "unionpay trade",
        second.number,
        {**trades.get(first.number), "number": second.number, "query_id": "9" * 21},
    )
    other = UnionPurchase(purchase.order, second, purchase.sandbox)

    run_together(receive(purchase), receive(other))

    exception = PaymentException.objects.get()
    assert exception.kind == PaymentException.Kind.DUPLICATE
    assert Enrolment.objects.count() == 1
    states = set(PaymentAttempt.objects.values_list("state", flat=True))
    assert states == {PaymentAttempt.State.PAID}


def test_query_holds_no_lock(purchase: UnionPurchase) -> None:
    """A gateway that thinks for seconds must not hold up the rows meanwhile."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no row locks")
    gateway = get_gateway("unionpay")
    assert isinstance(gateway, UnionPayGateway)
    known = gateway.query
    looked: list[int] = []

    def look(charge: Any) -> Any:
        rows = PaymentAttempt.objects.select_for_update(nowait=True)
        run_together(lambda: looked.append(_lock(rows)))
        return known(charge)

    gateway.query = look  # type: ignore[method-assign]
    receive(purchase)()

    assert looked == [1]
    expect_paid_once(purchase)


def _lock(rows: Any) -> int:
    with transaction.atomic():
        return len(rows)
