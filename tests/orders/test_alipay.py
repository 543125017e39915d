"""What the gateway over the SDK does without a network, and its two key modes."""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pytest_django.fixtures import Settings

from orders.payments.alipay import armour, build_gateway, clean_subject
from orders.payments.protocol import Inbound, NotifyRejected, State
from orders.payments.registry import get_gateway, list_gateways
from portal.sandbox import SandboxServer
from portal.sandbox.keys import dump_private_key, make_private_key
from tests.sandbox.test_protocol import CALLBACKS, make_charge, open_cashier


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("2026年公需科目", "2026年公需科目"),
        ("a/b=c&d{e}\"f'\\g", "a b c d e f'g".replace("'g", "' g")),
        ("  多  空格 ", "多 空格"),
        ("长" * 300, "长" * 256),
    ],
)
def test_subject_keeps_to_the_vendors_rules(title: str, subject: str) -> None:
    assert clean_subject(title) == subject


def test_bare_key_gets_its_armour() -> None:
    pem = dump_private_key(make_private_key()).decode().strip()
    bare = "".join(pem.splitlines()[1:-1])

    assert armour(bare, "PRIVATE KEY") == pem
    assert armour(f"\n{pem}\n", "PRIVATE KEY") == pem


def test_configured_gateways_have_labels() -> None:
    assert list_gateways() == [("alipay", "支付宝")]


@pytest.mark.parametrize(
    ("url", "sources"),
    [
        ("http://127.0.0.1:8010/gateway.do", ("http://127.0.0.1:8010",)),
        ("https://openapi.alipay.com/gateway.do", ("https://*.alipay.com",)),
        ("https://alipay.com.example/gateway.do", ("https://alipay.com.example",)),
    ],
)
def test_cashier_addresses_for_the_page_policy(
    sandbox: SandboxServer, settings: Settings, url: str, sources: tuple[str, ...]
) -> None:
    settings.ALIPAY = {**settings.ALIPAY, "gateway": url}

    assert build_gateway().browser_sources == sources


def test_answers_are_exact(sandbox: SandboxServer) -> None:
    gateway = get_gateway("alipay")

    accepted, refused = (gateway.acknowledge(accepted=said) for said in (True, False))

    assert (accepted.status, accepted.body) == (200, b"success")
    assert (refused.status, refused.body) == (200, b"failure")


@pytest.mark.parametrize(
    ("trade_status", "state"),
    [
        ("WAIT_BUYER_PAY", State.UNPAID),
        ("TRADE_SUCCESS", State.PAID),
        ("TRADE_FINISHED", State.PAID),
        ("TRADE_CLOSED", State.CLOSED),
        ("SOMETHING_NEW", State.UNKNOWN),
    ],
)
def test_trade_states_are_read(
    sandbox: SandboxServer, trade_status: str, state: State
) -> None:
    charge = make_charge()
    open_cashier(charge)
    form = sandbox.alipay.make_notice(charge.number, trade_status=trade_status)

    report = get_gateway("alipay").parse_notification(
        Inbound({}, urlencode(form).encode())
    )

    assert report.state is state
    assert report.attempt_number == charge.number
    assert report.amount_fen == 3300
    assert report.seller == "2088000000000001"
    assert report.event_id == form["notify_id"]
    assert report.paid_at == datetime.fromisoformat(f"{form['gmt_payment']}+08:00")
    assert report.refund_number == ""
    assert "sign" not in report.raw


@pytest.mark.parametrize("trade_status", ["TRADE_SUCCESS", "TRADE_CLOSED"])
def test_note_of_a_refund_is_marked_as_one(
    sandbox: SandboxServer, trade_status: str
) -> None:
    charge = make_charge()
    open_cashier(charge)
    form = sandbox.alipay.make_notice(
        charge.number, trade_status=trade_status, refund_fee="10.00", out_biz_no="F1"
    )

    report = get_gateway("alipay").parse_notification(
        Inbound({}, urlencode(form).encode())
    )

    assert report.state is State.REFUNDED
    assert (report.refund_number, report.amount_fen) == ("F1", 1000)


# --- Certificate mode --------------------------------------------------------------------


def write_certificate(
    path: Path, name: str, key: rsa.RSAPublicKey, issuer: rsa.RSAPrivateKey
) -> None:
    def named(common: str) -> x509.Name:
        parts = {
            NameOID.COUNTRY_NAME: "CN",
            NameOID.ORGANIZATION_NAME: "Sandbox",
            NameOID.ORGANIZATIONAL_UNIT_NAME: "Sandbox",
            NameOID.COMMON_NAME: common,
        }
        return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts.items()])

    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("Sandbox Root"))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(issuer, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
def _certificate_mode(
    sandbox: SandboxServer, settings: Settings, tmp_path: Path
) -> Iterator[None]:
    root = make_private_key()
    keys = {
        "app_certificate_file": sandbox._keys.app.public_key(),
        "alipay_certificate_file": sandbox._keys.gateway.public_key(),
        "alipay_root_file": root.public_key(),
    }
    files = {name: str(tmp_path / name) for name in keys}
    for name, key in keys.items():
        write_certificate(Path(files[name]), name, key, root)
    settings.ALIPAY = {**settings.ALIPAY, **files}
    with warnings.catch_warnings():
        # The SDK reads issuers through pyOpenSSL's older functions.
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@pytest.mark.usefixtures("_certificate_mode")
def test_certificate_mode_names_its_certificates(sandbox: SandboxServer) -> None:
    charge = make_charge()
    gateway = get_gateway("alipay")

    url = gateway.start(charge, "desk", CALLBACKS).url  # type: ignore[arg-type]

    query = parse_qs(urlsplit(url).query)
    assert len(query["app_cert_sn"][0]) == 32
    assert len(query["alipay_root_cert_sn"][0]) == 32
    assert open_cashier(charge).status_code == 200


@pytest.mark.usefixtures("_certificate_mode")
def test_certificate_mode_pays_and_verifies(sandbox: SandboxServer) -> None:
    charge = make_charge()
    open_cashier(charge)
    sandbox.alipay.trades.pay(charge.number)
    gateway = get_gateway("alipay")
    genuine, forged = (
        urlencode(sandbox.alipay.make_notice(charge.number, forged=forged)).encode()
        for forged in (False, True)
    )

    assert gateway.query(charge).state is State.PAID
    assert gateway.parse_notification(Inbound({}, genuine)).state is State.PAID
    with pytest.raises(NotifyRejected):
        gateway.parse_notification(Inbound({}, forged))
