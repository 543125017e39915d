"""Gateways by kind, built from settings at their first use."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from orders.payments.protocol import PaymentGateway


@cache
def _build(path: str) -> PaymentGateway:
    # Lazily: keys are read here, and the embedded ones exist only once the sandbox ran.
    gateway: PaymentGateway = import_string(path)()
    return gateway


def list_gateways() -> list[tuple[str, str]]:
    """Return (code, label) of every configured gateway, in the order to be offered."""
    return [(code, label) for code, (label, _) in settings.PAYMENT_GATEWAYS.items()]


def name_gateway(code: str) -> str:
    """Return what people call a gateway; the code itself for one no longer configured."""
    return dict(list_gateways()).get(code, code)


def has_gateway(code: str) -> bool:
    return code in settings.PAYMENT_GATEWAYS


def get_gateway(code: str) -> PaymentGateway:
    """Return the gateway of a kind. Raises `KeyError` for one that is not configured."""
    _, path = settings.PAYMENT_GATEWAYS[code]
    return _build(path)


def reset_gateways() -> None:
    """Forget built gateways, so that changed keys or settings are read again."""
    _build.cache_clear()
