from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from learning.models import Enrolment
from orders import tasks
from orders.models import (
    GatewayMessage,
    Order,
    OrderEvent,
    PaymentAttempt,
    PaymentException,
)
from orders.services import notifications
from tests.orders.purchases import FORM, NOTIFY_PATH, Purchase

pytestmark = pytest.mark.django_db

Post = Callable[..., Any]


def expect_untouched(purchase: Purchase) -> None:
    purchase.refresh()
    assert purchase.order.state == Order.State.PENDING
    assert purchase.attempt.state == PaymentAttempt.State.WAITING
    assert Enrolment.objects.count() == 0
    assert PaymentException.objects.count() == 0


def expect_paid_once(purchase: Purchase) -> None:
    purchase.refresh()
    assert purchase.order.state == Order.State.PAID
    assert purchase.attempt.state == PaymentAttempt.State.PAID
    assert Enrolment.objects.count() == 1
    paid = OrderEvent.objects.filter(kind=OrderEvent.Kind.PAID)
    assert paid.count() == 1


def test_notification_is_kept_answered_and_settled(
    purchase: Purchase, post_notice: Post
) -> None:
    purchase.pay()

    response = post_notice(purchase.make_body())

    message = GatewayMessage.objects.get()
    assert (response.status_code, response.content) == (200, b"success")
    assert response["Content-Type"] == "text/plain"
    assert message.verdict == GatewayMessage.Verdict.VERIFIED
    assert message.state == GatewayMessage.State.DONE
    assert message.attempt == purchase.attempt
    assert "trade_status=TRADE_SUCCESS" in message.body
    expect_paid_once(purchase)
    trade = purchase.sandbox.alipay.trades.get(purchase.attempt.number)
    assert purchase.attempt.gateway_number == trade["trade_no"]
    paid_at = datetime.fromisoformat(f"{trade['paid_at']}+08:00")
    assert purchase.order.paid_at == paid_at


def test_same_notification_ten_times_settles_once(
    purchase: Purchase, post_notice: Post
) -> None:
    purchase.pay()
    body = purchase.make_body()

    answers = [post_notice(body).content for _ in range(10)]

    assert answers == [b"success"] * 10
    assert GatewayMessage.objects.count() == 10
    done = GatewayMessage.objects.filter(state=GatewayMessage.State.DONE)
    assert done.count() == 10
    expect_paid_once(purchase)


def test_older_unpaid_after_paid_is_ignored(
    purchase: Purchase, post_notice: Post
) -> None:
    purchase.pay()
    post_notice(purchase.make_body())

    answer = post_notice(purchase.make_body(trade_status="WAIT_BUYER_PAY"))

    assert answer.content == b"success"
    expect_paid_once(purchase)


def test_wrong_amount_validly_signed_becomes_an_exception(
    purchase: Purchase, post_notice: Post
) -> None:
    purchase.pay()

    answer = post_notice(purchase.make_body(total_amount="0.01"))

    purchase.refresh()
    exception = PaymentException.objects.get()
    assert answer.content == b"success"
    assert exception.kind == PaymentException.Kind.AMOUNT
    assert exception.amount_fen == 1
    assert exception.message == GatewayMessage.objects.get()
    assert purchase.attempt.state == PaymentAttempt.State.REVIEW
    assert purchase.order.state == Order.State.PENDING
    assert Enrolment.objects.count() == 0


@pytest.mark.parametrize("amount", ["", "33", "33.000", "1e2", "-33.00", "33.00 "])
def test_unreadable_amount_is_never_the_right_one(
    purchase: Purchase, post_notice: Post, amount: str
) -> None:
    purchase.pay()

    post_notice(purchase.make_body(total_amount=amount))

    purchase.refresh()
    if amount == "33":
        expect_paid_once(purchase)
    else:
        assert PaymentException.objects.get().kind == PaymentException.Kind.AMOUNT
        assert purchase.order.state == Order.State.PENDING


def test_forged_signature_is_refused(purchase: Purchase, post_notice: Post) -> None:
    answer = post_notice(purchase.make_body(forged=True))

    message = GatewayMessage.objects.get()
    assert (answer.status_code, answer.content) == (200, b"failure")
    assert message.verdict == GatewayMessage.Verdict.REJECTED
    assert message.state == GatewayMessage.State.IGNORED
    assert message.reason == "wrong signature"
    expect_untouched(purchase)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"app_id": "2021000000000009"}, "app_id is not ours"),
        ({"seller_id": "2088000000000009"}, "seller_id is not ours"),
        ({"out_trade_no": ""}, "not about a payment"),
    ],
)
def test_message_for_somebody_else_is_refused(
    purchase: Purchase, post_notice: Post, changes: dict[str, str], reason: str
) -> None:
    purchase.pay()

    answer = post_notice(purchase.make_body(**changes))

    assert answer.content == b"failure"
    assert GatewayMessage.objects.get().reason == reason
    expect_untouched(purchase)


@pytest.mark.parametrize(
    "change",
    [
        lambda form: form.update(total_amount="0.01"),
        lambda form: form.pop("trade_no"),
        lambda form: form.pop("sign_type"),
        lambda form: form.update(sign_type="RSA"),
        lambda form: form.pop("sign"),
        lambda form: form.update(sign="***"),
        lambda form: form.update(extra="1"),
    ],
)
def test_message_changed_on_the_way_is_refused(
    purchase: Purchase, post_notice: Post, change: Callable[[dict[str, str]], object]
) -> None:
    purchase.pay()
    form = purchase.sandbox.alipay.make_notice(purchase.attempt.number)
    change(form)

    answer = post_notice(urlencode(form).encode())

    assert answer.content == b"failure"
    expect_untouched(purchase)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe=\x00", b"sign", b"a=b&" * 200, b"%00=%00&sign=%00"]
)
def test_broken_body_is_refused(
    purchase: Purchase, post_notice: Post, body: bytes
) -> None:
    answer = post_notice(body)

    assert (answer.status_code, answer.content) == (200, b"failure")
    assert GatewayMessage.objects.get().verdict == GatewayMessage.Verdict.REJECTED
    expect_untouched(purchase)


def test_two_megabytes_are_refused_unread(
    purchase: Purchase, post_notice: Post
) -> None:
    answer = post_notice(b"a=" + b"b" * 2 * 1024 * 1024)

    assert (answer.status_code, answer.content) == (413, b"failure")
    assert GatewayMessage.objects.count() == 0


def test_unknown_number_is_acknowledged_and_noted(
    purchase: Purchase, post_notice: Post
) -> None:
    purchase.pay()

    answer = post_notice(purchase.make_body(out_trade_no="OTHERSYSTEM0001"))

    exception = PaymentException.objects.get()
    assert answer.content == b"success"
    assert exception.kind == PaymentException.Kind.UNKNOWN_ATTEMPT
    assert exception.attempt_number == "OTHERSYSTEM0001"
    assert GatewayMessage.objects.get().attempt is None


def test_note_about_a_refund_pays_nothing(
    purchase: Purchase, post_notice: Post
) -> None:
    body = purchase.make_body(
        trade_status="TRADE_SUCCESS",
        refund_fee="33.00",
        gmt_refund="2026-06-15 10:00:00.000",
        out_biz_no="F1",
    )

    answer = post_notice(body)

    purchase.refresh()
    exception = PaymentException.objects.get()
    assert answer.content == b"success"
    assert purchase.order.state == Order.State.PENDING
    assert purchase.attempt.state == PaymentAttempt.State.WAITING
    assert Enrolment.objects.count() == 0
    # Nobody here asked for it: staff look at it. What the note names is a running sum.
    assert exception.kind == PaymentException.Kind.FOREIGN_REFUND
    assert (exception.refund_number, exception.amount_fen) == ("F1", None)


def test_flood_of_forgeries_does_not_fill_the_table(
    purchase: Purchase, post_notice: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "_REJECTED_PER_MINUTE", 3)

    answers = [post_notice(b"sign_type=RSA2").content for _ in range(5)]

    assert answers == [b"failure"] * 5
    assert GatewayMessage.objects.count() == 3


def test_broker_down_costs_time_only(
    purchase: Purchase, post_notice: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise ConnectionError("broker down")

    monkeypatch.setattr(tasks.process_gateway_message, "apply_async", fail)
    monkeypatch.setattr(tasks.process_gateway_message, "delay", fail)
    purchase.pay()

    answer = post_notice(purchase.make_body())

    assert (answer.status_code, answer.content) == (200, b"success")
    message = GatewayMessage.objects.get()
    assert message.state == GatewayMessage.State.WAITING
    message.received_at = timezone.now() - timedelta(seconds=6)
    message.save()
    tasks.sweep_gateway_messages()
    expect_paid_once(purchase)


def test_sweep_leaves_a_fresh_message_to_its_task(
    purchase: Purchase, client: Client
) -> None:
    purchase.pay()
    client.post(NOTIFY_PATH, purchase.make_body(), content_type=FORM)

    tasks.sweep_gateway_messages()

    assert GatewayMessage.objects.get().state == GatewayMessage.State.WAITING


def test_message_that_fails_does_not_hold_up_the_sweep(
    purchase: Purchase, client: Client
) -> None:
    purchase.pay()
    client.post(NOTIFY_PATH, purchase.make_body(), content_type=FORM)
    earlier = timezone.now() - timedelta(minutes=1)
    GatewayMessage.objects.update(received_at=earlier)
    GatewayMessage.objects.create(
        gateway="alipay",
        source=GatewayMessage.Source.NOTIFICATION,
        verdict=GatewayMessage.Verdict.VERIFIED,
        state=GatewayMessage.State.WAITING,
        report={"state": "nonsense"},
        received_at=earlier - timedelta(minutes=1),
    )

    tasks.sweep_gateway_messages()

    expect_paid_once(purchase)


def test_message_is_processed_once(purchase: Purchase, post_notice: Post) -> None:
    purchase.pay()
    post_notice(purchase.make_body())
    before = GatewayMessage.objects.get()

    tasks.process_gateway_message(before.pk)

    assert GatewayMessage.objects.get().processed_at == before.processed_at
    expect_paid_once(purchase)


def test_worker_killed_in_settlement_leaves_the_message_to_the_sweep(
    purchase: Purchase, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    purchase.pay()
    client.post(NOTIFY_PATH, purchase.make_body(), content_type=FORM)
    message = GatewayMessage.objects.get()

    def die(*_args: object, **_kwargs: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("orders.services.delivery.open_enrolments", die)
        with pytest.raises(SystemExit):
            tasks.process_gateway_message(message.pk)

    expect_untouched(purchase)
    tasks.process_gateway_message(message.pk)
    expect_paid_once(purchase)


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_only_post_is_answered(client: Client, db: None, method: str) -> None:
    assert getattr(client, method)(NOTIFY_PATH).status_code == 405


def test_unknown_gateway_is_not_found(client: Client, db: None) -> None:
    assert client.post("/orders/notify/nopay/").status_code == 404
