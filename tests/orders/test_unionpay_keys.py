"""Who may speak for UnionPay: everything hangs on the chain of the certificate sent along."""

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import pkcs12

from orders.payments.unionpay_keys import MerchantKey, Trust, UntrustedError
from orders.payments.unionpay_wire import base_text, digest
from portal.sandbox.unionpay_keys import SIGNER_NAME, Identity, dump, make_identity
from tests.orders.unionpay_messages import (
    NOW,
    Notice,
    known_chain,
    make_chain,
    merchant,
    sign_with_sha1,
)


def check(notice: Notice, trust: Trust | None = None) -> None:
    (trust or known_chain().make_trust()).check(notice.message, now=NOW)


def refuse(message: dict[str, str], reason: str, trust: Trust | None = None) -> None:
    with pytest.raises(UntrustedError, match=reason):
        (trust or known_chain().make_trust()).check(message, now=NOW)


# --- Genuine -----------------------------------------------------------------------------


def test_genuine_message_is_believed() -> None:
    check(Notice())


def test_certificate_comes_with_crlf() -> None:
    assert "\r\n" in Notice().message["signPubKeyCert"]


def test_brackets_spaces_and_chinese_are_signed_as_they_are() -> None:
    check(Notice(fields={"reserved": "{a=1&b=2}", "respMsg": " 成功[0000000] "}))


def test_sha1_chain_is_believed() -> None:
    """UnionPay's test gateway has one; `cryptography`'s own checks refuse it."""
    chain = make_chain()
    root = sign_with_sha1(chain.root, chain.root)
    middle = sign_with_sha1(chain.middle, chain.root)
    signer = sign_with_sha1(chain.signer, chain.middle)
    assert signer.certificate.signature_hash_algorithm.name == "sha1"

    trust = Trust(dump(root), dump(middle))

    check(Notice(signer), trust)


def test_signer_of_the_test_gateway_is_believed_where_settings_say_so() -> None:
    chain = make_chain("041@x@00040000:SIGN@1")
    notice = Notice(chain.signer)

    check(notice, chain.make_trust(accepts_test_signer=True))
    refuse(notice.message, "not UnionPay", chain.make_trust())


# --- Forged ------------------------------------------------------------------------------


def test_own_certificate_with_the_right_name_is_not_believed() -> None:
    """The attack that skipping the chain invites."""
    forger = make_identity(SIGNER_NAME)

    refuse(Notice(forger).message, "issued by somebody else")


def test_chain_of_the_same_names_is_not_believed() -> None:
    """Every name of the forged chain is that of the genuine one."""
    refuse(Notice(make_chain().signer).message, "the chain is broken")


def test_leaf_issues_nothing() -> None:
    """A merchant of the same authority has a certificate, and could sign another with it."""
    chain = known_chain()
    forged = make_identity(SIGNER_NAME, chain.signer)

    refuse(Notice(forged).message, "issued by somebody else")


def test_root_does_not_sign_leaves() -> None:
    chain = known_chain()
    leaf = make_identity(SIGNER_NAME, chain.root)

    refuse(Notice(leaf).message, "issued by somebody else")


def test_middle_that_is_no_authority_is_not_taken() -> None:
    root = make_identity("Root", is_authority=True)
    leaf = make_identity("Middle", root)
    signer = make_identity(SIGNER_NAME, leaf)

    refuse(Notice(signer).message, "no authority", Trust(dump(root), dump(leaf)))


@pytest.mark.parametrize(
    "name", ["041@x@某商户@1", "中国银联股份有限公司", "041@中国银联股份有限公司", "x"]
)
def test_other_customers_of_the_authority_are_not_unionpay(name: str) -> None:
    chain = known_chain()

    refuse(Notice(make_identity(name, chain.middle)).message, "not UnionPay")


@pytest.mark.parametrize("pem", ["", "nonsense", "-----BEGIN CERTIFICATE-----\r\n"])
def test_unreadable_certificate_is_refused(pem: str) -> None:
    refuse({**Notice().message, "signPubKeyCert": pem}, "unreadable signPubKeyCert")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # A version that does not exist: the library has an error of its own for it.
        (bytes.fromhex("a003020102"), bytes.fromhex("a003020105")),
        # The issuer's name as bits in place of text: a TypeError.
        (b"\x0c\x06Middle", b"\x03\x06\x00iddle"),
        # A name that is no text.
        (b"\x0c\x06Middle", b"\x0c\x06Mi\xff\xffle"),
    ],
)
def test_certificate_that_the_library_trips_over_is_refused(
    old: bytes, new: bytes
) -> None:
    signer = known_chain().signer.certificate
    der = signer.public_bytes(serialization.Encoding.DER)
    assert der.count(old) == 1
    lines = base64.encodebytes(der.replace(old, new)).decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----"

    refuse({**Notice().message, "signPubKeyCert": pem}, "unreadable signPubKeyCert")


def test_elliptic_key_of_the_chain_is_refused() -> None:
    chain = known_chain()
    genuine = make_identity(SIGNER_NAME, chain.middle)
    key = ec.generate_private_key(ec.SECP256R1())
    forged = make_identity(SIGNER_NAME, chain.middle, key=key.public_key())

    message = Notice(genuine).message
    refuse({**message, "signPubKeyCert": forged.pem}, "not RSA")


# --- Downgraded, changed, expired ----------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"version": "5.0.0"},
        {"version": "5.0.0", "signMethod": "01"},
        {"signMethod": "11"},
        {"signMethod": ""},
    ],
)
def test_other_version_or_method_is_refused(fields: dict[str, str]) -> None:
    refuse(Notice(fields=fields).message, "version or signMethod")


def test_signature_of_the_old_version_is_refused() -> None:
    """5.0.0 hashed once with SHA-1; here it claims to be 5.1.0."""
    message = Notice().message
    signer = known_chain().signer
    raw = signer.key.sign(
        base_text(message).encode(), padding.PKCS1v15(), hashes.SHA1()
    )

    refuse({**message, "signature": base64.b64encode(raw).decode()}, "wrong signature")


def test_text_hashed_once_is_refused() -> None:
    message = Notice().message
    raw = known_chain().signer.key.sign(
        base_text(message).encode(), padding.PKCS1v15(), hashes.SHA256()
    )

    refuse({**message, "signature": base64.b64encode(raw).decode()}, "wrong signature")


@pytest.mark.parametrize(
    "change",
    [
        {"txnAmt": "1"},
        {"orderId": "R261121ABCDEFGHJKLMM"},
        {"added": ""},
        {"respMsg": ""},
        {"signature": ""},
        {"signature": "not base64"},
        {"signature": "AAAA"},
    ],
)
def test_changed_message_is_refused(change: dict[str, str]) -> None:
    refuse({**Notice().message, **change}, "wrong signature")


def test_message_without_a_field_is_refused() -> None:
    message = Notice().message
    del message["respMsg"]

    refuse(message, "wrong signature")


def test_line_ends_must_stay() -> None:
    message = Notice().message
    message["signPubKeyCert"] = message["signPubKeyCert"].replace("\r\n", "\n")

    refuse(message, "wrong signature")


@pytest.mark.parametrize("days", [-30, 30])
def test_certificate_outside_its_validity_is_refused(days: int) -> None:
    chain = known_chain()
    signer = make_identity(
        SIGNER_NAME,
        chain.middle,
        begins_at=NOW + timedelta(days=days),
        valid_for=timedelta(days=10),
    )

    refuse(Notice(signer).message, "outside its validity")


def test_known_signer_expires_too() -> None:
    """It is kept once it is proved; its time goes on."""
    trust = known_chain().make_trust()
    message = Notice().message
    trust.check(message, now=NOW)

    with pytest.raises(UntrustedError, match="outside its validity"):
        trust.check(message, now=NOW + timedelta(days=4000))


def test_expired_middle_ends_the_chain() -> None:
    root = make_identity("Root", is_authority=True)
    middle = make_identity(
        "Middle", root, is_authority=True, valid_for=timedelta(hours=1)
    )
    signer = make_identity(SIGNER_NAME, middle)

    refuse(
        Notice(signer).message, "outside its validity", Trust(dump(root), dump(middle))
    )


# --- Configuration -----------------------------------------------------------------------


def test_certificates_that_are_no_chain_are_refused_at_once() -> None:
    chain, other = known_chain(), make_chain()

    with pytest.raises(ValueError, match="the chain is broken"):
        Trust(dump(other.root), dump(chain.middle))
    with pytest.raises(ValueError, match="issued by somebody else"):
        Trust(dump(chain.middle), dump(chain.signer))


def test_merchant_key_signs_what_is_left_after_trimming() -> None:
    identity = make_identity("merchant")
    key = MerchantKey(identity.key, identity.certificate)

    signed = key.sign({"b": " 2 ", "empty": "", "blank": " ", "a": "1"})

    assert signed["certId"] == str(identity.certificate.serial_number)
    assert {k: signed[k] for k in signed if k not in {"signature", "certId"}} == {
        "a": "1",
        "b": "2",
    }
    identity.key.public_key().verify(
        base64.b64decode(signed["signature"]),
        digest(signed),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )


def make_pfx(identity: Identity, password: str) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"x",
        identity.key,
        identity.certificate,
        None,
        serialization.BestAvailableEncryption(password.encode()),
    )


def test_merchant_key_is_a_pfx_file() -> None:
    identity = make_identity("merchant")

    key = MerchantKey.load(make_pfx(identity, "secret"), "secret")

    assert key.certificate_id == str(identity.certificate.serial_number)
    assert key.certificate_id.isdigit()


@pytest.mark.parametrize(("content", "password"), [(b"", "secret"), (None, "wrong")])
def test_unreadable_key_file_is_refused(content: bytes | None, password: str) -> None:
    pfx = make_pfx(make_identity("m"), "secret") if content is None else content

    with pytest.raises(ValueError):  # noqa: PT011 - of the library
        MerchantKey.load(pfx, password)


def test_key_without_certificate_is_refused() -> None:
    pfx = pkcs12.serialize_key_and_certificates(
        b"x",
        make_identity("m").key,
        None,
        None,
        serialization.BestAvailableEncryption(b"secret"),
    )

    with pytest.raises(ValueError, match="no RSA key with its certificate"):
        MerchantKey.load(pfx, "secret")


def test_two_merchants_have_two_numbers() -> None:
    other = make_identity("other").certificate.serial_number

    assert merchant().certificate_id != str(other)
