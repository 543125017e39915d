"""What the gateway over the SDK does without a network, and its two key modes."""

import hashlib
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from pytest_django.fixtures import Settings

from orders.payments.alipay import build_gateway, clean_subject
from orders.payments.alipay_sdk import armour
from orders.payments.protocol import (
    GatewayUnavailable,
    Inbound,
    NotifyRejected,
    State,
)
from orders.payments.registry import get_gateway
from portal.sandbox import SandboxServer
from portal.sandbox.keys import dump_private_key, make_private_key
from tests.sandbox.test_protocol import (
    CALLBACKS,
    make_charge,
    open_cashier,
)


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
    assert report.refund_number == "F1"
    # What the note names is the sum of all refunds so far.
    assert report.amount_fen is None


# --- Certificate mode --------------------------------------------------------------------


def write_certificate(
    path: Path,
    name: str,
    key: rsa.RSAPublicKey,
    issuer: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
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
    return certificate


@pytest.fixture
def certificates(
    sandbox: SandboxServer, settings: Settings, tmp_path: Path
) -> Iterator[list[x509.Certificate]]:
    root = make_private_key()
    keys = {
        "app_certificate_file": sandbox._keys.app.public_key(),
        "alipay_certificate_file": sandbox._keys.gateway.public_key(),
        "alipay_root_file": root.public_key(),
    }
    files = {name: str(tmp_path / name) for name in keys}
    made = [
        write_certificate(Path(files[name]), name, key, root)
        for name, key in keys.items()
    ]
    settings.ALIPAY = {**settings.ALIPAY, **files}
    with warnings.catch_warnings():
        # The SDK reads issuers through pyOpenSSL's older functions.
        warnings.simplefilter("ignore", DeprecationWarning)
        yield made


def fingerprint(certificate: x509.Certificate) -> str:
    """MD5 of the issuer, its parts from the last to the first, and the decimal serial
    number (vendor)."""
    names = [part.rfc4514_string() for part in certificate.issuer.rdns]
    text = ",".join(reversed(names)) + str(certificate.serial_number)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_certificate_mode_names_its_certificates(
    sandbox: SandboxServer, certificates: list[x509.Certificate]
) -> None:
    charge = make_charge()
    gateway = get_gateway("alipay")

    url = gateway.start(charge, "desk", CALLBACKS).url  # type: ignore[arg-type]

    query = parse_qs(urlsplit(url).query)
    app, _, root = certificates
    assert query["app_cert_sn"] == [fingerprint(app)]
    assert query["alipay_root_cert_sn"] == [fingerprint(root)]
    assert open_cashier(charge).status_code == 200


@pytest.mark.usefixtures("certificates")
@pytest.mark.parametrize(
    "name", ["app_certificate_file", "alipay_certificate_file", "alipay_root_file"]
)
def test_certificate_mode_with_an_unreadable_file_is_no_gateway(
    settings: Settings, name: str
) -> None:
    Path(settings.ALIPAY[name]).write_text("nonsense")

    with pytest.raises(GatewayUnavailable, match="keys of Alipay cannot be read"):
        build_gateway()


@pytest.mark.usefixtures("certificates")
def test_root_file_without_a_certificate_for_rsa_is_no_gateway(
    settings: Settings,
) -> None:
    """The SDK passes over those of other algorithms and would name none."""
    path = Path(settings.ALIPAY["alipay_root_file"])
    write_certificate(
        path,
        "root",
        make_private_key().public_key(),
        ec.generate_private_key(ec.SECP256R1()),
    )

    with pytest.raises(GatewayUnavailable, match="keys of Alipay cannot be read"):
        build_gateway()


@pytest.mark.usefixtures("certificates")
def test_answer_signed_by_another_key_is_not_believed(sandbox: SandboxServer) -> None:
    charge = make_charge()
    open_cashier(charge)
    sandbox.alipay.faults.append("bad_signature")

    with pytest.raises(GatewayUnavailable):
        get_gateway("alipay").query(charge)


@pytest.mark.usefixtures("certificates")
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
