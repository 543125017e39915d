"""The portal's keys for personal data: one cipher, one blind index, from the settings."""

from functools import cache

from django.conf import settings

from portal.lib.crypto import BlindIndex, FieldCipher, parse_keys


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
