"""What UnionPay's messages do to an order: nothing before the gateway itself was asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders import tasks
from orders.models import (
    GatewayMessage,
    Order,
    OrderEvent,
    PaymentAttempt,
    PaymentException,
)
from orders.payments.registry import reset_gateways
from orders.queries import list_waiting_message_ids
from orders.services import (
    process_message,
    query_attempt,
)
from portal.sandbox import SandboxServer
from tests.orders.unionpay_purchases import (
    FORM,
    NOTIFY_PATH,
    UnionPurchase,
    expect_paid_once,
    expect_untouched,
    make_union_purchase,
)

pytestmark = pytest.mark.django_db

Post = Callable[[bytes], Any]
QUERY = "/gateway/api/queryTrans.do"


@pytest.fixture
def purchase(sandbox: SandboxServer, owner: User, plan: Plan) -> UnionPurchase:
    return make_union_purchase(sandbox, owner, plan)


@pytest.fixture
def post(django_capture_on_commit_callbacks: Any) -> Post:
    """Post a notification the way the gateway does, and let its task run."""

    def work(body: bytes) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            client = Client(enforce_csrf_checks=True)
            return client.post(NOTIFY_PATH, body, content_type=FORM)

    return work


def notification() -> GatewayMessage:
    return GatewayMessage.objects.get(source=GatewayMessage.Source.NOTIFICATION)


# --- Paid --------------------------------------------------------------------------------


def test_notification_is_confirmed_by_a_query_and_settles(
    purchase: UnionPurchase, post: Post
) -> None:
    purchase.pay()

    answer = post(purchase.make_body())

    assert (answer.status_code, answer.content) == (200, b"ok")
    assert purchase.sandbox.unionpay.requests == [(QUERY, purchase.attempt.number)]
    expect_paid_once(purchase)
    shown = purchase.sandbox.unionpay.show(purchase.attempt.number)
    assert purchase.attempt.gateway_number == shown["query_id"]
    message = notification()
    assert message.state == GatewayMessage.State.DONE
    assert message.attempt == purchase.attempt
    # Both are kept: what was sent and what was answered.
    assert GatewayMessage.objects.filter(source="query").count() == 1
    assert OrderEvent.objects.filter(kind=OrderEvent.Kind.NOTIFIED).count() == 1


def test_ten_notifications_settle_once(purchase: UnionPurchase, post: Post) -> None:
    purchase.pay()
    body = purchase.make_body()

    answers = [post(body).status_code for _ in range(10)]

    assert answers == [200] * 10
    expect_paid_once(purchase)
    # What is paid is not asked about again.
    assert len(purchase.sandbox.unionpay.requests) == 1


def test_query_before_the_notification_settles_once(
    purchase: UnionPurchase, post: Post
) -> None:
    purchase.pay()
    query_attempt(attempt_id=purchase.attempt.pk, now=timezone.now())

    post(purchase.make_body())

    expect_paid_once(purchase)


def test_unpaid_after_paid_changes_nothing(purchase: UnionPurchase, post: Post) -> None:
    purchase.pay()
    post(purchase.make_body())

    post(purchase.make_body(respCode="05"))

    expect_paid_once(purchase)


def test_lost_notification_is_found_by_polling(purchase: UnionPurchase) -> None:
    purchase.pay()
    PaymentAttempt.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    purchase.refresh()
    with purchase.sandbox.unionpay.trades.edit(purchase.attempt.number) as trade:
        moment = timezone.localtime(purchase.attempt.created_at)
        trade["txn_time"] = f"{moment:%Y%m%d%H%M%S}"

    tasks.poll_waiting_attempts()

    expect_paid_once(purchase)


# --- Not confirmed -------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["html", "bad_signature", "system_error", "in_doubt"])
def test_without_an_answer_the_message_waits_for_the_sweep(
    purchase: UnionPurchase, post: Post, fault: str
) -> None:
    purchase.pay()
    purchase.sandbox.unionpay.faults.append(fault)

    answer = post(purchase.make_body())

    assert answer.status_code == 200
    expect_untouched(purchase)
    assert notification().state == GatewayMessage.State.WAITING
    GatewayMessage.objects.update(received_at=timezone.now() - timedelta(seconds=6))
    tasks.sweep_gateway_messages()
    expect_paid_once(purchase)
    assert notification().state == GatewayMessage.State.DONE


def test_signed_word_alone_pays_nothing(purchase: UnionPurchase, post: Post) -> None:
    """Genuine and paid, says the notification; the query does not know of any money."""
    post(purchase.make_body())

    expect_untouched(purchase)
    assert notification().state == GatewayMessage.State.WAITING


def test_contradiction_ends_with_the_attempt(
    purchase: UnionPurchase, post: Post
) -> None:
    post(purchase.make_body())
    PaymentAttempt.objects.update(state=PaymentAttempt.State.CLOSED)

    process_message(message_id=notification().pk, now=timezone.now())

    purchase.refresh()
    assert notification().state == GatewayMessage.State.DONE
    assert purchase.attempt.state == PaymentAttempt.State.CLOSED
    assert Enrolment.objects.count() == 0


def test_unconfirmed_message_is_asked_about_at_the_pace_of_the_polls(
    purchase: UnionPurchase, post: Post
) -> None:
    post(purchase.make_body())
    asked = purchase.sandbox.unionpay.requests
    assert len(asked) == 1
    key, begun = notification().pk, timezone.now()

    for seconds in (30, 61, 100, 200):
        process_message(message_id=key, now=begun + timedelta(seconds=seconds))

    # At once, again while it is fresh, and then every two minutes.
    assert len(asked) == 3


def test_message_without_an_answer_lets_others_go_first(
    purchase: UnionPurchase, post: Post
) -> None:
    post(purchase.make_body())
    unasked = GatewayMessage.objects.create(
        gateway="alipay",
        source=GatewayMessage.Source.NOTIFICATION,
        verdict=GatewayMessage.Verdict.VERIFIED,
        state=GatewayMessage.State.WAITING,
        received_at=timezone.now(),
    )
    later = timezone.now() + timedelta(seconds=6)

    assert list_waiting_message_ids(later, 1) == [unasked.pk]


# --- Wrong, forged, foreign, unknown, late --------------------------------------------------


def test_wrong_amount_is_held_for_staff(purchase: UnionPurchase, post: Post) -> None:
    purchase.pay(amount_fen=1)

    answer = post(purchase.make_body())

    purchase.refresh()
    exception = PaymentException.objects.get()
    assert answer.status_code == 200
    assert (exception.kind, exception.amount_fen) == (PaymentException.Kind.AMOUNT, 1)
    assert exception.message == notification()
    assert purchase.attempt.state == PaymentAttempt.State.REVIEW
    assert purchase.order.state == Order.State.PENDING
    assert Enrolment.objects.count() == 0


def test_amount_of_the_query_counts(purchase: UnionPurchase, post: Post) -> None:
    """Signed, but another amount than the gateway has: believed is who is asked."""
    purchase.pay()

    post(purchase.make_body(txnAmt="1"))

    expect_paid_once(purchase)


def test_forged_notification_is_refused(purchase: UnionPurchase, post: Post) -> None:
    purchase.pay()

    answer = post(purchase.make_body(forged=True))

    assert (answer.status_code, answer.content) == (400, b"fail")
    message = notification()
    assert message.verdict == GatewayMessage.Verdict.REJECTED
    assert message.state == GatewayMessage.State.IGNORED
    assert message.reason == "issued by somebody else"
    assert purchase.sandbox.unionpay.requests == []
    expect_untouched(purchase)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"merId": "777290000000002"}, "merId is not ours"),
        ({"version": "5.0.0"}, "version or signMethod is not ours"),
    ],
)
def test_foreign_or_downgraded_notification_is_refused(
    purchase: UnionPurchase, post: Post, changes: dict[str, str], reason: str
) -> None:
    purchase.pay()

    answer = post(purchase.make_body(**changes))

    assert answer.status_code == 400
    assert notification().reason == reason
    expect_untouched(purchase)


def test_unknown_number_is_acknowledged_and_noted(
    purchase: UnionPurchase, post: Post
) -> None:
    purchase.pay()

    answer = post(purchase.make_body(orderId="OTHERSYSTEM0001"))

    exception = PaymentException.objects.get()
    assert answer.status_code == 200
    assert exception.kind == PaymentException.Kind.UNKNOWN_ATTEMPT
    assert exception.attempt_number == "OTHERSYSTEM0001"
    # There is no order time to ask with.
    assert purchase.sandbox.unionpay.requests == []


def test_notification_before_the_commit_of_its_attempt_is_not_lost(
    purchase: UnionPurchase, post: Post
) -> None:
    """Stored without its attempt; by the time of its task the attempt is there."""
    purchase.pay()
    body = purchase.make_body()
    with_number = PaymentAttempt.objects.filter(pk=purchase.attempt.pk)
    with_number.update(number="R0")
    client = Client()
    client.post(NOTIFY_PATH, body, content_type=FORM)
    assert notification().attempt is None
    with_number.update(number=purchase.attempt.number)

    process_message(message_id=notification().pk, now=timezone.now())

    expect_paid_once(purchase)


def test_late_money_opens_the_plan_when_it_is_free(
    purchase: UnionPurchase, post: Post
) -> None:
    Order.objects.update(state=Order.State.EXPIRED, closed_at=timezone.now())
    PaymentAttempt.objects.update(state=PaymentAttempt.State.CLOSED)
    purchase.pay()

    post(purchase.make_body())

    expect_paid_once(purchase)


@pytest.mark.parametrize("fault", ["html", "in_doubt"])
def test_late_money_is_not_dropped_while_the_gateway_is_silent(
    purchase: UnionPurchase, post: Post, fault: str
) -> None:
    PaymentAttempt.objects.update(state=PaymentAttempt.State.CLOSED)
    purchase.pay()
    purchase.sandbox.unionpay.faults.append(fault)

    post(purchase.make_body())

    assert notification().state == GatewayMessage.State.WAITING


def test_note_of_a_refund_pays_nothing(purchase: UnionPurchase, post: Post) -> None:
    answer = post(purchase.make_body(txnType="04", origQryId="1" * 21))

    assert answer.status_code == 200
    expect_untouched(purchase)


def test_gateway_without_keys_never_says_ok(
    purchase: UnionPurchase, post: Post, settings: Settings
) -> None:
    """A status of 200 would be an acknowledgement: UnionPay reads nothing else."""
    purchase.pay()
    body = purchase.make_body()
    settings.UNIONPAY = {**settings.UNIONPAY, "merchant_key_file": "/nowhere.pfx"}
    reset_gateways()

    answer = post(body)

    assert answer.status_code == 503
    assert GatewayMessage.objects.count() == 0


def test_two_megabytes_are_not_acknowledged(
    purchase: UnionPurchase, post: Post
) -> None:
    assert post(b"a=" + b"b" * 2 * 1024 * 1024).status_code == 413
    assert GatewayMessage.objects.count() == 0
