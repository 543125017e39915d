"""Codes bought and issued: what an order for codes says, and what its payment makes."""

from datetime import date, datetime
from typing import Any

import pytest

from accounts.models import User
from accounts.services.key_rotation import list_places
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import (
    CodesBeingBoughtError,
    CodesNotSoldError,
    TooManyCodesError,
)
from orders.models import ActivationCode, InvoiceRequest, Order, OrderEvent
from orders.payments.protocol import Report, State
from orders.rules import InvoiceDetails, read_secret
from orders.services import apply_report
from orders.services.codes import (
    place_codes_order,
)
from tests.factories.codes import make_codes, make_codes_order
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import (
    PaymentAttemptFactory,
    make_endless_plan,
)

pytestmark = pytest.mark.django_db
CodeState = ActivationCode.State
ADDRESS = "203.0.113.7"


@pytest.fixture
def plan() -> Plan:
    return make_endless_plan(sells_codes=True)


@pytest.fixture
def codes(owner: User, plan: Plan) -> list[ActivationCode]:
    return make_codes(owner, plan)


# --- Buying --------------------------------------------------------------------------------


def test_an_order_for_codes_copies_the_plan(
    owner: User, plan: Plan, now: datetime
) -> None:
    invoice = InvoiceDetails("enterprise", "示例单位", "91500000MA5U000001")

    order = place_codes_order(
        buyer=owner, plan=plan, quantity=12, invoice=invoice, now=now
    )

    line = order.lines.get()
    assert (order.kind, order.state) == (Order.Kind.CODES, Order.State.PENDING)
    assert order.total_fen == 12 * plan.price_fen
    assert (line.person, line.quantity, line.price_fen) == (None, 12, plan.price_fen)
    assert (line.plan_title, line.plan_year) == (plan.title, plan.year)
    assert InvoiceRequest.objects.get(order=order).title == "示例单位"
    assert ActivationCode.objects.count() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"sells_codes": False},
        {"is_published": False},
        {"sale_end": date(2026, 6, 14)},
        {"unit_price_fen": 0},
    ],
)
def test_codes_are_sold_where_the_plan_says_so(
    owner: User, now: datetime, fields: dict[str, Any]
) -> None:
    plan = make_endless_plan(**({"sells_codes": True} | fields))

    with pytest.raises(CodesNotSoldError):
        place_codes_order(buyer=owner, plan=plan, quantity=1, now=now)
    assert Order.objects.count() == 0


@pytest.mark.parametrize("quantity", [0, -1, 6])
def test_the_number_of_codes_has_a_limit(
    owner: User, plan: Plan, now: datetime, settings: Any, quantity: int
) -> None:
    settings.CODES_PER_ORDER = 5

    with pytest.raises(TooManyCodesError):
        place_codes_order(buyer=owner, plan=plan, quantity=quantity, now=now)
    assert Order.objects.count() == 0


def test_one_unpaid_order_at_a_time(owner: User, plan: Plan, now: datetime) -> None:
    first = place_codes_order(buyer=owner, plan=plan, quantity=1, now=now)

    with pytest.raises(CodesBeingBoughtError) as refused:
        place_codes_order(buyer=owner, plan=plan, quantity=1, now=now)

    assert refused.value.order_number == first.number
    Order.objects.update(state=Order.State.PAID, paid_at=now)
    place_codes_order(buyer=owner, plan=plan, quantity=1, now=now)
    assert Order.objects.count() == 2


def test_who_studies_the_plan_may_buy_codes_of_it(
    owner: User, plan: Plan, now: datetime
) -> None:
    EnrolmentFactory(person=owner, plan=plan)

    place_codes_order(buyer=owner, plan=plan, quantity=2, now=now)

    assert Order.objects.get().lines.get().quantity == 2


# --- Issuing -------------------------------------------------------------------------------


def settle(order: Order, now: datetime) -> str:
    attempt = order.attempts.first() or PaymentAttemptFactory(order=order)
    return apply_report(
        gateway="alipay",
        report=Report(attempt.number, State.PAID, order.total_fen, gateway_number="T1"),
        source="notification",
        now=now,
    )


def test_payment_issues_the_codes_once(owner: User, plan: Plan, now: datetime) -> None:
    order = make_codes_order(owner, plan, 5, created_at=now)

    assert settle(order, now) == "settled"
    assert settle(order, now) == "unchanged"

    codes = list(ActivationCode.objects.all())
    assert len(codes) == 5
    assert len({code.secret for code in codes}) == 5
    assert {(code.owner, code.plan, code.state) for code in codes} == {
        (owner, plan, CodeState.UNUSED)
    }
    events = list(OrderEvent.objects.filter(order=order).values_list("kind", "detail"))
    assert ("codes_issued", "5个") in events
    assert Enrolment.objects.count() == 0


def test_an_unpaid_order_issues_nothing(owner: User, plan: Plan) -> None:
    make_codes_order(owner, plan, 5)

    assert ActivationCode.objects.count() == 0


def test_late_money_for_codes_of_a_training_that_is_over_is_an_exception(
    owner: User, now: datetime
) -> None:
    plan = make_endless_plan(sells_codes=True, training_end=date(2026, 6, 14))
    order = make_codes_order(owner, plan, 5, expired=True)

    assert settle(order, now) == "exception"

    order.refresh_from_db()
    assert order.state == Order.State.EXPIRED
    assert ActivationCode.objects.count() == 0


def test_a_copy_of_the_database_holds_no_usable_code(
    owner: User, codes: list[ActivationCode]
) -> None:
    code = codes[0]
    row = ActivationCode.objects.filter(pk=code.pk).values().get()
    stored = " ".join(
        bytes(value).hex() if isinstance(value, (bytes, memoryview)) else str(value)
        for value in row.values()
    )

    assert read_secret(code.written_secret) == code.secret
    assert code.secret not in stored
    assert code.secret.encode().hex() not in stored
    assert "orders.activationcode.secret_cipher" in {
        place.label for place in list_places()
    }
    assert "orders.codeimportrow.data_cipher" in {
        place.label for place in list_places()
    }
