"""Refunds and notifications of the simulated UnionPay, as the portal's gateway reads them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from orders.payments.protocol import (
    Charge,
    GatewayRefused,
    GatewayUnavailable,
    Inbound,
    NotifyRejected,
    State,
)
from orders.payments.unionpay import UnionPayGateway
from portal.sandbox import SandboxServer
from tests.sandbox.test_protocol import NOTIFY_URL
from tests.sandbox.unionpay_orders import (
    MERCHANT,
    deliver,
    gateway_at,
    make_open,
    make_paid,
    make_return,
)


@pytest.fixture
def charge(sandbox: SandboxServer) -> Charge:
    return make_open()


@pytest.fixture
def paid(sandbox: SandboxServer) -> Charge:
    return make_paid(sandbox)


# --- Refund --------------------------------------------------------------------------------


def test_refund_is_accepted_and_then_done(sandbox: SandboxServer, paid: Charge) -> None:
    gateway, back = gateway_at(), make_return(1000)

    assert gateway.query_refund(paid, back) is State.NOT_FOUND
    # Accepted is not done.
    assert gateway.refund(paid, back, NOTIFY_URL) is State.UNKNOWN
    assert gateway.query_refund(paid, back) is State.REFUNDED
    assert sandbox.unionpay.show(paid.number)["refunds"] == {back.number: 1000}


def test_same_number_pays_back_once(sandbox: SandboxServer, paid: Charge) -> None:
    gateway, back = gateway_at(), make_return(1000)

    states = [gateway.refund(paid, back, NOTIFY_URL) for _ in range(3)]

    assert states == [State.UNKNOWN] * 3
    assert sandbox.unionpay.show(paid.number)["refunds"] == {back.number: 1000}


def test_refund_of_a_payment_whose_number_is_not_noted(
    sandbox: SandboxServer, paid: Charge
) -> None:
    """The number is asked for: a refund names its payment by it."""
    back = make_return(1000)

    gateway_at().refund(replace(paid, gateway_number=""), back, NOTIFY_URL)

    assert sandbox.unionpay.show(paid.number)["refunds"] == {back.number: 1000}


def test_refund_of_more_than_was_paid_is_refused(
    sandbox: SandboxServer, paid: Charge
) -> None:
    gateway = gateway_at()
    gateway.refund(paid, make_return(3000), NOTIFY_URL)

    with pytest.raises(GatewayRefused) as refused:
        gateway.refund(paid, make_return(301), NOTIFY_URL)

    assert refused.value.code == "33"
    assert sum(sandbox.unionpay.show(paid.number)["refunds"].values()) == 3000


def test_refund_of_what_was_not_paid_is_refused(
    sandbox: SandboxServer, charge: Charge
) -> None:
    unpaid = replace(charge, gateway_number="442611211000000000008")

    with pytest.raises(GatewayRefused) as refused:
        gateway_at().refund(unpaid, make_return(1), NOTIFY_URL)

    assert refused.value.code == "35"


def test_stale_refund_is_refused_and_moves_nothing(
    sandbox: SandboxServer, paid: Charge
) -> None:
    """A repetition keeps its time, and UnionPay takes fresh ones only."""
    back = make_return(1000, created_at=timezone.now() - timedelta(hours=1))

    with pytest.raises(GatewayRefused):
        gateway_at().refund(paid, back, NOTIFY_URL)

    assert gateway_at().query_refund(paid, back) is State.NOT_FOUND


def test_refund_that_hangs_has_been_made(sandbox: SandboxServer, paid: Charge) -> None:
    sandbox.unionpay.faults.append("hang")
    client = replace(gateway_at()._client, timeout_seconds=1)
    back = make_return(1000)

    with pytest.raises(GatewayUnavailable):
        UnionPayGateway(client, restart_within=timedelta(0)).refund(
            paid, back, NOTIFY_URL
        )

    assert gateway_at().query_refund(paid, back) is State.REFUNDED


@pytest.mark.parametrize("fault", ["system_error", "html", "bad_signature"])
def test_refund_without_a_clear_answer_is_asked_about(
    sandbox: SandboxServer, paid: Charge, fault: str
) -> None:
    sandbox.unionpay.faults.append(fault)

    with pytest.raises(GatewayUnavailable):
        gateway_at().refund(paid, make_return(1000), NOTIFY_URL)


def test_refund_in_doubt_is_unknown(sandbox: SandboxServer, paid: Charge) -> None:
    back = make_return(1000)
    sandbox.unionpay.faults.extend(["in_doubt", "in_doubt"])

    assert gateway_at().refund(paid, back, NOTIFY_URL) is State.UNKNOWN
    assert gateway_at().query_refund(paid, back) is State.UNKNOWN


def test_refund_that_failed_at_the_bank_is_closed(
    sandbox: SandboxServer, paid: Charge
) -> None:
    back = make_return(1000)
    gateway_at().refund(paid, back, NOTIFY_URL)
    with sandbox.unionpay.trades.edit_refund(back.number) as refund:
        refund["code"] = "30"

    assert gateway_at().query_refund(paid, back) is State.CLOSED


def test_refund_of_another_amount_is_not_ours(
    sandbox: SandboxServer, paid: Charge
) -> None:
    back = make_return(1000)
    gateway_at().refund(paid, back, NOTIFY_URL)

    with pytest.raises(GatewayUnavailable, match="another refund"):
        gateway_at().query_refund(paid, replace(back, amount_fen=999))


# --- Notifications -------------------------------------------------------------------------


def test_notification_is_read_and_wants_a_query(
    sandbox: SandboxServer, paid: Charge
) -> None:
    report = gateway_at().parse_notification(deliver(sandbox, paid.number))

    assert report.attempt_number == paid.number
    assert (report.state, report.amount_fen) == (State.PAID, 3300)
    assert (report.seller, report.currency) == (MERCHANT, "CNY")
    assert report.gateway_number == paid.gateway_number
    assert report.event_id == paid.gateway_number
    assert report.needs_query
    assert report.refund_number == ""


@pytest.mark.parametrize(
    ("changes", "state", "amount_fen"),
    [
        ({"respCode": "A6"}, State.PAID, 3300),
        ({"respCode": "05"}, State.UNKNOWN, 3300),
        ({"respCode": "30"}, State.UNKNOWN, 3300),
        ({"txnAmt": "1"}, State.PAID, 1),
        ({"txnAmt": "1.00"}, State.PAID, None),
        # 预授权, which we never ask for.
        ({"txnType": "02"}, State.UNKNOWN, 3300),
    ],
)
def test_codes_and_amounts_are_read(
    sandbox: SandboxServer,
    paid: Charge,
    changes: dict[str, str],
    state: State,
    amount_fen: int | None,
) -> None:
    inbound = deliver(sandbox, paid.number, changes=changes)

    report = gateway_at().parse_notification(inbound)

    assert (report.state, report.amount_fen) == (state, amount_fen)


def test_currency_is_told(sandbox: SandboxServer, paid: Charge) -> None:
    inbound = deliver(sandbox, paid.number, changes={"currencyCode": "840"})

    assert gateway_at().parse_notification(inbound).currency == "840"


@pytest.mark.parametrize("kind", ["04", "31"])
def test_note_of_a_refund_is_never_a_payment(
    sandbox: SandboxServer, paid: Charge, kind: str
) -> None:
    back = make_return(1000)
    gateway_at().refund(paid, back, NOTIFY_URL)
    delivery = sandbox.unionpay.make_refund_delivery(back.number, txnType=kind)

    report = gateway_at().parse_notification(Inbound({}, delivery.body.encode()))

    assert delivery.url == NOTIFY_URL
    assert report.state is State.REFUNDED
    assert (report.refund_number, report.amount_fen) == (back.number, 1000)
    assert (report.attempt_number, report.gateway_number) == ("", paid.gateway_number)
    assert report.needs_query


def test_forged_notification_is_refused(sandbox: SandboxServer, charge: Charge) -> None:
    with pytest.raises(NotifyRejected, match="issued by somebody else"):
        gateway_at().parse_notification(deliver(sandbox, charge.number, forged=True))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"merId": "777290000000002"}, "merId is not ours"),
        ({"version": "5.0.0"}, "version or signMethod"),
        ({"orderId": ""}, "not about an order"),
    ],
)
def test_validly_signed_but_not_for_us_is_refused(
    sandbox: SandboxServer, paid: Charge, changes: dict[str, str], reason: str
) -> None:
    with pytest.raises(NotifyRejected, match=reason):
        gateway_at().parse_notification(deliver(sandbox, paid.number, changes=changes))


@pytest.mark.parametrize(
    "change", [(b"txnAmt=3300", b"txnAmt=1"), (b"%0D%0A", b"%0A"), (b"&", b"&&x=1&")]
)
def test_notification_changed_on_the_way_is_refused(
    sandbox: SandboxServer, paid: Charge, change: tuple[bytes, bytes]
) -> None:
    inbound = deliver(sandbox, paid.number)
    body = inbound.body.replace(*change)
    assert body != inbound.body

    with pytest.raises(NotifyRejected):
        gateway_at().parse_notification(Inbound({}, body))


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}", b"a=1&a=2", b"a" * 9000])
def test_nonsense_is_refused(sandbox: SandboxServer, body: bytes) -> None:
    with pytest.raises(NotifyRejected):
        gateway_at().parse_notification(Inbound({}, body))


def test_status_is_the_answer(sandbox: SandboxServer) -> None:
    accepted, refused = (gateway_at().acknowledge(accepted=x) for x in (True, False))

    assert (accepted.status, accepted.body) == (200, b"ok")
    assert (refused.status, refused.body) == (400, b"fail")
