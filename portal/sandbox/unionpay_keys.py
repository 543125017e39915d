"""Certificates of the simulated UnionPay: an authority of its own (root, middle), the signer of
its messages, and the merchant's key file, made at the first start.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from portal.sandbox.keys import make_private_key, open_folder, publish

# The portal reads these three; see `settings.UNIONPAY`.
ROOT = "unionpay_root.pem"
MIDDLE = "unionpay_middle.pem"
MERCHANT = "unionpay_merchant.pfx"
SIGNER = "unionpay_signer.pem"

# As in UnionPay's own certificates: the third part says who signs.
SIGNER_NAME = "041@SANDBOX@中国银联股份有限公司@00000001"
VALID_FOR = timedelta(days=3650)


@dataclass(frozen=True)
class Identity:
    """A private key and its certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate as UnionPay sends it along: with CRLF, no line end at its end."""
        text = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        return text.strip().replace("\n", "\r\n")


def make_identity(
    name: str,
    issuer: Identity | None = None,
    *,
    is_authority: bool = False,
    begins_at: datetime | None = None,
    valid_for: timedelta = VALID_FOR,
    key: CertificatePublicKeyTypes | None = None,
) -> Identity:
    """Return a new identity issued by `issuer`, or by itself.

    `key` stands in the certificate in place of the identity's own, which makes it useless.
    """
    own = make_private_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    starts_at = begins_at or datetime.now(UTC) - timedelta(days=30)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key or own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts_at)
        .not_valid_after(starts_at + valid_for)
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .sign(issuer.key if issuer else own, hashes.SHA256())
    )
    return Identity(own, certificate)


class UnionPayKeys:
    """What the simulator signs with, and the certificate it knows the merchant by."""

    def __init__(self, folder: Path, password: str) -> None:
        open_folder(folder)
        paths = {name: folder / name for name in (ROOT, MIDDLE, SIGNER, MERCHANT)}
        if not all(path.exists() for path in paths.values()):
            _make_files(paths, password)
        pem = paths[SIGNER].read_bytes()
        self.signer = Identity(
            _as_rsa(serialization.load_pem_private_key(pem, password=None)),
            x509.load_pem_x509_certificate(pem),
        )
        _, merchant, _ = pkcs12.load_key_and_certificates(
            paths[MERCHANT].read_bytes(), password.encode()
        )
        if merchant is None:
            raise TypeError(f"{MERCHANT} holds no certificate")
        self.merchant = merchant


def _make_files(paths: dict[str, Path], password: str) -> None:
    """Make all four anew: parts of two chains would fit nowhere."""
    root = make_identity("模拟银联根证书", is_authority=True)
    middle = make_identity("模拟银联中级证书", root, is_authority=True)
    signer = make_identity(SIGNER_NAME, middle)
    merchant = make_identity("041@SANDBOX@模拟商户@00000002", middle)
    contents = {
        ROOT: dump(root),
        MIDDLE: dump(middle),
        SIGNER: dump(signer, with_key=True),
        MERCHANT: pkcs12.serialize_key_and_certificates(
            b"merchant",
            merchant.key,
            merchant.certificate,
            None,
            serialization.BestAvailableEncryption(password.encode()),
        ),
    }
    for name, content in contents.items():
        paths[name].unlink(missing_ok=True)
        publish(paths[name], content)


def dump(identity: Identity, *, with_key: bool = False) -> bytes:
    """Return the certificate as PEM, after its key if that is wanted."""
    pem = identity.certificate.public_bytes(serialization.Encoding.PEM)
    if not with_key:
        return pem
    key = identity.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return key + pem


def _as_rsa(key: object) -> rsa.RSAPrivateKey:
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("not an RSA key")
    return key
