"""Signs papers: a PAdES certification signature that allows no change, key kept parsed."""

import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from asn1crypto import pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.content import RawContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.sign import fields, signers
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from certificates.errors import SealKeyError

FIELD_NAME = "Seal"
KEY_FILE, CERTIFICATE_FILE, ROOTS_FILE = (
    "seal_key.pem",
    "seal_certificate.pem",
    "seal_roots.pem",
)
# Signed attributes, their digests and the frame of the CMS, generously; the certificates
# and the signature value are counted exactly.
_CMS_FRAME_BYTES = 1800
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
# The seal lies in the page's content, under the text; the field above it shows nothing.
_EMPTY_STAMP = StaticStampStyle(
    border_width=0, background=RawContent(b"", box=BoxConstraints(width=1, height=1))
)
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Result = TypeVar("Result")


def run_apart(work: Callable[[], Result]) -> Result:
    """Run pyHanko's synchronous functions in a thread of their own.

    They start an event loop, which Python refuses in a thread that already runs one.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(work).result()


def read_certificates(path: Path) -> list[asn1_x509.Certificate]:
    """Return the certificates of a PEM file, in its order."""
    blocks = pem.unarmor(path.read_bytes(), multiple=True)
    return [asn1_x509.Certificate.load(der) for _, _, der in blocks]


class ParsedKeySigner(signers.Signer):
    """Signer that keeps the parsed key.

    pyHanko's own loads it for every signature and, for RSA, checks it twice: 240 ms
    instead of 15.
    """

    def __init__(
        self,
        key: PrivateKey,
        certificate: asn1_x509.Certificate,
        chain: list[asn1_x509.Certificate],
    ) -> None:
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple(chain)
        super().__init__(
            signing_cert=certificate, cert_registry=store, embed_roots=False
        )
        self._key = key

    @property
    def signature_bytes(self) -> int:
        # DER of two 256-bit (or larger) integers: at most nine bytes of frame.
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.key_size // 8
        return 2 * ((self._key.key_size + 7) // 8) + 9

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        if dry_run:
            return bytes(self.signature_bytes)
        digest = _HASHES[digest_algorithm]()
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), digest)
        return self._key.sign(data, ec.ECDSA(digest))


@dataclass(frozen=True)
class SealedField:
    """Where the signature field lies (points, lower left origin) and what it says."""

    box: tuple[int, int, int, int]
    reason: str
    location: str


class Sealer:
    """Seals PDFs with one organisation's key; make one per process and keep it."""

    def __init__(self, *, key_file: Path, certificate_file: Path) -> None:
        try:
            key = serialization.load_pem_private_key(key_file.read_bytes(), None)
            certificate, *chain = read_certificates(certificate_file)
        except (OSError, ValueError, TypeError) as error:
            raise SealKeyError from error
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise SealKeyError
        self._check_pair(key, certificate)
        self._signer = ParsedKeySigner(key, certificate, chain)
        embedded = sum(len(part.dump()) for part in (certificate, *chain))
        binary = _CMS_FRAME_BYTES + embedded + self._signer.signature_bytes
        # Two hexadecimal digits for each byte. Given, so pyHanko need not sign twice.
        self._bytes_reserved = 2 * binary

    @staticmethod
    def _check_pair(key: PrivateKey, certificate: asn1_x509.Certificate) -> None:
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        if certificate.public_key.dump() != public:
            raise SealKeyError

    def seal(self, pdf: bytes, seal: SealedField) -> bytes:
        """Return `pdf` with a certification signature over the whole file.

        The field has no appearance of its own: the seal is in the page's content, because
        some viewers do not draw form fields.
        """
        metadata = signers.PdfSignatureMetadata(
            field_name=FIELD_NAME,
            md_algorithm="sha256",
            certify=True,
            subfilter=fields.SigSeedSubFilter.PADES,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES,
            reason=seal.reason,
            location=seal.location,
        )
        place = fields.SigFieldSpec(FIELD_NAME, on_page=0, box=seal.box)
        signer = signers.PdfSigner(
            metadata,
            signer=self._signer,
            new_field_spec=place,
            stamp_style=_EMPTY_STAMP,
        )
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        signed = run_apart(
            lambda: signer.sign_pdf(writer, bytes_reserved=self._bytes_reserved)
        )
        return bytes(signed.getbuffer())


def ensure_sample_identity(
    folder: Path, *, organisation: str, now: datetime
) -> tuple[Path, Path, Path]:
    """Make a root and an organisation's certificate for demonstration at first use.

    Returns the paths of key, certificate and roots, mode 0600. The root's own key is thrown
    away once it has signed: nothing else can ever be issued under it. No real authority
    stands behind these files; production names its own.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = (folder / KEY_FILE, folder / CERTIFICATE_FILE, folder / ROOTS_FILE)
    with (folder / ".seal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all(path.exists() for path in paths):
            for path, content in zip(
                paths, _make_identity(organisation, now), strict=True
            ):
                _write_private(path, content)
    return paths


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _make_identity(organisation: str, now: datetime) -> tuple[bytes, bytes, bytes]:
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = _name(f"{organisation}（演示根证书）")
    root = (
        _builder(root_name, root_name, root_key.public_key(), now, years=20)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    certificate = (
        _builder(
            _name(f"{organisation}（演示电子印章）"),
            root_name,
            key.public_key(),
            now,
            10,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    encoding = serialization.Encoding.PEM
    return private, certificate.public_bytes(encoding), root.public_bytes(encoding)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    years: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * years))
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
        )
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
