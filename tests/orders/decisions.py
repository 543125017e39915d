"""Deciding about payment exceptions, in the steps of the tests."""

from datetime import datetime

from accounts.models import User
from orders.models import (
    PaymentException,
    Refund,
)
from orders.services import resolve_exception
from orders.services.refunds.running import run_refund

Outcome = PaymentException.Outcome


def resolve(
    exception: PaymentException, outcome: Outcome, actor: User, now: datetime
) -> PaymentException:
    return resolve_exception(
        exception_id=exception.pk,
        outcome=outcome,
        reason="已核对",
        actor=actor,
        now=now,
    )


def send_back(exception: PaymentException, staff: User, now: datetime) -> Refund:
    resolve(exception, Outcome.RETURNED, staff, now)
    refund = Refund.objects.get(exception=exception)
    run_refund(refund_id=refund.pk, now=now)
    refund.refresh_from_db()
    return refund
