"""Orders of activation codes given back: as many as nobody has, in any number of parts."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import CodesTakenError, RefundRefusedError
from orders.models import (
    ActivationCode,
    Order,
    OrderLine,
    PaymentAttempt,
    PaymentException,
    Refund,
    RefundLine,
)
from orders.queries.codes import count_free_codes
from orders.services.codes import give_code, redeem_code
from orders.services.refunds.asking import quote_refund, request_refund, start_refund
from orders.services.refunds.deciding import (
    approve_refund,
    give_up_refund,
    note_paid_back,
    refuse_refund,
    retry_refund,
)
from orders.services.refunds.running import run_refund
from tests.factories.accounts import UserFactory
from tests.factories.orders import make_endless_plan
from tests.orders.bank import Bank
from tests.orders.decisions import resolve
from tests.orders.shop import buy_codes, hear
from tests.orders.test_admin import make_staff

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]


@pytest.fixture
def plan() -> Plan:
    """33.00 yuan a code."""
    return make_endless_plan(
        title="2026年公需科目", unit_price_fen=110, hours=30, sells_codes=True
    )


@pytest.fixture
def order(bank: Bank, owner: User, plan: Plan, now: datetime) -> Order:
    return buy_codes(bank, owner, plan, 5, now)


def states() -> list[str]:
    return sorted(ActivationCode.objects.values_list("state", flat=True))


def ask(order: Order, now: datetime, count: int | None = None) -> Refund:
    return request_refund(
        order=order,
        line_ids=None,
        count=count,
        reason="多买了",
        buyer=order.buyer,
        now=now,
    )


def give_back(order: Order, count: int | None, finance: User, now: datetime) -> Refund:
    refund = ask(order, now, count)
    approve_refund(refund_id=refund.pk, decision="", actor=finance, now=now)
    run_refund(refund_id=refund.pk, now=now)
    refund.refresh_from_db()
    return refund


def test_some_codes_go_back_and_the_others_stay(
    order: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = give_back(order, 2, finance, now)

    order.refresh_from_db()
    line, row = order.lines.get(), RefundLine.objects.get()
    assert (refund.state, refund.amount_fen) == (Refund.State.DONE, 6600)
    assert (row.quantity, row.amount_fen) == (2, 6600)
    assert (order.state, order.refunded_fen) == (Order.State.PAID, 6600)
    assert (line.is_live, line.refunded_at) == (True, None)
    assert states() == ["unused"] * 3 + ["void"] * 2
    assert bank.trades[refund.attempt.number].held_fen == 9900


def test_only_when_all_have_gone_back_the_order_is_refunded(
    order: Order, finance: User, now: datetime
) -> None:
    give_back(order, 2, finance, now)
    give_back(order, 1, finance, now)

    refund = give_back(order, None, finance, now)

    order.refresh_from_db()
    line = order.lines.get()
    assert refund.amount_fen == 6600
    assert (order.state, order.refunded_fen) == (Order.State.REFUNDED, 16500)
    assert (line.is_live, line.refunded_at) == (False, now)
    assert states() == ["void"] * 5
    with pytest.raises(RefundRefusedError, match="已退款"):
        ask(order, now)


def test_given_and_used_codes_stay_with_their_people(
    order: Order, plan: Plan, finance: User, now: datetime
) -> None:
    give_code(owner=order.buyer, plan=plan, person=UserFactory(), now=now)
    code = ActivationCode.objects.filter(state="unused").latest("pk")
    redeem_code(person=UserFactory(), typed=code.secret, address="203.0.113.7", now=now)
    with pytest.raises(CodesTakenError, match="只有 3 个"):
        ask(order, now, 4)
    assert Refund.objects.count() == 0

    refund = give_back(order, None, finance, now)

    order.refresh_from_db()
    assert refund.amount_fen == 9900
    assert (order.state, order.refunded_fen) == (Order.State.PAID, 9900)
    assert states() == ["given", "used", "void", "void", "void"]
    assert Enrolment.objects.live().count() == 1
    with pytest.raises(RefundRefusedError, match="均已赠送或使用"):
        ask(order, now)


@pytest.mark.parametrize("count", [0, -1])
def test_number_is_positive(order: Order, now: datetime, count: int) -> None:
    with pytest.raises(RefundRefusedError, match="请填写"):
        ask(order, now, count)

    assert Refund.objects.count() == 0


def test_one_refund_of_an_order_runs_at_a_time(order: Order, now: datetime) -> None:
    ask(order, now, 1)

    with pytest.raises(RefundRefusedError, match="正在退款"):
        ask(order, now, 1)

    assert Refund.objects.count() == 1


def test_codes_given_before_the_approval_stop_it(
    order: Order, plan: Plan, finance: User, now: datetime
) -> None:
    """A wish reserves nothing: what has been given meanwhile is not taken away."""
    refund = ask(order, now, 5)
    give_code(owner=order.buyer, plan=plan, person=UserFactory(), now=now)

    with pytest.raises(CodesTakenError, match="只有 4 个"):
        approve_refund(refund_id=refund.pk, decision="", actor=finance, now=now)

    refund.refresh_from_db()
    assert refund.state == Refund.State.REQUESTED
    assert states() == ["given"] + ["unused"] * 4
    refuse_refund(refund_id=refund.pk, decision="已赠送", actor=finance, now=now)
    assert ask(order, now, 4).amount_fen == 13200


def fail(order: Order, bank: Bank, finance: User, now: datetime) -> Refund:
    refund = ask(order, now, 2)
    approve_refund(refund_id=refund.pk, decision="", actor=finance, now=now)
    bank.faults = ["refuse"]
    run_refund(refund_id=refund.pk, now=now)
    refund.refresh_from_db()
    assert refund.state == Refund.State.FAILED
    return refund


def test_codes_come_back_when_the_refund_is_given_up(
    order: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = fail(order, bank, finance, now)
    # Staff may still pay it back otherwise, so the codes are worth nothing yet.
    assert states() == ["unused"] * 3 + ["void"] * 2

    give_up_refund(refund_id=refund.pk, reason="本人放弃", actor=finance, now=now)

    order.refresh_from_db()
    assert states() == ["unused"] * 5
    assert (order.state, order.refunded_fen) == (Order.State.PAID, 0)
    assert ask(order, now).amount_fen == 16500


@pytest.mark.parametrize("way", ["retry", "paid_back"])
def test_failed_refund_that_goes_through_voids_nothing_more(
    order: Order, bank: Bank, finance: User, now: datetime, way: str
) -> None:
    refund = fail(order, bank, finance, now)

    if way == "retry":
        retry_refund(refund_id=refund.pk, actor=finance, now=now)
        run_refund(refund_id=refund.pk, now=now)
    else:
        note_paid_back(refund_id=refund.pk, reason="转账", actor=finance, now=now)

    order.refresh_from_db()
    assert (order.state, order.refunded_fen) == (Order.State.PAID, 6600)
    assert states() == ["unused"] * 3 + ["void"] * 2


def test_staff_begin_one(order: Order, finance: User, now: datetime) -> None:
    refund = start_refund(
        order=order, line_ids=None, count=3, reason="电话", actor=finance, now=now
    )

    assert (refund.state, refund.amount_fen) == (Refund.State.APPROVED, 9900)
    assert states() == ["unused"] * 2 + ["void"] * 3


def test_whole_orders_only_where_the_policy_says_so(
    order: Order, now: datetime, settings: Any
) -> None:
    settings.REFUND_POLICY = settings.REFUND_POLICY | {"by_seat": False}

    with pytest.raises(RefundRefusedError, match="只能整单退款"):
        ask(order, now, 4)

    assert ask(order, now).amount_fen == 16500


def test_everything_paid_back_at_the_console_voids_what_nobody_has(
    order: Order, bank: Bank, plan: Plan, staff: User, now: datetime
) -> None:
    give_code(owner=order.buyer, plan=plan, person=UserFactory(), now=now)
    number = PaymentAttempt.objects.get().number
    bank.pay_back(number, 16500, "F1", now=now)
    hear(bank, bank.refund_notice(number, "F1"), now)

    resolve(
        PaymentException.objects.get(), PaymentException.Outcome.ACCEPTED, staff, now
    )

    order.refresh_from_db()
    assert (order.state, order.refunded_fen) == (Order.State.REFUNDED, 16500)
    assert OrderLine.objects.get().refunded_at == now
    assert states() == ["given"] + ["void"] * 4


def test_quote_counts_what_is_free(order: Order, now: datetime) -> None:
    quote = quote_refund(order=order, line_ids=None, now=now)

    assert (quote.code_count, quote.amount_fen, quote.obstacles) == (5, 16500, [])
    assert count_free_codes(order.lines.get()) == 5


# --- Pages ----------------------------------------------------------------------------------


@pytest.fixture
def shown(bank: Bank, owner: User, plan: Plan) -> Order:
    """Bought by the real clock, which the pages read."""
    return buy_codes(bank, owner, plan, 5, timezone.now())


def test_buyer_says_how_many(
    shown: Order, plan: Plan, owner: User, client_of: LogIn
) -> None:
    give_code(owner=owner, plan=plan, person=UserFactory(), now=timezone.now())
    client, url = client_of(owner), reverse("orders:refund", args=[shown.number])
    assert url in client.get(reverse("orders:detail", args=[shown.number])).text

    page = client.get(url).text
    many = client.post(url, {"reason": "多买了", "count": "5"})
    none = client.post(url, {"reason": "多买了"})
    assert Refund.objects.count() == 0
    response = client.post(url, {"reason": "多买了", "count": "2"})

    assert "132.00" in page
    assert 'max="4"' in page
    assert "还有 4 个" in page
    assert "只有 4 个激活码未使用" in many.text
    assert none.status_code == 200
    assert response.status_code == 302
    assert Refund.objects.get().amount_fen == 6600


def test_order_without_free_codes_offers_no_refund(
    shown: Order, owner: User, client_of: LogIn
) -> None:
    ActivationCode.objects.update(
        state="void", voided_at=timezone.now(), voided_for="T1"
    )
    client, url = client_of(owner), reverse("orders:refund", args=[shown.number])

    assert url not in client.get(reverse("orders:detail", args=[shown.number])).text
    told = client.get(url, follow=True).text
    assert "没有可退的激活码" in told


def test_staff_say_how_many(shown: Order, client_of: LogIn) -> None:
    client = client_of(
        make_staff("orders.view_order", "orders.decide_refund", "orders.view_refund")
    )
    url = reverse("admin:orders_order_refund", args=[shown.pk])

    page = client.get(url).text
    client.post(url, {"reason": "电话", "count": "3"})

    refund = Refund.objects.get()
    assert "5 个激活码" in page
    assert 'name="people"' not in page
    assert (refund.amount_fen, refund.lines.get().quantity) == (9900, 3)
