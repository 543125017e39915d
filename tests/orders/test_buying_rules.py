from datetime import date, timedelta

import pytest

from orders.rules import arrange_gateways, find_next_poll, may_request_invoice
from tests.clock import at

NOW = at("2026-06-15 10:00")
GATEWAYS = [("alipay", "支付宝"), ("unionpay", "银联"), ("wechat", "微信支付")]


def test_gateways_keep_their_order_outside_wechat() -> None:
    assert arrange_gateways(GATEWAYS, in_wechat=False) == GATEWAYS


def test_wechat_comes_first_inside_wechat() -> None:
    arranged = arrange_gateways(GATEWAYS, in_wechat=True)

    assert [code for code, _ in arranged] == ["wechat", "alipay", "unionpay"]


def test_invoice_is_asked_for_until_the_last_day_of_the_year_of_payment() -> None:
    asked = may_request_invoice

    assert asked(paid_on=date(2026, 1, 1), today=date(2026, 12, 31)) is True
    assert asked(paid_on=date(2026, 12, 31), today=date(2027, 1, 1)) is False


@pytest.mark.parametrize("state", ["paid", "cancelled", "expired", "refunded"])
def test_what_has_ended_is_not_asked_for_again(state: str) -> None:
    seconds = find_next_poll(state=state, in_review=False, last_started_at=NOW, now=NOW)

    assert seconds is None


@pytest.mark.parametrize(
    ("in_review", "age", "seconds"),
    [
        (True, timedelta(0), 60),
        (False, timedelta(0), 3),
        (False, timedelta(minutes=3), 3),
        (False, timedelta(minutes=3, seconds=1), 15),
        (False, None, 15),
    ],
)
def test_the_sooner_something_may_happen_the_sooner_it_is_asked(
    in_review: bool, age: timedelta | None, seconds: int
) -> None:
    started = None if age is None else NOW - age

    found = find_next_poll(
        state="pending", in_review=in_review, last_started_at=started, now=NOW
    )

    assert found == seconds
