"""Keys of UnionPay's ACP 5.1.0: ours signs, theirs is proved by a certificate chain.

Each message brings the certificate of its own signer along, so everything hangs on the chain:
whoever skips it believes anybody. It is checked by hand, for `cryptography` refuses what the
chain of UnionPay's authority needs: SHA-1 in `verify_directly_issued_by`, and a leaf without
subjectAltName in `x509.verification`.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from orders.payments.unionpay_wire import SIGN_METHOD, VERSION, digest

# The third part of the signer's common name, between @.
UNIONPAY_NAME = "中国银联股份有限公司"
TEST_NAME = "00040000:SIGN"

_CHAIN_HASHES = ("sha1", "sha256")
# A leaf of the authority changes every few years; more than these at once is nonsense.
_KNOWN_SIGNERS = 8


class UntrustedError(Exception):
    """A message that UnionPay has not signed, or not for us."""


class MerchantKey:
    """Our private key with the serial number by which UnionPay knows it."""

    def __init__(self, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        # Decimal, not the hex that tools show.
        self.certificate_id = str(certificate.serial_number)

    @classmethod
    def load(cls, pfx: bytes, password: str) -> "MerchantKey":
        """Read a PKCS#12 file. Raises `ValueError` for a wrong password or content."""
        key, certificate, _ = pkcs12.load_key_and_certificates(pfx, password.encode())
        if not isinstance(key, rsa.RSAPrivateKey) or certificate is None:
            raise ValueError("the file holds no RSA key with its certificate")
        return cls(key, certificate)

    def sign(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Return the fields trimmed, without empty ones, with certificate number and
        signature."""
        signed = {k: text for k, v in fields.items() if (text := v.strip())}
        signed["certId"] = self.certificate_id
        raw = self._key.sign(digest(signed), padding.PKCS1v15(), hashes.SHA256())
        signed["signature"] = base64.b64encode(raw).decode()
        return signed


class Trust:
    """The configured root and middle certificate, and the signers they have proved."""

    def __init__(
        self, root: bytes, middle: bytes, *, accepts_test_signer: bool = False
    ) -> None:
        """Raises `ValueError` when the two files are not one chain."""
        self._root = x509.load_pem_x509_certificate(root)
        self._middle = x509.load_pem_x509_certificate(middle)
        self._names = {UNIONPAY_NAME}
        if accepts_test_signer:
            self._names.add(TEST_NAME)
        self._signers: dict[str, x509.Certificate] = {}
        try:
            check_issued(self._root, self._root)
            check_issued(self._middle, self._root)
        except UntrustedError as error:
            raise ValueError(f"root and middle certificate: {error}") from error

    def check(self, fields: Mapping[str, str], *, now: datetime) -> None:
        """Raise `UntrustedError` unless UnionPay has signed these fields."""
        # Whoever could choose the version would choose the one with SHA-1.
        if fields.get("version") != VERSION or fields.get("signMethod") != SIGN_METHOD:
            raise UntrustedError("version or signMethod is not ours")
        signer = self._prove_signer(fields.get("signPubKeyCert", ""))
        for certificate in (signer, self._middle, self._root):
            _check_validity(certificate, now)
        key = signer.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise UntrustedError("the signer's key is not RSA")
        try:
            raw = base64.b64decode(fields.get("signature", ""), validate=True)
            key.verify(raw, digest(fields), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise UntrustedError("wrong signature") from error

    def _prove_signer(self, pem: str) -> x509.Certificate:
        known = self._signers.get(pem)
        if known is not None:
            return known
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
            check_issued(certificate, self._middle)
            name = _read_name(certificate)
        except UntrustedError:
            raise
        except Exception as error:
            # Anybody may post any bytes, and the library reads a certificate piece by piece:
            # its own errors (a strange version) and TypeError (a name of bits) come besides
            # ValueError.
            raise UntrustedError("unreadable signPubKeyCert") from error
        if name not in self._names:
            raise UntrustedError("the signer is not UnionPay")
        if len(self._signers) >= _KNOWN_SIGNERS:
            self._signers.clear()
        self._signers[pem] = certificate
        return certificate


def check_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """Raise `UntrustedError` unless `issuer`, an authority, has signed `certificate`."""
    if certificate.issuer != issuer.subject:
        raise UntrustedError("issued by somebody else")
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints)
        is_authority = constraints.value.ca
        algorithm = certificate.signature_hash_algorithm
    except (x509.ExtensionNotFound, ValueError, UnsupportedAlgorithm) as error:
        raise UntrustedError("the issuer is no authority") from error
    if not is_authority:
        raise UntrustedError("the issuer is no authority")
    if algorithm is None or algorithm.name not in _CHAIN_HASHES:
        raise UntrustedError("unknown hash in the chain")
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise UntrustedError("the issuer's key is not RSA")
    try:
        key.verify(
            certificate.signature,
            certificate.tbs_certificate_bytes,
            padding.PKCS1v15(),
            algorithm,
        )
    except InvalidSignature as error:
        raise UntrustedError("the chain is broken") from error


def _check_validity(certificate: x509.Certificate, now: datetime) -> None:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise UntrustedError("a certificate is outside its validity")


def _read_name(certificate: x509.Certificate) -> str:
    """The third part of the common name, where UnionPay writes who signs."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    parts = str(names[0].value).split("@") if names else []
    return parts[2] if len(parts) > 2 else ""
