"""Orders at the simulated UnionPay, made through the portal's own gateway."""

from dataclasses import replace
from datetime import datetime, timedelta

import requests
from django.utils import timezone

from orders.payments.protocol import Channel, Charge, Inbound, Return, Start
from orders.payments.registry import get_gateway
from orders.payments.unionpay import UnionPayGateway
from portal.lib.codes import random_code
from portal.sandbox import SandboxServer
from tests.sandbox.test_protocol import CALLBACKS, make_charge

MERCHANT = "777290000000001"


def gateway_at(moment: datetime | None = None) -> UnionPayGateway:
    """The portal's gateway, with its clock at `moment` if one is given."""
    gateway = get_gateway("unionpay")
    assert isinstance(gateway, UnionPayGateway)
    if moment is None:
        return gateway
    client = replace(gateway._client, clock=lambda: moment)
    return UnionPayGateway(client, restart_within=timedelta(minutes=5))


def submit(start: Start, **changes: str) -> requests.Response:
    """Post the form as the browser does."""
    return requests.post(start.url, {**start.fields, **changes}, timeout=5)


def open_order(charge: Charge, channel: Channel = Channel.DESK) -> requests.Response:
    return submit(gateway_at().start(charge, channel, CALLBACKS))


def make_return(
    amount_fen: int, number: str = "", created_at: datetime | None = None
) -> Return:
    return Return(
        number=number or f"T261121{random_code(13)}",
        amount_fen=amount_fen,
        created_at=created_at or timezone.now(),
    )


def deliver(sandbox: SandboxServer, number: str, **options: object) -> Inbound:
    delivery = sandbox.unionpay.make_delivery(number, **options)  # type: ignore[arg-type]
    return Inbound({}, delivery.body.encode(), delivery.content_type)


def time_of(charge: Charge) -> str:
    return f"{timezone.localtime(charge.created_at):%Y%m%d%H%M%S}"


def make_open() -> Charge:
    """An attempt whose buyer stands at the cashier but has done nothing there."""
    charge = make_charge()
    assert open_order(charge).status_code == 200
    return charge


def make_paid(sandbox: SandboxServer) -> Charge:
    """A payment, with UnionPay's number as settlement would have noted it."""
    charge = make_open()
    sandbox.unionpay.pay(charge.number)
    number = sandbox.unionpay.show(charge.number)["query_id"]
    return replace(charge, gateway_number=number)
