"""`manage.py reconcile`: any day, any gateway."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from orders.models import (
    BillDay,
    Order,
)
from tests.orders.bank import Bank

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("reconcile", *arguments, stdout=output)
    return output.getvalue()


def test_command_reconciles_any_day(bank: Bank, bought: Order) -> None:
    text = run("--day", "2026-06-15", "--gateway", "east")

    assert "东岸银行 2026-06-15：渠道收款 1 笔 33.00 元" in text
    assert "待处理差异 0 项" in text
    assert BillDay.objects.count() == 1


def test_command_takes_yesterday_and_all_gateways(banks: Any) -> None:
    run()

    assert set(BillDay.objects.values_list("gateway", flat=True)) == {"east", "west"}
    yesterday = timezone.localdate() - timedelta(days=1)
    assert set(BillDay.objects.values_list("day", flat=True)) == {yesterday}


@pytest.mark.parametrize("day", ["2026-13-01", "gestern", "2999-01-01"])
def test_command_refuses_days_that_cannot_be(banks: Any, day: str) -> None:
    with pytest.raises(CommandError):
        run("--day", day)

    assert BillDay.objects.count() == 0


def test_command_fails_aloud_without_a_bill(bank: Bank) -> None:
    bank.is_bill_ready = False

    with pytest.raises(CommandError, match="账单未能下载：东岸银行"):
        run("--day", "2026-06-15", "--gateway", "east")
