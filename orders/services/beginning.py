"""Beginning a payment where an earlier one may stand in the way."""

from datetime import datetime

from accounts.models import User
from orders.errors import AttemptUsedUpError, GatewayDownError
from orders.models import Order
from orders.payments.protocol import UNKNOWN_PAYER, Callbacks, Channel, Payer, Start
from orders.services.expiry import end_attempt
from orders.services.payment import start_payment


def begin_payment(
    *,
    order: Order,
    gateway_code: str,
    channel: Channel,
    callbacks: Callbacks,
    payer: Payer = UNKNOWN_PAYER,
    actor: User,
    now: datetime,
) -> Start:
    """Return the way to the cashier, under a new number if the gateway refuses the old one.

    WeChat takes a number for one way of paying only: who has seen the QR code on a desk and
    goes on with the phone gets a new attempt. The old one is ended first, so that only one
    can be paid; if it turns out to be paid, that settles the order.

    Raises what `start_payment` raises; `GatewayDownError` when the old attempt cannot be
    ended.
    """

    def start() -> Start:
        return start_payment(
            order=order,
            gateway_code=gateway_code,
            channel=channel,
            callbacks=callbacks,
            payer=payer,
            actor=actor,
            now=now,
        )

    try:
        return start()
    except AttemptUsedUpError as error:
        if not end_attempt(attempt_id=error.attempt_id, now=now):
            raise GatewayDownError from error
    return start()
