"""Key files of the sandbox, made at the first start, readable by the own user alone."""

import base64
import binascii
import contextlib
import os
import secrets
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

# The portal reads the first and the last; see `settings.ALIPAY`.
APP_PRIVATE = "alipay_app_private.pem"
APP_PUBLIC = "alipay_app_public.pem"
GATEWAY_PRIVATE = "alipay_gateway_private.pem"
GATEWAY_PUBLIC = "alipay_gateway_public.pem"


def make_private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def dump_private_key(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def dump_public_key(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )


def sign(key: rsa.RSAPrivateKey, text: str) -> str:
    """SHA256withRSA of the UTF-8 bytes, as base64."""
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signature).decode()


def is_signed(key: rsa.RSAPublicKey, text: str, signature: str) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def publish(path: Path, content: bytes) -> None:
    """Create `path` with mode 0600 unless it exists; a half-written file is never seen."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def open_folder(folder: Path) -> Path:
    """Return the folder of the keys, made if need be, closed to others."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def open_pair(private: Path, public: Path) -> rsa.RSAPrivateKey:
    """Return the key of two PEM files that are made at their first use."""
    if not private.exists():
        publish(private, dump_private_key(make_private_key()))
    key = serialization.load_pem_private_key(private.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{private.name} is not an RSA key")
    if not public.exists():
        publish(public, dump_public_key(key.public_key()))
    return key


@cache
def stranger_key() -> rsa.RSAPrivateKey:
    """A key nobody trusts, for forged signatures of all vendors."""
    return make_private_key()


class KeyRing:
    """Both pairs of the Alipay simulator: the portal's and the gateway's own."""

    def __init__(self, folder: Path) -> None:
        open_folder(folder)
        self.app = open_pair(folder / APP_PRIVATE, folder / APP_PUBLIC)
        self.gateway = open_pair(folder / GATEWAY_PRIVATE, folder / GATEWAY_PUBLIC)
