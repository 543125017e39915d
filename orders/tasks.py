"""Wake-up calls: each loads by id and calls one service. All may run twice or not at all; what
matters is in rows, and the periodic ones find it."""

import logging
from collections.abc import Callable, Iterable

from celery import shared_task
from django.utils import timezone

from accounts.tasks import deliver_messages
from orders.models import CodeImport
from orders.queries import (
    list_attempt_ids_to_ask_last,
    list_attempt_ids_to_close,
    list_attempt_ids_to_poll,
    list_order_ids_to_expire,
    list_waiting_message_ids,
)
from orders.queries.codes import list_idle_imports, list_import_ids_to_forget
from orders.queries.groups import list_idle_checks
from orders.queries.reconciliation import list_bill_ids_to_read
from orders.queries.refunds import list_refund_ids_to_run
from orders.rules import ROWS_KEPT
from orders.services import (
    claims,
    codes,
    expiry,
    groups,
    notifications,
    placing_once,
    polling,
)
from orders.services import reconciliation as reconciliation_service
from orders.services.codes.importing import forget_import
from orders.services.refunds import running

logger = logging.getLogger(__name__)

# Of each sweep. A query takes a tenth of a second at a gateway in good health.
MESSAGES_AT_ONCE = 500
ATTEMPTS_AT_ONCE = 100
ORDERS_AT_ONCE = 500
REFUNDS_AT_ONCE = 100


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


@shared_task
def forget_idempotency_keys(**_kwargs: object) -> None:
    placing_once.forget_idempotency_keys(now=timezone.now())


@shared_task
def check_code_import(import_id: int, **_kwargs: object) -> None:
    """Read and check one sheet of people for codes."""
    codes.check_import(import_id=import_id, clock=timezone.now)


@shared_task
def hand_out_codes(import_id: int, **_kwargs: object) -> None:
    """Give codes to the people of one confirmed sheet."""
    codes.hand_out(import_id=import_id, clock=timezone.now)
    deliver_messages.delay_on_commit()


@shared_task
def sweep_code_imports(**_kwargs: object) -> None:
    """Find sheets whose wake-up call was lost or whose worker was killed, and forget old
    ones."""
    now = timezone.now()
    for import_id in list_idle_imports(CodeImport.TO_CHECK, now=now):
        check_code_import.delay(import_id)
    for import_id in list_idle_imports(CodeImport.TO_GIVE, now=now):
        hand_out_codes.delay(import_id)
    _for_each(
        list_import_ids_to_forget(now - ROWS_KEPT),
        lambda key: forget_import(import_id=key, now=timezone.now()),
    )


@shared_task
def check_group(check_id: int, **_kwargs: object) -> None:
    """Check the people of one group purchase."""
    groups.check_people(check_id=check_id, clock=timezone.now)


@shared_task
def sweep_groups(**_kwargs: object) -> None:
    """Find checks whose wake-up call was lost or whose worker was killed."""
    for check_id in list_idle_checks(now=timezone.now()):
        check_group.delay(check_id)


@shared_task
def forget_old_groups(**_kwargs: object) -> None:
    """Delete what was given for group purchases a day ago."""
    groups.forget_old_checks(now=timezone.now())


@shared_task
def ask_ended_attempts(**_kwargs: object) -> None:
    """Ask once more about attempts that were ended while their cashier was still open."""
    ids = list_attempt_ids_to_ask_last(timezone.now(), ATTEMPTS_AT_ONCE)
    _for_each(ids, lambda key: polling.ask_last(attempt_id=key, now=timezone.now()))


@shared_task
def run_refund(refund_id: int, **_kwargs: object) -> None:
    running.run_refund(refund_id=refund_id, now=timezone.now())


@shared_task
def sweep_refunds(**_kwargs: object) -> None:
    """Send what waits to be sent, and ask about refunds whose end is not known yet."""
    ids = list_refund_ids_to_run(timezone.now(), REFUNDS_AT_ONCE)
    _for_each(ids, lambda key: running.run_refund(refund_id=key, now=timezone.now()))


@shared_task
def reconcile_bill(bill_id: int, **_kwargs: object) -> None:
    reconciliation_service.reconcile_bill(bill_id=bill_id, now=timezone.now())


@shared_task
def reconcile_bills(**_kwargs: object) -> None:
    """From ten in the morning compare the bills of the day before, and those still missing."""
    now = timezone.now()
    reconciliation_service.open_due_bills(now=now)
    ids = list_bill_ids_to_read(now)
    _for_each(
        ids,
        lambda key: reconciliation_service.reconcile_bill(
            bill_id=key, now=timezone.now()
        ),
    )


@shared_task
def sweep_claims(**_kwargs: object) -> None:
    """End claims of closed accounts, and forget what old ones state."""
    now = timezone.now()
    claims.withdraw_claims_of_closed_accounts(now=now)
    claims.forget_old_claims(now=now)


def _for_each(ids: Iterable[int], work: Callable[[int], object]) -> None:
    """Work through a list; one that fails is logged and does not hold up the others."""
    for key in ids:
        try:
            work(key)
        except Exception:
            logger.exception("row %s failed and will be tried again", key)
