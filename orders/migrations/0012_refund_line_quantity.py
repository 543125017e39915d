from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0011_idempotency_keys")]

    operations = [
        migrations.AddField(
            model_name="refundline",
            name="quantity",
            field=models.PositiveIntegerField(default=1, verbose_name="数量"),
        ),
        migrations.AddConstraint(
            model_name="refundline",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 1)),
                name="refund_line_quantity_positive",
            ),
        ),
    ]
