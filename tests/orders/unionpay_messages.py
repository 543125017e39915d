"""An authority and messages of a UnionPay that never was, for tests without a network."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from urllib.parse import urlencode

from asn1crypto import algos
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from orders.payments.unionpay_keys import MerchantKey, Trust
from orders.payments.unionpay_wire import digest
from portal.sandbox.unionpay_keys import (
    SIGNER_NAME,
    Identity,
    dump,
    make_identity,
)

MERCHANT_ID = "777290000000001"


@dataclass(frozen=True)
class Chain:
    """Root, middle and the signer of the messages."""

    root: Identity
    middle: Identity
    signer: Identity

    def make_trust(self, *, accepts_test_signer: bool = False) -> Trust:
        return Trust(
            dump(self.root), dump(self.middle), accepts_test_signer=accepts_test_signer
        )


def make_chain(signer_name: str = SIGNER_NAME) -> Chain:
    root = make_identity("Root", is_authority=True)
    middle = make_identity("Middle", root, is_authority=True)
    return Chain(root, middle, make_identity(signer_name, middle))


@cache
def known_chain() -> Chain:
    """One chain for all tests: keys are slow to make."""
    return make_chain()


@cache
def merchant() -> MerchantKey:
    identity = make_identity("merchant")
    return MerchantKey(identity.key, identity.certificate)


def sign(fields: dict[str, str], signer: Identity) -> dict[str, str]:
    """Return a message with its certificate, signed as UnionPay does."""
    message = {"signPubKeyCert": signer.pem, **fields}
    raw = signer.key.sign(digest(message), padding.PKCS1v15(), hashes.SHA256())
    return {**message, "signature": base64.b64encode(raw).decode()}


@dataclass
class Notice:
    """A notification of a payment of 33.00 yuan; `fields` are replaced before signing."""

    signer: Identity = field(default_factory=lambda: known_chain().signer)
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def message(self) -> dict[str, str]:
        plain = {
            "version": "5.1.0",
            "encoding": "UTF-8",
            "signMethod": "01",
            "txnType": "01",
            "txnSubType": "01",
            "bizType": "000201",
            "accessType": "0",
            "merId": MERCHANT_ID,
            "orderId": "R261121ABCDEFGHJKLMN",
            "txnTime": "20261121100000",
            "txnAmt": "3300",
            "currencyCode": "156",
            "queryId": "442611211000000000008",
            "traceTime": "1121100130",
            "respCode": "00",
            "respMsg": "success",
        }
        return sign({**plain, **self.fields}, self.signer)

    @property
    def body(self) -> bytes:
        return urlencode(self.message).encode()


def sign_with_sha1(identity: Identity, issuer: Identity) -> Identity:
    """Return the identity with its certificate signed anew with SHA-1, as the chain of
    UnionPay's test gateway is; `cryptography` itself makes no such certificate."""
    der = identity.certificate.public_bytes(serialization.Encoding.DER)
    certificate = asn1.Certificate.load(der)
    algorithm = algos.SignedDigestAlgorithm({"algorithm": "sha1_rsa"})
    certificate["tbs_certificate"]["signature"] = algorithm
    certificate["signature_algorithm"] = algorithm
    text = certificate["tbs_certificate"].dump(force=True)
    certificate["signature_value"] = issuer.key.sign(
        text, padding.PKCS1v15(), hashes.SHA1()
    )
    renewed = x509.load_der_x509_certificate(certificate.dump(force=True))
    return Identity(identity.key, renewed)


NOW = datetime.now(UTC)
