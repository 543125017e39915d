"""Sheets about orders for finance."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from orders.models import Order, OrderLine, PaymentAttempt
from portal.lib.money import format_yuan
from portal.lib.spreadsheet import write_sheet

# Rows fetched at once: an order with its line takes about 2 kB.
_CHUNK = 2000

_COLUMNS = (
    ("订单编号", 20),
    ("购买方式", 10),
    ("状态", 10),
    ("下单人", 12),
    ("学习计划", 40),
    ("人数", 8),
    ("金额（元）", 12),
    ("下单时间", 20),
    ("支付时间", 20),
    ("支付方式", 10),
    ("支付编号", 24),
    ("渠道交易号", 34),
    ("发票抬头", 30),
)


def make_order_sheet(orders: QuerySet[Order], labels: dict[str, str]) -> bytes:
    """Return the .xlsx file of these orders, newest first; `labels` name the gateways."""
    paid = PaymentAttempt.objects.filter(state=PaymentAttempt.State.PAID)
    chosen = (
        orders.select_related("buyer", "invoice_request")
        .prefetch_related(
            Prefetch("lines", queryset=OrderLine.objects.order_by("pk")),
            Prefetch("attempts", queryset=paid.order_by("paid_at"), to_attr="payments"),
        )
        .order_by("-created_at", "-pk")
    )
    return write_sheet("订单", _COLUMNS, _list_rows(chosen, labels))


def _list_rows(
    orders: QuerySet[Order], labels: dict[str, str]
) -> Iterator[tuple[object, ...]]:
    for order in orders.iterator(chunk_size=_CHUNK):
        lines = list(order.lines.all())
        payments: list[PaymentAttempt] = order.payments  # type: ignore[attr-defined]
        invoice = getattr(order, "invoice_request", None)
        yield (
            order.number,
            order.get_kind_display(),
            order.get_state_display(),
            order.buyer.name,
            "、".join(dict.fromkeys(line.plan_title for line in lines)),
            sum(line.quantity for line in lines),
            format_yuan(order.total_fen),
            _format_time(order.created_at),
            _format_time(order.paid_at),
            "、".join(labels.get(row.gateway, row.gateway) for row in payments),
            "、".join(row.number for row in payments),
            "、".join(row.gateway_number for row in payments),
            invoice.title if invoice else "",
        )


def _format_time(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}" if moment else ""
