"""Starting a payment through the API: each kind of start as JSON, and what is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from orders.errors import OrderError, PlanAlreadyHeldError, PlanBeingBoughtError
from orders.models import Order, PaymentAttempt
from orders.payments.protocol import (
    Callbacks,
    Channel,
    Charge,
    GatewayUnavailable,
    Payer,
    Start,
)
from orders.payments.registry import reset_gateways
from orders.views.browsers import OPENID_KEY
from portal.lib.problems import code_of
from portal.sandbox import SandboxServer
from portal.sandbox.wechat import PEOPLE
from tests.factories.orders import PaymentAttemptFactory, make_order
from tests.orders.purchases import Purchase

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]


def pay(client: Client, order: Order, gateway: str = "alipay", **extra: Any) -> Any:
    return client.post(
        f"/api/v1/orders/{order.number}/payments/",
        {"gateway": gateway},
        content_type="application/json",
        **extra,
    )


@dataclass
class PlayedGateway:
    """Starts a payment in a given way, or not at all."""

    answer: Start | None
    code: str = "played"
    seller: str = "M1"
    restart_within: None = None

    def start(
        self, charge: Charge, channel: Channel, callbacks: Callbacks, payer: Payer
    ) -> Start:
        if self.answer is None:
            raise GatewayUnavailable("no answer")
        return self.answer


PLAYED = PlayedGateway(None)


def build_played() -> PlayedGateway:
    return PLAYED


@pytest.fixture
def played(settings: Any) -> Any:
    settings.PAYMENT_GATEWAYS = settings.PAYMENT_GATEWAYS | {
        "played": ("模拟支付", f"{__name__}.build_played")
    }
    PLAYED.answer = None
    yield PLAYED
    reset_gateways()


@pytest.fixture
def order(owner: User, plan: Plan) -> Order:
    return make_order(owner, plan, created_at=timezone.now())


STARTS = [
    Start(Start.Kind.REDIRECT, "https://cashier.example/pay?x=1"),
    Start(Start.Kind.FORM, "https://bank.example/pay", {"orderId": "R1"}),
    Start(Start.Kind.QR, "weixin://wxpay/bizpayurl?pr=1"),
    Start(Start.Kind.JSAPI, "", {"package": "prepay_id=1"}),
]


@pytest.mark.parametrize("start", STARTS, ids=[start.kind for start in STARTS])
def test_every_kind_of_start_is_told(
    order: Order, client_of: LogIn, played: PlayedGateway, start: Start
) -> None:
    played.answer = start

    response = pay(client_of(order.buyer), order, "played")

    assert response.status_code == 200
    assert response.json() == {
        "kind": start.kind.value,
        "url": start.url,
        "fields": dict(start.fields),
    }
    attempt = PaymentAttempt.objects.get()
    assert (attempt.order, attempt.gateway) == (order, "played")


def test_payment_goes_to_the_real_cashier_and_back_here(
    purchase: Purchase, client_of: LogIn, settings: Any
) -> None:
    settings.SITE_URL = "https://portal.example"

    response = pay(
        client_of(purchase.order.buyer),
        purchase.order,
        headers={"user-agent": "Mozilla/5.0 Mobile"},
    )

    query = parse_qs(urlsplit(response.json()["url"]).query)
    assert query["method"] == ["alipay.trade.wap.pay"]
    assert query["notify_url"] == ["https://portal.example/orders/notify/alipay/"]
    assert query["return_url"] == ["http://testserver/orders/return/alipay/"]


def test_same_gateway_again_is_the_same_payment(
    order: Order, client_of: LogIn, played: PlayedGateway
) -> None:
    played.answer = STARTS[0]
    client = client_of(order.buyer)

    pay(client, order, "played")
    pay(client, order, "played")

    assert PaymentAttempt.objects.count() == 1


@pytest.mark.parametrize("gateway", ["nopay", "", None, 7])
def test_gateway_that_is_not_offered_is_refused(
    order: Order, client_of: LogIn, gateway: Any
) -> None:
    response = pay(client_of(order.buyer), order, gateway)

    assert response.status_code == 400
    assert list(response.json()["errors"]) == ["gateway"]
    assert PaymentAttempt.objects.count() == 0


def test_gateway_that_does_not_answer_is_a_state(
    order: Order, client_of: LogIn, played: PlayedGateway
) -> None:
    response = pay(client_of(order.buyer), order, "played")

    assert (response.status_code, response.json()["code"]) == (503, "gateway_down")


@pytest.mark.parametrize("trait", ["paid", "cancelled", "expired"])
def test_order_that_cannot_be_paid_is_refused(
    owner: User, plan: Plan, client_of: LogIn, trait: str
) -> None:
    order = make_order(owner, plan, **{trait: True})

    response = pay(client_of(owner), order)

    assert (response.status_code, response.json()["code"]) == (409, "order_not_payable")
    assert PaymentAttempt.objects.count() == 0


def test_order_under_review_is_refused(order: Order, client_of: LogIn) -> None:
    PaymentAttemptFactory(order=order, review=True)

    response = pay(client_of(order.buyer), order)

    assert (response.status_code, response.json()["code"]) == (409, "order_not_payable")
    assert "人工核对" in response.json()["title"]
    assert PaymentAttempt.objects.count() == 1


WECHAT = {"user-agent": "Mozilla/5.0 (Linux; Android 15) Mobile MicroMessenger/8.0"}


def test_inside_wechat_the_payer_is_named_first(
    sandbox: SandboxServer, order: Order, client_of: LogIn
) -> None:
    client = client_of(order.buyer)

    response = pay(client, order, "wechat", headers=WECHAT)

    assert (response.status_code, response.json()["code"]) == (409, "payer_unknown")
    assert "在订单页面中" in response.json()["title"]
    attempt = PaymentAttempt.objects.get()
    with pytest.raises(KeyError):
        sandbox.wechat_pay.show(attempt.number)

    session = client.session
    session[OPENID_KEY] = PEOPLE[0].openid
    session.save()
    response = pay(client, order, "wechat", headers=WECHAT)

    assert (response.status_code, response.json()["kind"]) == (200, "jsapi")
    assert response.json()["fields"]["package"].startswith("prepay_id=")
    assert PaymentAttempt.objects.get() == attempt
    order.refresh_from_db()
    assert order.state == Order.State.PENDING


# --- Codes -------------------------------------------------------------------------------


def all_errors(kind: type[OrderError] = OrderError) -> list[type[OrderError]]:
    return [
        found
        for child in kind.__subclasses__()
        for found in [child, *all_errors(child)]
    ]


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [code_of(kind) for kind in all_errors()]

    assert len(codes) == len(set(codes))
    assert all(code.replace("_", "").isalpha() and code.islower() for code in codes)


def test_codes_that_clients_know_do_not_change() -> None:
    assert code_of(PlanAlreadyHeldError) == "plan_already_held"
    assert code_of(PlanBeingBoughtError) == "plan_being_bought"
    assert {
        *("order_not_found", "idempotency_key_reused", "plan_not_on_sale"),
        *("order_not_payable", "order_not_cancellable", "gateway_down"),
    } <= {code_of(kind) for kind in all_errors()}
