"""Wake-up calls: each loads by id and calls one service. All may run twice or not at all; what
matters is in rows, and the periodic ones find it."""

import logging
from collections.abc import Callable, Iterable

from celery import shared_task
from django.utils import timezone

from orders.queries import (
    list_attempt_ids_to_close,
    list_attempt_ids_to_poll,
    list_order_ids_to_expire,
    list_waiting_message_ids,
)
from orders.services import expiry, notifications, polling

logger = logging.getLogger(__name__)

# Of each sweep. A query takes a tenth of a second at a gateway in good health.
MESSAGES_AT_ONCE = 500
ATTEMPTS_AT_ONCE = 100
ORDERS_AT_ONCE = 500


@shared_task
def process_gateway_message(message_id: int, **_kwargs: object) -> None:
    notifications.process_message(message_id=message_id, now=timezone.now())


@shared_task
def query_attempt(attempt_id: int, **_kwargs: object) -> None:
    polling.query_attempt(attempt_id=attempt_id, now=timezone.now())


@shared_task
def sweep_gateway_messages(**_kwargs: object) -> None:
    """Process stored notifications whose own task was lost."""
    ids = list_waiting_message_ids(timezone.now(), MESSAGES_AT_ONCE)
    _for_each(
        ids,
        lambda key: notifications.process_message(message_id=key, now=timezone.now()),
    )


@shared_task
def poll_waiting_attempts(**_kwargs: object) -> None:
    """Find payments whose notification was lost."""
    ids = list_attempt_ids_to_poll(timezone.now(), ATTEMPTS_AT_ONCE)
    _for_each(
        ids, lambda key: polling.query_attempt(attempt_id=key, now=timezone.now())
    )


@shared_task
def expire_orders(**_kwargs: object) -> None:
    """End attempts nobody may pay any more, then the orders without any left."""
    ids = list_attempt_ids_to_close(timezone.now(), ATTEMPTS_AT_ONCE)
    _for_each(ids, lambda key: expiry.end_attempt(attempt_id=key, now=timezone.now()))
    orders = list_order_ids_to_expire(timezone.now(), ORDERS_AT_ONCE)
    _for_each(orders, lambda key: expiry.expire_order(order_id=key, now=timezone.now()))


def _for_each(ids: Iterable[int], work: Callable[[int], object]) -> None:
    """Work through a list; one that fails is logged and does not hold up the others."""
    for key in ids:
        try:
            work(key)
        except Exception:
            logger.exception("row %s failed and will be tried again", key)
