"""Every row lock of orders. The order of locking: claim, group check, import of people,
attempt, then its order, then refund, then exceptions, then people by id, then activation codes;
then the rows of learning, and last the head of the audit chain. The bill of a day and what
differs in it are locked with none of these.

Whoever puts a plan on people - places an order, gives a code, approves a claim - locks them
first, so that of two such steps the second sees what the first has done.

Locks end with the transaction; nothing here may be called outside of one. They leave keys
alone (FOR NO KEY UPDATE), so that a notification may be stored beside a running settlement.
"""

from collections.abc import Iterable

from django.db.models import Case, When

from accounts.models import User
from orders.models import (
    ActivationCode,
    BillDay,
    BillDifference,
    Claim,
    CodeImport,
    GroupCheck,
    Order,
    PaymentAttempt,
    PaymentException,
    Refund,
)

# Rows locked by one statement.
_BATCH = 1000


def lock_attempt(number: str, gateway: str) -> PaymentAttempt | None:
    """Lock an attempt by its number, or return None: the number may be anybody's invention."""
    return (
        PaymentAttempt.objects.select_for_update(no_key=True)
        .filter(number=number, gateway=gateway)
        .first()
    )


def lock_order(order_id: int) -> Order:
    """Lock an order. Whoever also needs an attempt of it has locked that before."""
    return Order.objects.select_for_update(no_key=True).get(pk=order_id)


def lock_paying_attempt(order_id: int) -> PaymentAttempt | None:
    """Lock the attempt whose money an order was paid with; None for one without."""
    return (
        PaymentAttempt.objects.select_for_update(no_key=True)
        .filter(order_id=order_id, pays_order=True)
        .first()
    )


def lock_refund(refund_id: int) -> Refund:
    """Lock a refund. Whoever also needs its attempt and order has locked those before."""
    return Refund.objects.select_for_update(no_key=True).get(pk=refund_id)


def lock_bill(bill_id: int) -> BillDay:
    """Lock the bill of a day, before anything that is compared with it."""
    return BillDay.objects.select_for_update(no_key=True).get(pk=bill_id)


def lock_difference(difference_id: int) -> BillDifference:
    return BillDifference.objects.select_for_update(no_key=True).get(pk=difference_id)


def lock_exception(exception_id: int) -> PaymentException:
    """Lock a payment exception, after its attempt and order."""
    return PaymentException.objects.select_for_update(no_key=True).get(pk=exception_id)


def find_locked_foreign_refund(
    gateway: str, attempt_number: str, refund_number: str
) -> PaymentException | None:
    """Lock the open note about a refund at the vendor's console that names no amount: the one
    of this very number, or else one that names only the payment."""
    return (
        PaymentException.objects.select_for_update(no_key=True)
        .filter(
            kind=PaymentException.Kind.FOREIGN_REFUND,
            gateway=gateway,
            attempt_number=attempt_number,
            refund_number__in={refund_number, attempt_number},
            amount_fen__isnull=True,
            state=PaymentException.State.OPEN,
        )
        .order_by(Case(When(refund_number=refund_number, then=0), default=1), "pk")
        .first()
    )


def lock_check(check_id: int) -> GroupCheck:
    """Lock a group check, before anything of the order that comes of it."""
    return (
        GroupCheck.objects.select_for_update(no_key=True, of=("self",))
        .select_related("plan", "unit", "buyer")
        .get(pk=check_id)
    )


def lock_people(person_ids: Iterable[int]) -> None:
    """Lock people by id: whoever gives one of them a plan, by whatever way, queues here."""
    ids = sorted(set(person_ids))
    for start in range(0, len(ids), _BATCH):
        part = User.objects.filter(pk__in=ids[start : start + _BATCH])
        list(
            part.select_for_update(no_key=True)
            .order_by("pk")
            .values_list("pk", flat=True)
        )


def find_locked_code(**which: object) -> ActivationCode | None:
    """Lock the one activation code that `which` names, with its plan. People come before."""
    return (
        ActivationCode.objects.select_for_update(of=("self",), no_key=True)
        .select_related("plan")
        .filter(**which)
        .first()
    )


def lock_unused_codes(**which: object) -> list[ActivationCode]:
    """Lock all unused codes that `which` names, in the order of the rows."""
    unused = ActivationCode.objects.select_for_update(of=("self",), no_key=True)
    return list(
        unused.filter(state=ActivationCode.State.UNUSED, **which).order_by("pk")
    )


def lock_voided_codes(**which: object) -> list[ActivationCode]:
    """Lock all voided codes that `which` names, in the order of the rows."""
    voided = ActivationCode.objects.select_for_update(of=("self",), no_key=True)
    return list(voided.filter(state=ActivationCode.State.VOID, **which).order_by("pk"))


def lock_import(import_id: int) -> CodeImport:
    """Lock an import of people, before those people."""
    return (
        CodeImport.objects.select_for_update(of=("self",), no_key=True)
        .select_related("owner", "plan")
        .get(pk=import_id)
    )


def lock_claim(claim_id: int) -> Claim:
    """Lock a claim with its plan at hand; its person is locked after it."""
    return (
        Claim.objects.select_for_update(of=("self",), no_key=True)
        .select_related("plan", "person")
        .get(pk=claim_id)
    )
