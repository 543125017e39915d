"""What the gateway over wechatpayv3 believes, and what it does not: notifications, keys and
the two modes of verifying."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from orders.payments.protocol import (
    Charge,
    GatewayUnavailable,
    NotifyRejected,
    Return,
    State,
)
from orders.payments.registry import get_gateway, list_gateways, reset_gateways
from orders.payments.wechat_pay import build_gateway
from portal.sandbox import SandboxServer
from portal.sandbox.wechat_pay_keys import CERTIFICATE, format_serial
from tests.orders.wechat_notices import (
    UNKNOWN_SERIALS,
    make_inbound,
    make_paid_charge,
    make_refund_inbound,
    read,
)
from tests.sandbox.test_protocol import make_charge
from tests.sandbox.test_wechat_pay import NOTIFY_URL, start


@pytest.fixture
def paid(sandbox: SandboxServer) -> Charge:
    return make_paid_charge(sandbox)


def test_both_gateways_are_offered() -> None:
    assert list_gateways() == [
        ("alipay", "支付宝"),
        ("wechat", "微信支付"),
        ("unionpay", "银联支付"),
    ]


# --- What is believed --------------------------------------------------------------------


def test_genuine_notification_is_read(sandbox: SandboxServer, paid: Charge) -> None:
    report = read(make_inbound(sandbox, paid.number, outside={"id": "EV-1"}))

    trade = sandbox.wechat_pay.show(paid.number)
    assert report.state is State.PAID
    assert report.attempt_number == paid.number
    assert (report.amount_fen, report.currency) == (3300, "CNY")
    assert report.seller == "1900000001"
    assert report.gateway_number == trade["transaction_id"]
    assert report.paid_at == datetime.fromisoformat(trade["paid_at"])
    assert report.event_id == "EV-1"
    assert report.refund_number == ""
    assert "openid" not in str(report.raw)
    assert sandbox.wechat_pay.requests == []


@pytest.mark.parametrize(
    ("trade_state", "state"),
    [
        ("SUCCESS", State.PAID),
        ("NOTPAY", State.UNPAID),
        ("PAYERROR", State.UNPAID),
        ("CLOSED", State.CLOSED),
        ("REVOKED", State.CLOSED),
        ("REFUND", State.REFUNDED),
        ("USERPAYING", State.UNKNOWN),
        ("SOMETHING_NEW", State.UNKNOWN),
        (None, State.UNKNOWN),
        ([], State.UNKNOWN),
    ],
)
def test_trade_states_are_read(
    sandbox: SandboxServer, paid: Charge, trade_state: object, state: State
) -> None:
    changes = {"trade_state": trade_state}

    assert read(make_inbound(sandbox, paid.number, changes=changes)).state is state


@pytest.mark.parametrize(
    ("amount", "read_as"),
    [
        ({"total": 1}, (1, "CNY")),
        ({"total": 0}, (0, "CNY")),
        ({"total": "3300"}, (None, "CNY")),
        ({"total": 3300.0}, (None, "CNY")),
        ({"total": -3300}, (None, "CNY")),
        ({"total": True}, (None, "CNY")),
        ({"currency": "USD"}, (3300, "USD")),
        ("3300", (None, "")),
        (None, (None, "")),
    ],
)
def test_amount_is_whole_fen_or_none(
    sandbox: SandboxServer, paid: Charge, amount: object, read_as: object
) -> None:
    report = read(make_inbound(sandbox, paid.number, changes={"amount": amount}))

    assert (report.amount_fen, report.currency) == read_as


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("SUCCESS", State.REFUNDED),
        ("CLOSED", State.CLOSED),
        ("ABNORMAL", State.STUCK),
        ("SOMETHING_NEW", State.UNKNOWN),
    ],
)
def test_note_of_a_refund_is_marked_as_one(
    sandbox: SandboxServer, paid: Charge, status: str, state: State
) -> None:
    number = f"F-note-{status}"
    back = Return(number, 1000, timezone.now())
    get_gateway("wechat").refund(paid, back, NOTIFY_URL)

    report = read(make_refund_inbound(sandbox, number, refund_status=status))

    assert report.state is state
    assert (report.refund_number, report.amount_fen) == (number, 1000)
    assert report.attempt_number == paid.number


def test_note_of_a_refund_without_its_number_is_still_none_of_a_payment(
    sandbox: SandboxServer, paid: Charge
) -> None:
    back = Return("F-nameless", 1000, timezone.now())
    get_gateway("wechat").refund(paid, back, NOTIFY_URL)

    report = read(make_refund_inbound(sandbox, "F-nameless", out_refund_no=""))

    assert report.refund_number == paid.number


# --- Answers to WeChat, keys, addresses --------------------------------------------------


def test_answers_are_told_apart_by_their_status(sandbox: SandboxServer) -> None:
    gateway = get_gateway("wechat")

    accepted, refused = (gateway.acknowledge(accepted=said) for said in (True, False))

    assert (accepted.status, accepted.body) == (204, b"")
    assert refused.status == 400
    assert refused.body.decode() == '{"code": "FAIL", "message": "失败"}'


@pytest.mark.parametrize(
    "changes",
    [
        {"merchant_id": ""},
        {"app_id": ""},
        {"merchant_key_file": "/nowhere.pem"},
        {"public_key_file": "/nowhere.pem"},
        {"api_v3_key_file": "/nowhere.txt"},
        {"api_v3_key_file": "short"},
        {"merchant_key_file": "short"},
        {"public_key_file": "short"},
    ],
)
def test_unusable_settings_are_no_gateway(
    sandbox: SandboxServer, settings: Settings, tmp_path: Path, changes: dict[str, str]
) -> None:
    (tmp_path / "short").write_text("short")
    changed = {
        key: str(tmp_path / value) if value == "short" else value
        for key, value in changes.items()
    }
    settings.WECHAT_PAY = {**settings.WECHAT_PAY, **changed}

    with pytest.raises(GatewayUnavailable):
        build_gateway()


def test_every_call_has_a_timeout(sandbox: SandboxServer, settings: Settings) -> None:
    settings.WECHAT_PAY = {**settings.WECHAT_PAY, "timeout_seconds": 7}

    assert build_gateway()._client._core._timeout == (5, 7)


def test_nothing_is_logged_by_the_sdk(sandbox: SandboxServer) -> None:
    """It would write the Authorization header and opened messages."""
    assert build_gateway()._client._core._logger is None


@pytest.mark.parametrize(
    ("gateway", "consent", "sources"),
    [
        (
            "https://api.mch.weixin.qq.com",
            "https://open.weixin.qq.com",
            ("https://wx.tenpay.com", "https://open.weixin.qq.com"),
        ),
        (
            "http://127.0.0.1:8010",
            "http://127.0.0.1:8010",
            ("http://127.0.0.1:8010",),
        ),
    ],
)
def test_addresses_for_the_page_policy(
    sandbox: SandboxServer,
    settings: Settings,
    gateway: str,
    consent: str,
    sources: tuple[str, ...],
) -> None:
    settings.WECHAT_PAY = {**settings.WECHAT_PAY, "gateway": gateway}
    settings.WECHAT = {**settings.WECHAT, "oauth_base": consent}

    assert build_gateway().browser_sources == sources


# --- Certificate mode --------------------------------------------------------------------


@pytest.fixture
def certificate_dir(sandbox: SandboxServer, settings: Settings, tmp_path: Path) -> Path:
    """The folder of an older merchant, who has no public key; empty at first."""
    folder = tmp_path / "certificates"
    settings.WECHAT_PAY = {
        **settings.WECHAT_PAY,
        "certificate_dir": str(folder),
        "public_key_id": "",
        "public_key_file": "",
    }
    reset_gateways()
    return folder


def test_certificates_are_fetched_once_and_kept(
    sandbox: SandboxServer, certificate_dir: Path
) -> None:
    build_gateway()
    build_gateway()

    serial = format_serial(sandbox.wechat_pay._keys.certificate)
    names = {path.name for path in certificate_dir.iterdir()}
    assert names == {f"{serial}.pem"}
    assert sandbox.wechat_pay.requests == [("certificates", "")]


def test_certificate_mode_without_certificates_is_no_gateway(
    sandbox: SandboxServer, certificate_dir: Path
) -> None:
    sandbox.wechat_pay.faults.append("system_error")

    with pytest.raises(GatewayUnavailable):
        build_gateway()


def test_posts_to_a_portal_without_certificates_do_not_each_ask_for_them(
    sandbox: SandboxServer, certificate_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.wechat_pay.faults.extend(["system_error"] * 5)

    for _ in range(4):
        with pytest.raises(GatewayUnavailable):
            get_gateway("wechat")
    assert len(sandbox.wechat_pay.faults) == 4

    sandbox.wechat_pay.faults.clear()
    monkeypatch.setattr("orders.payments.wechat_pay_client.FETCH_PAUSE_SECONDS", 0)
    assert get_gateway("wechat").seller == "1900000001"


def test_certificate_mode_pays_verifies_and_pays_back(
    sandbox: SandboxServer, certificate_dir: Path
) -> None:
    charge, gateway = make_charge(), get_gateway("wechat")
    start(charge)
    sandbox.wechat_pay.pay(charge.number)
    back = Return("F-certificate", 3300, timezone.now())

    genuine = make_inbound(sandbox, charge.number, signer="certificate")
    report = read(genuine)
    gateway.refund(charge, back, NOTIFY_URL)

    assert (report.state, report.amount_fen) == (State.PAID, 3300)
    assert gateway.query_refund(charge, back) is State.REFUNDED
    note = make_refund_inbound(sandbox, "F-certificate")
    assert read(note).refund_number == "F-certificate"


@pytest.mark.parametrize("serial", [*UNKNOWN_SERIALS, "PUB_KEY_ID_0119"])
def test_certificate_mode_asks_nobody_about_an_unknown_serial(
    sandbox: SandboxServer, certificate_dir: Path, serial: str
) -> None:
    charge = make_charge()
    start(charge)
    sandbox.wechat_pay.requests.clear()
    genuine = make_inbound(sandbox, charge.number, signer="certificate")
    headers = {**genuine.headers, "wechatpay-serial": serial}

    with pytest.raises(NotifyRejected, match="unknown serial"):
        read(replace(genuine, headers=headers))

    assert sandbox.wechat_pay.requests == []


def test_certificate_that_has_run_out_verifies_nothing(
    sandbox: SandboxServer, certificate_dir: Path
) -> None:
    gateway = build_gateway()
    charge = make_charge()
    start(charge)
    certificate = sandbox.wechat_pay._keys.certificate
    late = certificate.not_valid_after_utc.timestamp() + 60
    gateway._now = lambda: datetime.fromtimestamp(late, UTC)  # type: ignore[attr-defined]

    with pytest.raises(NotifyRejected, match="unknown serial"):
        gateway.parse_notification(
            make_inbound(sandbox, charge.number, signer="certificate", at=late)
        )


def test_certificate_is_kept_by_the_sandbox_too(
    sandbox: SandboxServer, certificate_dir: Path, settings: Settings
) -> None:
    build_gateway()

    kept = Path(settings.SANDBOX_DIR) / CERTIFICATE
    [fetched] = certificate_dir.iterdir()
    assert fetched.read_bytes() == kept.read_bytes()
