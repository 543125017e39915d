"""What earlier payments brought, and which of an order's attempts paid it: the first."""

from typing import Any

from django.db import migrations
from django.db.models import F, OuterRef, Subquery


def note_money(apps: Any, schema_editor: Any) -> None:
    attempts = apps.get_model("orders", "PaymentAttempt").objects.filter(state="paid")
    attempts.update(received_fen=F("amount_fen"))
    of_the_order = attempts.filter(order=OuterRef("order")).order_by("paid_at", "pk")
    settled = attempts.filter(order__state__in=["paid", "refunded"])
    settled.filter(pk=Subquery(of_the_order.values("pk")[:1])).update(pays_order=True)


class Migration(migrations.Migration):
    dependencies = [("orders", "0008_refunds_and_reconciliation")]

    operations = [migrations.RunPython(note_money, migrations.RunPython.noop)]
