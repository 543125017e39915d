"""The portal's keys for personal data: one cipher, one blind index, from the settings."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.conf import settings

from portal.lib.crypto import BlindIndex, FieldCipher, parse_keys

# How a model declares what it keeps encrypted, as `encrypted_columns` (binary fields) and
# `encrypted_files` (file fields): field to the context that a row's ciphertext is bound to.
# `manage.py rotate_keys` finds every model that has one of the two.
EncryptedColumns = Mapping[str, Callable[[Any], str]]


@cache
def cipher() -> FieldCipher:
    return FieldCipher(parse_keys(settings.FIELD_KEYS))


@cache
def blind_index() -> BlindIndex:
    return BlindIndex(settings.INDEX_KEY.encode())


def id_number_index(number: str) -> str:
    """Index of a normalised ID number."""
    return blind_index().of("id_number", number)


def phone_index(phone: str) -> str:
    """Index of a normalised phone number of 11 digits."""
    return blind_index().of("phone", phone)
