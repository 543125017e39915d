from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from catalog.models import Plan
from orders.errors import GatewayDownError, OrderNotPayableError
from orders.models import Order, OrderEvent, PaymentAttempt
from orders.payments.protocol import Callbacks, Channel, Start
from orders.payments.registry import reset_gateways
from orders.services import place_personal_order, start_payment
from portal.sandbox import SandboxServer
from tests.factories.orders import PaymentAttemptFactory

pytestmark = pytest.mark.django_db

CALLBACKS = Callbacks("https://portal/notify/", "https://portal/return/")


@pytest.fixture
def order(sandbox: SandboxServer, owner: User, plan: Plan) -> Order:
    return place_personal_order(buyer=owner, plan=plan, now=timezone.now())


def start(
    order: Order, gateway_code: str = "alipay", delay: timedelta | None = None
) -> Start:
    return start_payment(
        order=order,
        gateway_code=gateway_code,
        channel=Channel.DESK,
        callbacks=CALLBACKS,
        actor=order.buyer,
        now=timezone.now() + (delay or timedelta()),
    )


def test_attempt_asks_for_exactly_the_order(
    order: Order, sandbox: SandboxServer
) -> None:
    way = start(order)

    attempt = PaymentAttempt.objects.get()
    query = parse_qs(urlsplit(way.url).query)
    assert way.url.startswith(f"{sandbox.url}/gateway.do?")
    assert query["notify_url"] == ["https://portal/notify/"]
    assert query["return_url"] == ["https://portal/return/"]
    assert attempt.order == order
    assert attempt.amount_fen == 3300
    assert attempt.expires_at == order.expires_at
    assert attempt.seller == "2088000000000001"
    assert attempt.subject == "2026年公需科目"
    assert attempt.state == PaymentAttempt.State.WAITING
    event = OrderEvent.objects.get(kind=OrderEvent.Kind.ATTEMPT_STARTED)
    assert event.detail == "支付宝"


def test_second_press_leads_to_the_same_payment(order: Order) -> None:
    start(order)
    start(order)

    assert PaymentAttempt.objects.count() == 1
    started = OrderEvent.objects.filter(kind=OrderEvent.Kind.ATTEMPT_STARTED)
    assert started.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_fen": 9000},
        {"gateway": "wechat"},
        {"seller": "2088000000000009"},
        {"expires_at": timezone.now() + timedelta(days=1)},
        {"state": PaymentAttempt.State.CLOSED},
    ],
)
def test_anything_else_is_another_attempt(
    order: Order, changes: dict[str, object]
) -> None:
    start(order)
    PaymentAttempt.objects.update(**changes)

    start(order)

    assert PaymentAttempt.objects.count() == 2
    newest = PaymentAttempt.objects.latest("pk")
    assert (newest.gateway, newest.amount_fen) == ("alipay", 3300)


@pytest.mark.parametrize(
    "state", [Order.State.PAID, Order.State.CANCELLED, Order.State.EXPIRED]
)
def test_order_that_waits_no_more_is_refused(order: Order, state: Order.State) -> None:
    Order.objects.update(state=state, paid_at=timezone.now())

    with pytest.raises(OrderNotPayableError):
        start(order)

    assert PaymentAttempt.objects.count() == 0


def test_last_minute_is_too_late(order: Order) -> None:
    with pytest.raises(OrderNotPayableError):
        start(order, delay=timedelta(minutes=29, seconds=30))

    assert PaymentAttempt.objects.count() == 0


def test_order_under_review_is_not_paid_again(order: Order) -> None:
    PaymentAttemptFactory(order=order, review=True)

    with pytest.raises(OrderNotPayableError):
        start(order)

    assert PaymentAttempt.objects.count() == 1


def test_unknown_gateway_is_refused(order: Order) -> None:
    with pytest.raises(GatewayDownError):
        start(order, "nopay")

    assert PaymentAttempt.objects.count() == 0


@pytest.mark.parametrize(
    "changes",
    [{"app_private_key_file": "/nonexistent"}, {"app_id": ""}, {"seller_id": ""}],
)
def test_gateway_without_its_account_or_keys_is_refused(
    order: Order, settings: Settings, changes: dict[str, str]
) -> None:
    settings.ALIPAY = {**settings.ALIPAY, **changes}
    reset_gateways()

    with pytest.raises(GatewayDownError):
        start(order)

    assert PaymentAttempt.objects.count() == 0
