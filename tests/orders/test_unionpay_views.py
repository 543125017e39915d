"""The form that leads to UnionPay, and the post by which its page sends the browser back."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
import requests
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from orders.models import GatewayMessage, Order, OrderEvent, PaymentAttempt
from portal.sandbox import SandboxServer
from tests.factories.orders import make_order
from tests.orders.unionpay_purchases import (
    FORM,
    UnionPurchase,
    make_union_purchase,
)

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]
RETURN = "/orders/return/unionpay/"


@pytest.fixture
def purchase(sandbox: SandboxServer, owner: User, plan: Plan) -> UnionPurchase:
    return make_union_purchase(sandbox, owner, plan)


# --- The way there -----------------------------------------------------------------------


@pytest.fixture
def answer(sandbox: SandboxServer, owner: User, client_of: LogIn, settings: Any) -> Any:
    """What the pay button answers."""
    settings.SITE_URL = "https://portal.example"
    order = make_order(owner, created_at=timezone.now())
    return client_of(owner).post(
        f"/orders/{order.number}/pay/", {"gateway": "unionpay"}
    )


def fields_of(answer: Any) -> dict[str, str]:
    """What the form on the page posts."""
    _, _, text = answer.content.decode().partition("data-submit-at-once")
    form, _, _ = text.partition("</form>")
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    return {name: unescape(value) for name, value in found}


def test_pay_shows_a_form_that_the_gateway_takes(
    answer: Any, sandbox: SandboxServer
) -> None:
    fields = fields_of(answer)

    assert answer.status_code == 200
    assert (
        f'action="{sandbox.url}/gateway/api/frontTransReq.do"'
        in answer.content.decode()
    )
    assert fields["orderId"] == PaymentAttempt.objects.get().number
    assert fields["backUrl"] == "https://portal.example/orders/notify/unionpay/"
    assert fields["frontUrl"] == "http://testserver/orders/return/unionpay/"
    url = f"{sandbox.url}/gateway/api/frontTransReq.do"
    assert requests.post(url, fields, timeout=5).status_code == 200


def test_form_says_where_it_leads_and_has_a_button(answer: Any) -> None:
    text = answer.content.decode()

    assert "（127.0.0.1）" in text
    assert (
        '<button class="btn btn-lg btn-primary" type="submit">前往支付</button>' in text
    )
    assert "js/cashier_form" in text
    # Nothing of the portal's own goes along to the gateway.
    assert "csrfmiddlewaretoken" not in fields_of(answer)


def test_form_may_lead_to_its_gateway_only(answer: Any, sandbox: SandboxServer) -> None:
    policy = answer["Content-Security-Policy"]

    assert f"form-action 'self' {sandbox.url};" in f"{policy};"
    assert "unsafe" not in policy
    assert "no-store" in answer["Cache-Control"]


def test_other_pages_may_not_lead_there(
    owner: User, client_of: LogIn, sandbox: SandboxServer
) -> None:
    policy = client_of(owner).get("/orders/")["Content-Security-Policy"]

    assert sandbox.url not in policy


# --- The way back --------------------------------------------------------------------------


def post_back(number: str, client: Client | None = None, **fields: str) -> Any:
    """As the browser does from UnionPay's page: without the session's cookie."""
    browser = client or Client(enforce_csrf_checks=True)
    return browser.post(RETURN, {"orderId": number, "respCode": "00", **fields})


def test_post_without_a_session_becomes_a_get(purchase: UnionPurchase) -> None:
    response = post_back(purchase.attempt.number)

    assert response.status_code == 303
    assert response["Location"] == f"{RETURN}?orderId={purchase.attempt.number}"
    # A cookie set here would end the session that stayed at home.
    assert not response.cookies
    assert "no-store" in response["Cache-Control"]


def test_post_changes_nothing_and_asks_nobody(
    purchase: UnionPurchase, django_capture_on_commit_callbacks: Any
) -> None:
    purchase.pay()
    events = OrderEvent.objects.count()

    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        post_back(purchase.attempt.number)

    purchase.refresh()
    assert callbacks == []
    assert purchase.order.state == Order.State.PENDING
    assert purchase.sandbox.unionpay.requests == []
    assert GatewayMessage.objects.count() == 0
    assert OrderEvent.objects.count() == events


@pytest.mark.parametrize(
    "number",
    ["", "nothing&x=1", "https://evil.example/", "R1\r\nX: y", "R" * 65, "编号"],
)
def test_post_with_nonsense_leads_nowhere_else(
    sandbox: SandboxServer, number: str
) -> None:
    response = post_back(number)

    assert (response.status_code, response["Location"]) == (303, RETURN)


@pytest.mark.parametrize("number", ["R0", "R261121ABCDEFGHJKLMN"])
def test_post_does_not_tell_which_numbers_exist(
    purchase: UnionPurchase, number: str
) -> None:
    known, unknown = post_back(purchase.attempt.number), post_back(number)

    assert (known.status_code, unknown.status_code) == (303, 303)
    assert unknown["Location"] == f"{RETURN}?orderId={number}"


def test_huge_post_is_not_read(sandbox: SandboxServer) -> None:
    body = b"orderId=R1&a=" + b"b" * 70_000

    response = Client().post(RETURN, body, content_type=FORM)

    assert (response.status_code, response["Location"]) == (303, RETURN)


def test_post_to_an_unknown_gateway_is_not_found(db: None) -> None:
    assert Client().post("/orders/return/nopay/").status_code == 404


def test_get_after_it_asks_the_gateway_and_shows_the_order(
    purchase: UnionPurchase, client_of: LogIn, django_capture_on_commit_callbacks: Any
) -> None:
    purchase.pay()
    url = post_back(purchase.attempt.number)["Location"]
    client = client_of(purchase.order.buyer)

    with django_capture_on_commit_callbacks(execute=True):
        response = client.get(url)

    purchase.refresh()
    expected = f"/orders/{purchase.order.number}/?returned=1"
    assert response["Location"] == expected
    assert purchase.order.state == Order.State.PAID
    assert "购买成功" in client.get(expected).content.decode()


def test_get_after_it_needs_a_login_and_the_right_person(
    purchase: UnionPurchase, stranger: User, client_of: LogIn
) -> None:
    url = post_back(purchase.attempt.number)["Location"]

    assert Client().get(url)["Location"].startswith("/accounts/login/")
    assert client_of(stranger).get(url).status_code == 404
    assert purchase.sandbox.unionpay.requests == []


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(sandbox: SandboxServer, method: str) -> None:
    assert getattr(Client(), method)(RETURN).status_code == 405
