"""From the pay button to WeChat: the QR code on a desk, the bridge, the phone's page."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from catalog.models import Plan
from orders.models import Order, PaymentAttempt
from orders.services import place_personal_order, query_attempt
from portal.sandbox import SandboxServer
from portal.sandbox.wechat import PEOPLE

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36"
PHONE = "Mozilla/5.0 (Linux; Android 14) Chrome/130.0 Mobile Safari/537.36"
WECHAT = f"{PHONE} MicroMessenger/8.0.50"
WECHAT_ON_DESK = f"{DESK} MicroMessenger/7.0.20 WindowsWechat"
OPENID = PEOPLE[0].openid


@pytest.fixture
def order(sandbox: SandboxServer, owner: User, plan: Plan) -> Order:
    return place_personal_order(buyer=owner, plan=plan, now=timezone.now())


@pytest.fixture
def client(client_of: LogIn, owner: User) -> Client:
    return client_of(owner)


def detail_url(order: Order) -> str:
    return f"/orders/{order.number}/"


def cashier_url(order: Order) -> str:
    return f"/orders/{order.number}/cashier/"


def press_pay(client: Client, order: Order, agent: str = DESK) -> Any:
    return client.post(
        f"/orders/{order.number}/pay/",
        {"gateway": "wechat"},
        headers={"user-agent": agent},
    )


# --- On a desk ---------------------------------------------------------------------------


def test_desk_gets_a_page_with_the_code(
    client: Client, order: Order, sandbox: SandboxServer
) -> None:
    response = press_pay(client, order)

    page = client.get(response["Location"])
    text = page.content.decode()
    [trade] = [
        t for t in sandbox.wechat_pay.list_trades() if t.number == attempt_of(order)
    ]
    assert (response.status_code, response["Location"]) == (303, cashier_url(order))
    assert 'src="data:image/svg+xml' in text
    assert "33.00" in text
    assert order.number in text
    assert 'hx-trigger="every 3s"' in text
    assert f"{sandbox.url}/cashier/wechat/{trade.token}" in text
    assert 0 < page.context["seconds"] <= 1800
    assert "no-store" in page["Cache-Control"]


def attempt_of(order: Order) -> str:
    return PaymentAttempt.objects.get(order=order).number


def test_real_code_is_only_shown_as_a_picture(
    client: Client, order: Order, settings: Settings
) -> None:
    settings.SANDBOX = False

    text = client.get(press_pay(client, order)["Location"]).content.decode()

    assert "模拟收银台" not in text


def test_reloading_the_page_calls_nobody(
    client: Client, order: Order, sandbox: SandboxServer
) -> None:
    press_pay(client, order)
    sandbox.wechat_pay.requests.clear()

    first = client.get(cashier_url(order)).context["picture"]
    second = client.get(cashier_url(order)).context["picture"]

    assert first == second
    assert sandbox.wechat_pay.requests == []


def test_page_leads_on_when_the_order_is_paid(
    client: Client, order: Order, sandbox: SandboxServer
) -> None:
    press_pay(client, order)
    seen = client.get(cashier_url(order)).context["fingerprint"]
    status = f"{detail_url(order)}status/"
    before = client.get(status, {"seen": seen})
    sandbox.wechat_pay.pay(attempt_of(order))
    query_attempt(attempt_id=PaymentAttempt.objects.get().pk, now=timezone.now())

    after = client.get(status, {"seen": seen})
    page = client.get(cashier_url(order), follow=True)

    assert "HX-Refresh" not in before
    assert after["HX-Refresh"] == "true"
    assert page.redirect_chain == [(detail_url(order), 302)]
    assert "购买成功" in page.content.decode()


def test_page_is_of_the_payment_that_was_started_here(
    client: Client, order: Order, client_of: LogIn
) -> None:
    press_pay(client, order)
    other_browser = client_of(order.buyer)

    assert other_browser.get(cashier_url(order))["Location"] == detail_url(order)


def test_page_of_a_stranger_is_not_found(
    client: Client, order: Order, stranger: User, client_of: LogIn
) -> None:
    press_pay(client, order)

    assert client_of(stranger).get(cashier_url(order)).status_code == 404


@pytest.mark.parametrize("left", [timedelta(seconds=30), timedelta(seconds=-1)])
def test_page_ends_with_the_time_to_pay(
    client: Client, order: Order, left: timedelta
) -> None:
    press_pay(client, order)
    Order.objects.update(expires_at=timezone.now() + left)

    assert client.get(cashier_url(order))["Location"] == detail_url(order)


@pytest.mark.parametrize("fault", ["hang", "html", "system_error", "bad_signature"])
def test_gateway_in_trouble_is_told(
    client: Client, order: Order, sandbox: SandboxServer, fault: str
) -> None:
    sandbox.wechat_pay.faults.append(fault)

    response = press_pay(client, order)

    assert response["Location"] == detail_url(order)
    assert "支付渠道暂时无法使用" in client.get(detail_url(order)).content.decode()


# --- On a phone --------------------------------------------------------------------------


def test_phone_is_led_to_wechats_page(
    client: Client, order: Order, sandbox: SandboxServer
) -> None:
    response = press_pay(client, order, PHONE)

    query = parse_qs(urlsplit(response["Location"]).query)
    back = f"http://testserver/orders/return/wechat/?out_trade_no={attempt_of(order)}"
    assert response.status_code == 303
    assert response["Location"].startswith(f"{sandbox.url}/cgi-bin/mmpayweb-bin/")
    assert query["redirect_url"] == [back]
    # Without it the browser would not say where it comes from, and WeChat would refuse.
    assert response["Referrer-Policy"] == "strict-origin"
    assert sandbox.wechat_pay.show(attempt_of(order))["trade_type"] == "MWEB"


def test_return_from_the_phones_page_asks_wechat(
    client: Client,
    order: Order,
    sandbox: SandboxServer,
    django_capture_on_commit_callbacks: Any,
) -> None:
    press_pay(client, order, PHONE)
    number = attempt_of(order)
    sandbox.wechat_pay.pay(number)

    with django_capture_on_commit_callbacks(execute=True):
        response = client.get("/orders/return/wechat/", {"out_trade_no": number})

    order.refresh_from_db()
    assert response["Location"] == f"{detail_url(order)}?returned=1"
    assert order.state == Order.State.PAID


def test_return_of_a_stranger_is_not_found(
    client: Client, order: Order, stranger: User, client_of: LogIn
) -> None:
    press_pay(client, order, PHONE)
    path = f"/orders/return/wechat/?out_trade_no={attempt_of(order)}"

    assert client_of(stranger).get(path).status_code == 404


def test_order_page_lets_its_form_be_answered_by_wechat(
    client: Client, order: Order, settings: Settings
) -> None:
    settings.WECHAT_PAY = {
        **settings.WECHAT_PAY,
        "gateway": "https://api.mch.weixin.qq.com",
    }
    settings.WECHAT = {**settings.WECHAT, "oauth_base": "https://open.weixin.qq.com"}

    policy = client.get(detail_url(order))["Content-Security-Policy"]

    form = next(p for p in policy.split("; ") if p.startswith("form-action"))
    assert form.split()[-2:] == ["https://wx.tenpay.com", "https://open.weixin.qq.com"]


# --- Inside WeChat -----------------------------------------------------------------------


def come_back(client: Client, sandbox: SandboxServer, location: str, **changes: str):
    """Return from WeChat's page as the browser does."""
    state = parse_qs(urlsplit(location).query)["state"][0]
    query = {"code": sandbox.wechat.make_code(OPENID), "state": state, **changes}
    return client.get("/orders/payer/", query, headers={"user-agent": WECHAT})


@pytest.mark.parametrize("agent", [WECHAT, WECHAT_ON_DESK])
def test_wechats_browser_is_asked_who_pays_once(
    client: Client, order: Order, sandbox: SandboxServer, settings: Settings, agent: str
) -> None:
    first = press_pay(client, order, agent)
    query = parse_qs(urlsplit(first["Location"]).query)
    back = come_back(client, sandbox, first["Location"])
    again = press_pay(client, order, agent)

    assert first["Location"].startswith(f"{sandbox.url}/connect/oauth2/authorize?")
    assert query["scope"] == ["snsapi_base"]
    assert query["redirect_uri"] == [f"{settings.SITE_URL}/orders/payer/"]
    assert (back.status_code, back["Location"]) == (303, cashier_url(order))
    assert again["Location"] == cashier_url(order)
    assert sandbox.wechat_pay.show(attempt_of(order))["payer"] == OPENID


def test_page_hands_the_bridge_what_wechat_opens(
    client: Client, order: Order, sandbox: SandboxServer
) -> None:
    come_back(client, sandbox, press_pay(client, order, WECHAT)["Location"])

    text = client.get(cashier_url(order)).content.decode()

    start = text.index('<script id="bridge-fields" type="application/json">')
    fields = json.loads(
        text[text.index(">", start) + 1 : text.index("</script>", start)]
    )
    trade = sandbox.wechat_pay.open_bridge(fields)
    assert trade.number == attempt_of(order)
    back = f"http://testserver/orders/return/wechat/?out_trade_no={trade.number}"
    assert f'data-return="{back}"' in text
    assert "请在手机微信中打开本页" in text
    assert OPENID not in text


@pytest.mark.parametrize("state", ["forged", "状态", ""])
def test_foreign_state_starts_nothing(
    client: Client, order: Order, sandbox: SandboxServer, state: str
) -> None:
    location = press_pay(client, order, WECHAT)["Location"]

    response = come_back(client, sandbox, location, state=state)

    assert response["Location"] == "/orders/"
    assert "orders_payer_openid" not in client.session
    assert sandbox.wechat_pay.requests == []


def test_state_works_once(client: Client, order: Order, sandbox: SandboxServer) -> None:
    location = press_pay(client, order, WECHAT)["Location"]
    come_back(client, sandbox, location)
    sandbox.wechat_pay.requests.clear()

    assert come_back(client, sandbox, location)["Location"] == "/orders/"
    assert sandbox.wechat_pay.requests == []


def test_state_of_another_browser_starts_nothing(
    client: Client,
    order: Order,
    sandbox: SandboxServer,
    client_of: LogIn,
    stranger: User,
) -> None:
    location = press_pay(client, order, WECHAT)["Location"]

    response = come_back(client_of(stranger), sandbox, location)

    assert response["Location"] == "/orders/"
    assert sandbox.wechat_pay.requests == []


def test_code_wechat_does_not_know_is_told(
    client: Client, order: Order, sandbox: SandboxServer
) -> None:
    location = press_pay(client, order, WECHAT)["Location"]

    response = come_back(client, sandbox, location, code="wrong")

    assert response["Location"] == detail_url(order)
    assert "支付渠道暂时无法使用" in client.get(detail_url(order)).content.decode()
    assert sandbox.wechat_pay.requests == []


def test_without_a_service_account_the_bridge_is_not_offered(
    client: Client, order: Order, settings: Settings
) -> None:
    settings.WECHAT = {**settings.WECHAT, "app_secret": ""}

    assert press_pay(client, order, WECHAT)["Location"] == detail_url(order)
    assert "支付渠道暂时无法使用" in client.get(detail_url(order)).content.decode()


def test_going_on_in_wechat_ends_the_payment_of_the_desk(
    client: Client, order: Order, sandbox: SandboxServer
) -> None:
    press_pay(client, order)
    come_back(client, sandbox, press_pay(client, order, WECHAT)["Location"])

    states = [attempt.state for attempt in order.attempts.order_by("pk")]
    assert states == ["closed", "waiting"]
    assert "bridge-fields" in client.get(cashier_url(order)).content.decode()
