"""Encryption of single fields and the blind index that finds them again."""

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
# The longest id and its colon.
KEY_ID_BYTES = 17


def parse_keys(text: str) -> dict[str, bytes]:
    """Read "id:base64,id:base64" into keys of 32 bytes, in the order given.

    Raises ValueError for an empty list, a repeated id or a key of another length.
    """
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        key_id, _, encoded = part.strip().partition(":")
        key = urlsafe_b64decode(encoded)
        if (
            not key_id
            or key_id in keys
            or len(key_id.encode()) >= KEY_ID_BYTES
            or len(key) != 32
        ):
            raise ValueError("field keys must be id:base64 of 32 bytes, each id once")
        keys[key_id] = key
    return keys


@dataclass(frozen=True)
class FieldCipher:
    """AES-256-GCM with the key's id in front: `id` `:` nonce ciphertext-and-tag.

    The first key encrypts, every key decrypts. `context` (table, column and row) is bound in
    as associated data, so a ciphertext moved to another row does not decrypt.
    """

    keys: Mapping[str, bytes]

    @property
    def key_id(self) -> str:
        """The key that encrypts."""
        return next(iter(self.keys))

    def encrypt(self, text: str, *, context: str) -> bytes:
        return self.encrypt_bytes(text.encode(), context=context)

    def encrypt_bytes(self, content: bytes, *, context: str) -> bytes:
        key_id, key = self.key_id, self.keys[self.key_id]
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, content, context.encode())
        return key_id.encode() + b":" + nonce + sealed

    def decrypt(self, token: bytes | memoryview, *, context: str) -> str:
        """Like `decrypt_bytes`, for text."""
        return self.decrypt_bytes(token, context=context).decode()

    def decrypt_bytes(self, token: bytes | memoryview, *, context: str) -> bytes:
        """Raises `cryptography.exceptions.InvalidTag` if changed or moved, `KeyError` without
        its key."""
        key_id, _, rest = bytes(token).partition(b":")
        key = self.keys[key_id.decode()]
        nonce, sealed = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, sealed, context.encode())

    def reseal(self, token: bytes | memoryview, *, context: str) -> bytes:
        """The same content under the key that encrypts; raises like `decrypt_bytes`."""
        return self.encrypt_bytes(
            self.decrypt_bytes(token, context=context), context=context
        )


def read_key_id(token: bytes | memoryview) -> str:
    """The id of the key that a ciphertext was made with; looks at its beginning only."""
    return bytes(token[:KEY_ID_BYTES]).partition(b":")[0].decode("utf-8", "replace")


@dataclass(frozen=True)
class BlindIndex:
    """HMAC-SHA-256 of a normalised value under a key of its own, as 64 hex digits.

    A plain hash would not protect: one core tries every Chongqing ID number in half an hour.
    """

    key: bytes

    def of(self, kind: str, value: str) -> str:
        return hmac.new(
            self.key, f"{kind}:{value}".encode(), hashlib.sha256
        ).hexdigest()
