"""Keys and signatures of WeChat Pay v3: the merchant's pair, WeChat's own, the APIv3 key."""

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

from portal.sandbox.keys import open_folder, open_pair, publish

# The portal reads the merchant's private key, WeChat's public key and the APIv3 key; see
# `settings.WECHAT_PAY`.
MERCHANT_PRIVATE = "wechat_pay_merchant_private.pem"
MERCHANT_PUBLIC = "wechat_pay_merchant_public.pem"
PLATFORM_PRIVATE = "wechat_pay_platform_private.pem"
PLATFORM_PUBLIC = "wechat_pay_platform_public.pem"
API_V3_KEY = "wechat_pay_api_v3_key.txt"
# Older merchants verify by a certificate, whose key is another one.
CERTIFICATE_PRIVATE = "wechat_pay_certificate_private.pem"
CERTIFICATE_PUBLIC = "wechat_pay_certificate_public.pem"
CERTIFICATE = "wechat_pay_certificate.pem"

CERTIFICATE_LIFE = timedelta(days=5 * 365)


def format_serial(certificate: x509.Certificate) -> str:
    """The serial number as WeChat writes it: hexadecimal, capitals."""
    return f"{certificate.serial_number:X}"


class WeChatPayKeys:
    """All keys of the simulator, from files that are made at the first start."""

    def __init__(self, folder: Path) -> None:
        self._folder = open_folder(folder)
        self.merchant = open_pair(folder / MERCHANT_PRIVATE, folder / MERCHANT_PUBLIC)
        self.platform = open_pair(folder / PLATFORM_PRIVATE, folder / PLATFORM_PUBLIC)
        path = folder / API_V3_KEY
        if not path.exists():
            publish(path, secrets.token_hex(16).encode())
        self.api_v3_key = path.read_text()

    @cached_property
    def certificate_key(self) -> rsa.RSAPrivateKey:
        return open_pair(
            self._folder / CERTIFICATE_PRIVATE, self._folder / CERTIFICATE_PUBLIC
        )

    @cached_property
    def certificate(self) -> x509.Certificate:
        path = self._folder / CERTIFICATE
        if not path.exists():
            publish(path, self._make_certificate())
        return x509.load_pem_x509_certificate(path.read_bytes())

    def encrypt(self, value: object, associated: str) -> dict[str, str]:
        """Return a JSON value as the `resource` of a notification carries it."""
        text = value if isinstance(value, str) else json.dumps(value)
        nonce = secrets.token_hex(6)
        sealed = AESGCM(self.api_v3_key.encode()).encrypt(
            nonce.encode(), text.encode(), associated.encode()
        )
        return {
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(sealed).decode(),
            "associated_data": associated,
            "nonce": nonce,
        }

    def _make_certificate(self) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sandbox Tenpay")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.certificate_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + CERTIFICATE_LIFE)
            .sign(self.certificate_key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)
