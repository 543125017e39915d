"""Notifications of WeChat Pay that the gateway does not believe: forged, old, not for us,
broken. None of them makes it call out."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from orders.payments.protocol import Charge, Inbound, NotifyRejected, State
from orders.payments.registry import reset_gateways
from portal.sandbox import SandboxServer
from tests.orders.wechat_notices import (
    UNKNOWN_SERIALS,
    make_inbound,
    make_paid_charge,
    read,
)


@pytest.fixture
def paid(sandbox: SandboxServer) -> Charge:
    return make_paid_charge(sandbox)


def test_notification_signed_by_nobody_we_know_is_rejected(
    sandbox: SandboxServer, paid: Charge
) -> None:
    with pytest.raises(NotifyRejected, match="wrong signature"):
        read(make_inbound(sandbox, paid.number, signer="forged"))


def test_probe_with_a_wrong_signature_is_rejected(
    sandbox: SandboxServer, paid: Charge
) -> None:
    """WeChat tests merchants with such messages and expects a refusal."""
    genuine = make_inbound(sandbox, paid.number)
    probe = "WECHATPAY/SIGNTEST/" + genuine.headers["wechatpay-signature"]
    inbound = replace(
        genuine, headers={**genuine.headers, "wechatpay-signature": probe}
    )

    with pytest.raises(NotifyRejected):
        read(inbound)


@pytest.mark.parametrize("seconds", [3600, 301, -301, -3600])
def test_replay_is_rejected_however_genuine(
    sandbox: SandboxServer, paid: Charge, seconds: int
) -> None:
    with pytest.raises(NotifyRejected, match="timestamp"):
        read(make_inbound(sandbox, paid.number, at=time.time() - seconds))


@pytest.mark.parametrize("seconds", [280, -280])
def test_clocks_may_differ_by_minutes(
    sandbox: SandboxServer, paid: Charge, seconds: int
) -> None:
    inbound = make_inbound(sandbox, paid.number, at=time.time() - seconds)

    assert read(inbound).state is State.PAID


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1e9", "١٢٣", "9" * 40])
def test_unreadable_time_is_rejected(
    sandbox: SandboxServer, paid: Charge, stamp: str
) -> None:
    genuine = make_inbound(sandbox, paid.number)
    headers = {**genuine.headers, "wechatpay-timestamp": stamp}

    with pytest.raises(NotifyRejected, match="timestamp"):
        read(replace(genuine, headers=headers))


@pytest.mark.parametrize("serial", UNKNOWN_SERIALS)
def test_unknown_serial_is_rejected_without_a_call(
    sandbox: SandboxServer, paid: Charge, serial: str
) -> None:
    """The SDK would ask WeChat for certificates, once for each forged post."""
    inbound = make_inbound(sandbox, paid.number)
    headers = {**inbound.headers, "wechatpay-serial": serial}

    with pytest.raises(NotifyRejected, match="unknown serial"):
        read(replace(inbound, headers=headers))

    assert sandbox.wechat_pay.requests == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mchid": "1900000009"}, "mchid is not ours"),
        ({"mchid": None}, "mchid is not ours"),
        ({"appid": "wx0000000000000009"}, "appid is not ours"),
        ({"out_trade_no": None}, "not about a payment"),
        ({"out_trade_no": ""}, "not about a payment"),
        ({"out_trade_no": 7}, "not about a payment"),
        ({"out_trade_no": "R" * 65}, "not about a payment"),
    ],
)
def test_genuine_message_for_somebody_else_is_rejected(
    sandbox: SandboxServer, paid: Charge, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(NotifyRejected, match=reason):
        read(make_inbound(sandbox, paid.number, changes=changes))


@pytest.mark.parametrize(
    "outside",
    [
        {"event_type": "COUPON.USE"},
        {"event_type": None},
        {"id": None},
        {"resource_type": "plain"},
        {"resource": None},
        {"resource": []},
        {"resource": {"algorithm": "none"}},
    ],
)
def test_signed_nonsense_is_rejected(
    sandbox: SandboxServer, paid: Charge, outside: dict[str, object]
) -> None:
    with pytest.raises(NotifyRejected):
        read(make_inbound(sandbox, paid.number, outside=outside))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"x" * 5000])
def test_broken_body_is_rejected(
    sandbox: SandboxServer, paid: Charge, body: bytes
) -> None:
    genuine = make_inbound(sandbox, paid.number)
    text = body.decode(errors="replace")
    signed = {
        name.lower(): value
        for name, value in sandbox.wechat_pay.signer.seal(text).items()
    }

    for headers in (genuine.headers, signed):
        with pytest.raises(NotifyRejected):
            read(Inbound(headers, body))


@pytest.mark.parametrize(
    "name",
    [
        *("wechatpay-serial", "wechatpay-timestamp", "wechatpay-nonce"),
        *("wechatpay-signature", "wechatpay-signature-type"),
    ],
)
def test_missing_header_is_rejected(
    sandbox: SandboxServer, paid: Charge, name: str
) -> None:
    genuine = make_inbound(sandbox, paid.number)
    headers = {k: v for k, v in genuine.headers.items() if k != name}

    with pytest.raises(NotifyRejected):
        read(replace(genuine, headers=headers))


def test_body_changed_on_the_way_is_rejected(
    sandbox: SandboxServer, paid: Charge
) -> None:
    genuine = make_inbound(sandbox, paid.number)

    with pytest.raises(NotifyRejected, match="wrong signature"):
        read(replace(genuine, body=genuine.body + b" "))


def test_another_api_v3_key_opens_nothing(
    sandbox: SandboxServer, paid: Charge, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "key.txt"
    path.write_text("k" * 32 + "\n")
    settings.WECHAT_PAY = {**settings.WECHAT_PAY, "api_v3_key_file": str(path)}
    reset_gateways()

    with pytest.raises(NotifyRejected):
        read(make_inbound(sandbox, paid.number))
