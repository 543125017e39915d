"""Private keys are read once a run: proving the primes of each takes forty milliseconds of CPU.

Every test with a gateway builds it anew, from the same few key files.
"""

from functools import lru_cache

import wechatpayv3.utils
from Cryptodome.PublicKey import RSA
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12


def keep_read_keys() -> None:
    """Let every reader of private keys answer from memory what it has read before.

    Keys cannot change, and what cannot be read is not kept: errors are raised each time.
    """
    for module, name in (
        (serialization, "load_pem_private_key"),
        (wechatpayv3.utils, "load_pem_private_key"),
        (pkcs12, "load_key_and_certificates"),
        (RSA, "importKey"),
    ):
        setattr(module, name, lru_cache(maxsize=256)(getattr(module, name)))
