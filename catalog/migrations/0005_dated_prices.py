"""Prices get dates: the price columns of a plan become the first row of its price history."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

POSTGRESQL = """
CREATE FUNCTION catalog_price_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'prices are append-only';
END $$;
CREATE TRIGGER price_append_only BEFORE UPDATE OR DELETE ON catalog_planprice
    FOR EACH ROW EXECUTE FUNCTION catalog_price_append_only();
"""
POSTGRESQL_BACK = """
DROP TRIGGER price_append_only ON catalog_planprice;
DROP FUNCTION catalog_price_append_only();
"""
# Deleting stays possible here: Django empties the tables of transactional tests by DELETE
# where PostgreSQL has TRUNCATE.
SQLITE = """
CREATE TRIGGER price_append_only BEFORE UPDATE ON catalog_planprice
BEGIN
    SELECT RAISE(ABORT, 'prices are append-only');
END;
"""


def move_to_rows(apps, schema_editor):
    """Each plan's price holds from the beginning of its sale, or from today before that."""
    plans = apps.get_model("catalog", "Plan").objects.filter(unit_price_fen__gt=0)
    prices = apps.get_model("catalog", "PlanPrice").objects
    now = timezone.now()
    prices.bulk_create(
        prices.model(
            plan=plan,
            valid_from=min(plan.sale_start, timezone.localdate(now)),
            pricing=plan.pricing,
            unit_price_fen=plan.unit_price_fen,
            reason="启用价格记录时的价格",
            set_at=now,
        )
        for plan in plans.order_by("pk")
    )


def move_to_columns(apps, schema_editor):
    """The way back keeps today's price and forgets the others."""
    today = timezone.localdate()
    for plan in apps.get_model("catalog", "Plan").objects.order_by("pk"):
        rows = plan.prices.filter(valid_from__lte=today)
        price = rows.order_by("-valid_from", "-pk").first()
        if price is not None:
            plan.pricing, plan.unit_price_fen = price.pricing, price.unit_price_fen
            plan.save(update_fields=["pricing", "unit_price_fen"])


def add_triggers(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    schema_editor.execute(
        {"postgresql": POSTGRESQL, "sqlite": SQLITE}[vendor], params=None
    )


def remove_triggers(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BACK, params=None)
    else:
        schema_editor.execute("DROP TRIGGER price_append_only", params=None)


PRICING = [("per_hour", "按学时"), ("flat", "按计划")]


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_plans_that_sell_codes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PlanPrice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="执行日期")),
                (
                    "pricing",
                    models.CharField(
                        choices=PRICING, max_length=10, verbose_name="计价方式"
                    ),
                ),
                (
                    "unit_price_fen",
                    models.PositiveIntegerField(verbose_name="单价（分）"),
                ),
                ("reason", models.CharField(max_length=200, verbose_name="说明")),
                ("set_at", models.DateTimeField(verbose_name="设定时间")),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prices",
                        to="catalog.plan",
                        verbose_name="培训计划",
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="设定人",
                    ),
                ),
            ],
            options={
                "verbose_name": "计划价格",
                "verbose_name_plural": "计划价格",
                "indexes": [
                    models.Index(fields=["plan", "valid_from"], name="price_by_day")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("unit_price_fen__gt", 0)),
                        name="price_above_zero",
                    )
                ],
            },
        ),
        # With defaults the columns can come back to plans that are there.
        migrations.AlterField(
            model_name="plan",
            name="pricing",
            field=models.CharField(
                choices=PRICING,
                default="flat",
                max_length=10,
                verbose_name="计价方式",
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="unit_price_fen",
            field=models.PositiveIntegerField(default=0, verbose_name="单价（分）"),
        ),
        migrations.RunPython(move_to_rows, move_to_columns),
        migrations.RemoveField(model_name="plan", name="pricing"),
        migrations.RemoveField(model_name="plan", name="unit_price_fen"),
        migrations.RunPython(add_triggers, remove_triggers),
    ]
