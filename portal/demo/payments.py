"""Sample payments: the buyer pays at the simulated Alipay on the day of the story.

The simulator keeps what was paid there, so refunds and bills of the running portal find it. Its
signed notification goes the way of every other: stored, verified, settled.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings

from orders.models import Order, PaymentAttempt
from orders.payments.protocol import Callbacks, Channel, Inbound
from orders.services.notifications import process_message, store_notification
from orders.services.payment import start_payment
from portal.lib.money import format_yuan
from portal.sandbox import SandboxServer
from portal.sandbox.accounts import read_config
from portal.sandbox.alipay import AlipaySimulator
from portal.sandbox.alipay_trades import TIME_FORMAT, ZONE
from portal.sandbox.keys import KeyRing
from portal.sandbox.notifier import Notifier
from portal.sandbox.store import STORE_NAME, Store

GATEWAY = "alipay"
FORM = "application/x-www-form-urlencoded; charset=utf-8"


def pay_order(
    order: Order, now: datetime, *, amount_fen: int | None = None
) -> PaymentAttempt:
    """Lead the buyer to Alipay a minute after `now`, and hear two minutes later that they paid;
    `amount_fen` in place of what was asked for."""
    with open_alipay() as alipay:
        start = start_payment(
            order=order,
            gateway_code=GATEWAY,
            channel=Channel.DESK,
            callbacks=Callbacks(
                notify_url=f"{settings.SITE_URL}/orders/notify/alipay/",
                return_url=f"{settings.SITE_URL}/orders/return/alipay/",
            ),
            actor=order.buyer,
            now=now + timedelta(minutes=1),
        )
        attempt = order.attempts.get()
        parameters = dict(parse_qsl(urlsplit(start.url).query))
        alipay.trades.open_trade(parameters, json.loads(parameters["biz_content"]))
        paid_at = now + timedelta(minutes=3)
        _pay(alipay, attempt.number, paid_at, amount_fen)
        notice = urlencode(alipay.make_notice(attempt.number))
    inbound = Inbound({"content-type": FORM}, notice.encode(), FORM)
    receipt = store_notification(gateway_code=GATEWAY, inbound=inbound, now=paid_at)
    if receipt.message_id is None:
        raise RuntimeError(f"{attempt.number}: the sample notification is not believed")
    process_message(message_id=receipt.message_id, now=paid_at)
    attempt.refresh_from_db()
    return attempt


def pay_unknown(number: str, subject: str, amount_fen: int, now: datetime) -> None:
    """Let somebody pay at Alipay under a number that the portal has never given out."""
    with open_alipay() as alipay:
        alipay.trades.open_trade(
            {"method": "alipay.trade.page.pay"},
            {
                "out_trade_no": number,
                "total_amount": format_yuan(amount_fen),
                "subject": subject,
                "product_code": "FAST_INSTANT_TRADE_PAY",
            },
        )
        _pay(alipay, number, now, None)


@contextmanager
def open_alipay() -> Iterator[AlipaySimulator]:
    """The simulated Alipay's books, whether its address is served or not."""
    config = read_config(settings)
    keys = KeyRing(config.folder)
    with closing(Store(config.folder / STORE_NAME)) as store:
        notifier = Notifier(store, factor=config.notice_factor)
        yield AlipaySimulator(store, keys, notifier, config.alipay)


@contextmanager
def serve_gateways() -> Iterator[None]:
    """Answer at the address of the simulated gateways for a while, unless a running portal
    does so already."""
    address = urlsplit(settings.ALIPAY["gateway"])
    host, port = address.hostname or "", address.port or 0
    if _is_served(host, port):
        yield
        return
    with SandboxServer(read_config(settings), host=host, port=port):
        yield


def _is_served(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _pay(
    alipay: AlipaySimulator, number: str, at: datetime, amount_fen: int | None
) -> None:
    alipay.pay(number, amount_fen=amount_fen)
    with alipay.trades.edit(number) as trade:
        trade["created_at"] = trade["paid_at"] = at.astimezone(ZONE).strftime(
            TIME_FORMAT
        )
