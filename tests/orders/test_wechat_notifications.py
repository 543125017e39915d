"""Notifications of WeChat Pay from the address they come to until the order is settled."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.models import GatewayMessage, Order, PaymentAttempt, PaymentException
from orders.payments.protocol import Inbound, Return
from orders.payments.registry import get_gateway, reset_gateways
from orders.services import (
    end_attempt,
    expire_order,
    query_attempt,
    resolve_exception,
)
from orders.services.payment import describe_charge
from portal.sandbox import SandboxServer
from tests.orders.wechat_notices import (
    WeChatPurchase,
    make_refund_inbound,
    make_wechat_purchase,
)
from tests.sandbox.test_wechat_pay import NOTIFY_URL

pytestmark = pytest.mark.django_db

Post = Callable[[Inbound], Any]
NOTIFY_PATH = "/orders/notify/wechat/"
REFUSAL = '{"code": "FAIL", "message": "失败"}'


@pytest.fixture
def purchase(sandbox: SandboxServer, owner: User, plan: Plan) -> WeChatPurchase:
    return make_wechat_purchase(sandbox, owner, plan)


@pytest.fixture
def post(django_capture_on_commit_callbacks: Any) -> Post:
    """Post a notification the way WeChat does, and let its task run."""

    def send(inbound: Inbound) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return Client(enforce_csrf_checks=True).post(
                NOTIFY_PATH,
                inbound.body,
                content_type="application/json",
                headers=dict(inbound.headers),
            )

    return send


def test_notification_is_kept_answered_and_settled(
    purchase: WeChatPurchase, post: Post
) -> None:
    purchase.pay()
    inbound = purchase.make_inbound()

    answer = post(inbound)

    message = GatewayMessage.objects.get()
    trade = purchase.sandbox.wechat_pay.show(purchase.attempt.number)
    assert (answer.status_code, answer.content) == (204, b"")
    assert message.verdict == GatewayMessage.Verdict.VERIFIED
    assert message.state == GatewayMessage.State.DONE
    assert message.attempt == purchase.attempt
    assert (
        message.headers["wechatpay-signature"]
        == (inbound.headers["wechatpay-signature"])
    )
    assert purchase.attempt.seller == "1900000001"
    purchase.expect_paid_once()
    assert purchase.attempt.gateway_number == trade["transaction_id"]


def test_stored_message_is_still_verifiable_and_tells_nothing_in_clear(
    purchase: WeChatPurchase, post: Post
) -> None:
    purchase.pay()

    post(purchase.make_inbound())

    message = GatewayMessage.objects.get()
    assert "openid" not in f"{message.body}{message.report}{message.headers}"
    kept = Inbound(message.headers, message.body.encode())
    report = get_gateway("wechat").parse_notification(kept)
    assert report.attempt_number == purchase.attempt.number


def test_ten_copies_pay_once(purchase: WeChatPurchase, post: Post) -> None:
    purchase.pay()
    inbound = purchase.make_inbound()

    answers = [post(inbound).status_code for _ in range(10)]

    assert answers == [204] * 10
    done = GatewayMessage.objects.filter(state=GatewayMessage.State.DONE)
    assert done.count() == 10
    purchase.expect_paid_once()


def test_stale_unpaid_after_paid_changes_nothing(
    purchase: WeChatPurchase, post: Post
) -> None:
    purchase.pay()
    post(purchase.make_inbound())

    for state in ("NOTPAY", "CLOSED"):
        post(purchase.make_inbound(changes={"trade_state": state}))

    purchase.expect_paid_once()


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": {"total": 1}},
        {"amount": {"total": 3299}},
        {"amount": {"currency": "USD"}},
        {"amount": {"total": "3300"}},
        {"amount": None},
    ],
)
def test_another_amount_is_held_for_review(
    purchase: WeChatPurchase, post: Post, changes: dict[str, object]
) -> None:
    purchase.pay()

    answer = post(purchase.make_inbound(changes=changes))

    purchase.refresh()
    assert answer.status_code == 204
    assert PaymentException.objects.get().kind == PaymentException.Kind.AMOUNT
    assert purchase.order.state == Order.State.PENDING
    assert Enrolment.objects.count() == 0


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"signer": "forged"}, "wrong signature"),
        ({"serial": "4F2A"}, "unknown serial"),
        ({"at": time.time() - 3600}, "timestamp is not of now"),
        ({"changes": {"mchid": "1900000009"}}, "mchid is not ours"),
        ({"changes": {"appid": "wx0000000000000009"}}, "appid is not ours"),
    ],
    ids=["forged", "serial", "an hour old", "mchid", "appid"],
)
def test_what_cannot_be_believed_is_refused(
    purchase: WeChatPurchase, post: Post, spoil: dict[str, Any], reason: str
) -> None:
    purchase.pay()
    purchase.sandbox.wechat_pay.requests.clear()

    answer = post(purchase.make_inbound(**spoil))

    message = GatewayMessage.objects.get()
    assert (answer.status_code, answer.content.decode()) == (400, REFUSAL)
    assert (message.verdict, message.reason) == (
        GatewayMessage.Verdict.REJECTED,
        reason,
    )
    assert message.state == GatewayMessage.State.IGNORED
    assert purchase.sandbox.wechat_pay.requests == []
    purchase.expect_untouched()


def test_replay_of_what_was_genuine_an_hour_ago_is_refused(
    purchase: WeChatPurchase, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    purchase.pay()
    inbound = purchase.make_inbound()
    gateway: Any = get_gateway("wechat")
    later = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(gateway, "_now", lambda: later)

    assert post(inbound).status_code == 400

    purchase.expect_untouched()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe\x00", b"\x00"])
def test_broken_body_is_refused(
    purchase: WeChatPurchase, post: Post, body: bytes
) -> None:
    answer = post(replace(purchase.make_inbound(), body=body))

    assert answer.status_code == 400
    assert GatewayMessage.objects.get().verdict == GatewayMessage.Verdict.REJECTED
    purchase.expect_untouched()


def test_two_megabytes_are_refused_unread(purchase: WeChatPurchase, post: Post) -> None:
    answer = post(replace(purchase.make_inbound(), body=b"x" * 2 * 1024 * 1024))

    assert answer.status_code == 413
    assert GatewayMessage.objects.count() == 0


def test_unusable_keys_make_wechat_send_again(
    purchase: WeChatPurchase, post: Post, settings: Settings
) -> None:
    """An answer of 200 would be the end of it: to WeChat the status decides."""
    purchase.pay()
    inbound = purchase.make_inbound()
    usable = settings.WECHAT_PAY
    settings.WECHAT_PAY = {**usable, "public_key_file": "/nowhere.pem"}
    reset_gateways()

    assert post(inbound).status_code == 503

    settings.WECHAT_PAY = usable
    reset_gateways()
    purchase.expect_untouched()
    assert post(inbound).status_code == 204
    purchase.expect_paid_once()


def test_unknown_number_is_acknowledged_and_noted(
    purchase: WeChatPurchase, post: Post
) -> None:
    purchase.pay()

    answer = post(purchase.make_inbound(changes={"out_trade_no": "OTHERSYSTEM0001"}))

    exception = PaymentException.objects.get()
    assert answer.status_code == 204
    assert exception.kind == PaymentException.Kind.UNKNOWN_ATTEMPT
    assert (exception.gateway, exception.attempt_number) == (
        "wechat",
        "OTHERSYSTEM0001",
    )


def test_note_about_a_refund_pays_nothing(purchase: WeChatPurchase, post: Post) -> None:
    purchase.pay()
    charge = describe_charge(purchase.attempt)
    back = Return("F-of-unpaid", 1000, timezone.now())
    get_gateway("wechat").refund(charge, back, NOTIFY_URL)

    answer = post(make_refund_inbound(purchase.sandbox, "F-of-unpaid"))

    message = GatewayMessage.objects.get()
    assert answer.status_code == 204
    assert message.report is not None
    assert message.report["refund_number"] == "F-of-unpaid"
    purchase.refresh()
    exception = PaymentException.objects.get()
    assert purchase.order.state == Order.State.PENDING
    assert purchase.attempt.state == PaymentAttempt.State.WAITING
    assert Enrolment.objects.count() == 0
    # Nobody here asked for it: staff look at it.
    assert exception.kind == PaymentException.Kind.FOREIGN_REFUND
    assert (exception.attempt, exception.refund_number) == (
        purchase.attempt,
        "F-of-unpaid",
    )
    assert exception.amount_fen == 1000


def test_payment_that_came_and_went_unheard_does_not_wait_for_ever(
    purchase: WeChatPurchase, staff: User
) -> None:
    """WeChat says REFUND of a payment whose notification was lost."""
    purchase.pay()
    charge = describe_charge(purchase.attempt)
    back = Return("F-at-the-console", 3300, timezone.now())
    get_gateway("wechat").refund(charge, back, NOTIFY_URL)

    assert end_attempt(attempt_id=purchase.attempt.pk, now=timezone.now())

    purchase.refresh()
    exception = PaymentException.objects.get()
    assert purchase.attempt.state == PaymentAttempt.State.REVIEW
    assert purchase.order.state == Order.State.PENDING
    assert Enrolment.objects.count() == 0
    assert exception.kind == PaymentException.Kind.FOREIGN_REFUND
    assert (exception.refund_number, exception.amount_fen) == ("", 3300)

    resolve_exception(
        exception_id=exception.pk,
        outcome=PaymentException.Outcome.ACCEPTED,
        reason="已在商户平台核对",
        actor=staff,
        now=timezone.now(),
    )

    purchase.refresh()
    attempt = purchase.attempt
    assert attempt.state == PaymentAttempt.State.CLOSED
    assert (attempt.received_fen, attempt.refunded_fen) == (3300, 3300)
    assert (purchase.order.state, purchase.order.refunded_fen) == ("pending", 0)


# --- Without a notification, and too late -------------------------------------------------


def test_query_finds_a_lost_notification(purchase: WeChatPurchase) -> None:
    purchase.pay()

    query_attempt(attempt_id=purchase.attempt.pk, now=timezone.now())

    purchase.expect_paid_once()
    message = GatewayMessage.objects.get()
    assert message.source == GatewayMessage.Source.QUERY
    assert "openid" not in message.body


def test_expiry_closes_at_wechat_first(purchase: WeChatPurchase) -> None:
    later = purchase.order.expires_at + timedelta(seconds=1)

    assert end_attempt(attempt_id=purchase.attempt.pk, now=later)
    assert expire_order(order_id=purchase.order.pk, now=later)

    number = purchase.attempt.number
    assert purchase.sandbox.wechat_pay.show(number)["state"] == "CLOSED"
    assert [name for name, _ in purchase.sandbox.wechat_pay.requests[1:]] == [
        "query",
        "close",
    ]


def test_expiry_that_meets_a_paid_order_settles_it(purchase: WeChatPurchase) -> None:
    purchase.pay()
    later = purchase.order.expires_at + timedelta(seconds=1)

    assert end_attempt(attempt_id=purchase.attempt.pk, now=later)
    assert not expire_order(order_id=purchase.order.pk, now=later)

    purchase.expect_paid_once()


def test_expiry_leaves_an_attempt_in_doubt_alone(purchase: WeChatPurchase) -> None:
    later = purchase.order.expires_at + timedelta(seconds=1)
    purchase.sandbox.wechat_pay.faults.append("hang")

    assert not end_attempt(attempt_id=purchase.attempt.pk, now=later)
    assert not expire_order(order_id=purchase.order.pk, now=later)

    purchase.expect_untouched()


def test_money_for_a_closed_order_opens_the_plan(
    purchase: WeChatPurchase, post: Post
) -> None:
    later = purchase.order.expires_at + timedelta(seconds=1)
    end_attempt(attempt_id=purchase.attempt.pk, now=later)
    expire_order(order_id=purchase.order.pk, now=later)
    purchase.pay()

    assert post(purchase.make_inbound()).status_code == 204

    purchase.expect_paid_once()
