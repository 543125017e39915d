"""What the migration notes of payments that were taken before money was counted."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps

from orders.models import PaymentAttempt
from tests.factories.orders import OrderFactory, PaymentAttemptFactory

pytestmark = pytest.mark.django_db


def test_first_payment_of_a_settled_order_paid_it() -> None:
    settled, closed = OrderFactory(paid=True), OrderFactory(expired=True)
    second = PaymentAttemptFactory(order=settled, paid=True)
    first = PaymentAttemptFactory(
        order=settled, paid=True, paid_at=second.paid_at - timedelta(seconds=1)
    )
    late = PaymentAttemptFactory(order=closed, paid=True)
    unpaid = PaymentAttemptFactory(order=settled, closed=True)
    PaymentAttempt.objects.update(received_fen=None)

    import_module("orders.migrations.0009_money_of_paid_attempts").note_money(
        apps, None
    )

    rows = {
        row.pk: (row.received_fen, row.pays_order)
        for row in PaymentAttempt.objects.all()
    }
    assert rows == {
        first.pk: (first.amount_fen, True),
        second.pk: (second.amount_fen, False),
        late.pk: (late.amount_fen, False),
        unpaid.pk: (None, False),
    }
