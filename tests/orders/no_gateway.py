"""A gateway that is configured and cannot be reached by anybody."""

from orders.payments.protocol import GatewayUnavailable


def build() -> None:
    raise GatewayUnavailable("not there")
