"""Every row lock of orders. The order of locking: attempt, then its order, then exceptions.

Locks end with the transaction; nothing here may be called outside of one. They leave keys
alone (FOR NO KEY UPDATE), so that a notification may be stored beside a running settlement.
"""

from orders.models import Order, PaymentAttempt, PaymentException


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


def lock_exception(exception_id: int) -> PaymentException:
    """Lock a payment exception, after its attempt and order."""
    return PaymentException.objects.select_for_update(no_key=True).get(pk=exception_id)
