from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from orders.errors import OrderError
from orders.models import BillDay, BillDifference
from orders.payments.registry import list_gateways
from orders.rules.reconciliation import BILL_ZONE
from orders.services.reconciliation import reconcile_bill, request_bill
from portal.lib.money import format_yuan


class Command(BaseCommand):
    help = "下载支付渠道的日账单并与本站账目核对；可对任意一天重复运行。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--day", help="账单日 YYYY-MM-DD，默认昨天")
        parser.add_argument(
            "--gateway",
            choices=[code for code, _ in list_gateways()],
            help="只核对一个渠道，默认全部",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        yesterday = now.astimezone(BILL_ZONE).date() - timedelta(days=1)
        day = _read_day(options["day"]) if options["day"] else yesterday
        labels = dict(list_gateways())
        codes = [options["gateway"]] if options["gateway"] else list(labels)
        unread = []
        for code in codes:
            try:
                bill = request_bill(gateway=code, day=day, now=now)
            except OrderError as error:
                raise CommandError(str(error)) from error
            bill = reconcile_bill(bill_id=bill.pk, now=now)
            self.stdout.write(_describe(bill, labels[code]))
            if bill.state != BillDay.State.READ:
                unread.append(labels[code])
        if unread:
            raise CommandError(f"账单未能下载：{'、'.join(unread)}")


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError("日期格式应为 YYYY-MM-DD。") from error


def _describe(bill: BillDay, label: str) -> str:
    if bill.state != BillDay.State.READ:
        return f"{label} {bill.day}：未完成，{bill.problem}"
    is_open = BillDifference.State.OPEN
    return (
        f"{label} {bill.day}："
        f"渠道收款 {bill.their_payments} 笔 {format_yuan(bill.their_paid_fen)} 元、"
        f"退款 {bill.their_refunds} 笔 {format_yuan(bill.their_refunded_fen)} 元；"
        f"本站收款 {bill.our_payments} 笔 {format_yuan(bill.our_paid_fen)} 元、"
        f"退款 {bill.our_refunds} 笔 {format_yuan(bill.our_refunded_fen)} 元；"
        f"补记 {bill.found_payments} 笔；"
        f"待处理差异 {bill.differences.filter(state=is_open).count()} 项"
    )
