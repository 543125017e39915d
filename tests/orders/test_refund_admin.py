"""Finance at work: refunds, exceptions and bills in the staff site, by role."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.rules.roles import AUDIT, BUSINESS, FINANCE
from accounts.services.reference_data import load_roles
from catalog.models import Plan
from learning.models import Enrolment
from orders.models import (
    BillDay,
    BillDifference,
    Order,
    PaymentException,
    Refund,
)
from orders.payments.protocol import BillLine
from orders.services.refunds.asking import request_refund, start_refund
from orders.services.refunds.running import run_refund
from tests.factories.accounts import UserFactory
from tests.factories.orders import make_order
from tests.orders.bank import Bank
from tests.orders.shop import buy, buy_group, go_to, settle

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]


def member(role: str) -> User:
    load_roles()
    person: User = UserFactory(is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    return person


@pytest.fixture
def clerk(db: None) -> User:
    return member(FINANCE)


@pytest.fixture
def order(bank: Bank, owner: User, plan: Plan) -> Order:
    return buy(bank, owner, plan, timezone.now())


@pytest.fixture
def wish(order: Order) -> Refund:
    return request_refund(
        order=order,
        line_ids=None,
        reason="报错了",
        buyer=order.buyer,
        now=timezone.now(),
    )


def decide_url(refund: Refund) -> str:
    return reverse("admin:orders_refund_decide", args=[refund.pk])


def start_url(order: Order) -> str:
    return reverse("admin:orders_order_refund", args=[order.pk])


def decide(client: Client, refund: Refund, decision: str, reason: str = "") -> Any:
    data = {"decision": decision, "reason": reason}
    return client.post(decide_url(refund), data, follow=True)


# --- Refunds ------------------------------------------------------------------------------------


def test_finance_approve_and_the_money_goes(
    wish: Refund,
    clerk: User,
    bank: Bank,
    client_of: LogIn,
    django_capture_on_commit_callbacks: Any,
) -> None:
    client = client_of(clerk)
    page = client.get(decide_url(wish)).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        decide(client, wish, "approve", "同意")

    wish.refresh_from_db()
    assert "报错了" in page
    assert "33.00" in page
    assert (wish.state, wish.decided_by) == (Refund.State.DONE, clerk)
    assert bank.trades[wish.attempt.number].held_fen == 0
    shown = client.get(reverse("admin:orders_refund_change", args=[wish.pk]))
    assert "已退款" in shown.content.decode()


def test_refusing_needs_a_reason(wish: Refund, clerk: User, client_of: LogIn) -> None:
    client = client_of(clerk)

    assert "请填写原因" in decide(client, wish, "refuse").content.decode()
    wish.refresh_from_db()
    assert wish.state == Refund.State.REQUESTED
    decide(client, wish, "refuse", "已开课")

    wish.refresh_from_db()
    assert (wish.state, wish.decision) == (Refund.State.REFUSED, "已开课")


def test_override_by_two_in_the_admin(
    wish: Refund, clerk: User, client_of: LogIn
) -> None:
    Enrolment.objects.update(elective_earned=1)
    first, second = client_of(clerk), client_of(member(FINANCE))

    assert "已开始学习" in first.get(decide_url(wish)).content.decode()
    assert "超规则退款" in decide(first, wish, "approve").content.decode()
    decide(first, wish, "override", "单位来函")
    assert "另一名工作人员" in decide(first, wish, "approve").content.decode()
    wish.refresh_from_db()
    assert wish.state == Refund.State.REQUESTED
    decide(second, wish, "approve", "属实")

    wish.refresh_from_db()
    assert wish.state == Refund.State.APPROVED


def test_overriding_needs_its_own_permission(wish: Refund, client_of: LogIn) -> None:
    clerk = member(FINANCE)
    group = Group.objects.get(name=FINANCE)
    group.permissions.remove(group.permissions.get(codename="override_refund"))
    Enrolment.objects.update(elective_earned=1)
    client = client_of(clerk)

    assert 'value="override"' not in client.get(decide_url(wish)).content.decode()
    assert decide(client, wish, "override", "x").status_code == 403
    page = client.get(start_url(wish.order)).content.decode()
    assert "override_reason" not in page
    wish.refresh_from_db()
    assert wish.is_override is False


def test_decisions_of_another_state_are_refused(
    wish: Refund, clerk: User, client_of: LogIn
) -> None:
    client = client_of(clerk)

    for decision in ("retry", "paid_back", "give_up", "declare_failed", "x"):
        assert decide(client, wish, decision, "x").status_code == 403

    wish.refresh_from_db()
    assert wish.state == Refund.State.REQUESTED


@pytest.mark.parametrize("role", [BUSINESS, AUDIT])
def test_other_roles_look_and_touch_nothing(
    wish: Refund, client_of: LogIn, role: str
) -> None:
    client = client_of(member(role))

    assert client.get(reverse("admin:orders_refund_changelist")).status_code == 200
    page = client.get(reverse("admin:orders_refund_change", args=[wish.pk]))
    assert decide_url(wish) not in page.content.decode()
    assert decide(client, wish, "approve").status_code == 403
    assert client.get(start_url(wish.order)).status_code == 403
    assert client.post(start_url(wish.order), {"reason": "x"}).status_code == 403
    assert client.get(reverse("admin:orders_billday_run")).status_code == 403
    wish.refresh_from_db()
    assert wish.state == Refund.State.REQUESTED


def test_learners_reach_none_of_it(wish: Refund, client_of: LogIn) -> None:
    client = client_of(wish.order.buyer)

    assert client.post(decide_url(wish), {"decision": "approve"}).status_code == 302
    wish.refresh_from_db()
    assert wish.state == Refund.State.REQUESTED


def test_finance_begin_one_for_people_of_an_order(
    bank: Bank, owner: User, plan: Plan, clerk: User, client_of: LogIn
) -> None:
    people = UserFactory.create_batch(3)
    order = buy_group(bank, owner, plan, people, timezone.now())
    client = client_of(clerk)

    wrong = client.post(start_url(order), {"people": "nobody", "reason": "x"})
    assert "订单中没有以下用户名：nobody" in wrong.content.decode()
    assert Refund.objects.count() == 0
    names = f"{people[0].username}\n{people[2].username}\n{people[0].username}"
    client.post(start_url(order), {"people": names, "reason": "来电"})

    refund = Refund.objects.get()
    chosen = {row.line.person for row in refund.lines.all()}
    assert chosen == {people[0], people[2]}
    assert (refund.amount_fen, refund.state) == (6600, Refund.State.APPROVED)


def test_failed_one_is_tried_anew(
    order: Order,
    bank: Bank,
    clerk: User,
    client_of: LogIn,
    django_capture_on_commit_callbacks: Any,
) -> None:
    refund = start_refund(
        order=order, line_ids=None, reason="x", actor=clerk, now=timezone.now()
    )
    bank.faults = ["refuse"]
    run_refund(refund_id=refund.pk, now=timezone.now())

    with django_capture_on_commit_callbacks(execute=True):
        decide(client_of(clerk), refund, "retry")

    refund.refresh_from_db()
    assert refund.state == Refund.State.DONE
    assert refund.tries.count() == 2


# --- Exceptions -------------------------------------------------------------------------------


def test_exception_is_sent_back_from_the_admin(
    banks: dict[str, Bank],
    owner: User,
    plan: Plan,
    clerk: User,
    client_of: LogIn,
    django_capture_on_commit_callbacks: Any,
) -> None:
    now = timezone.now()
    order = make_order(owner, plan, created_at=now, expires_at=now + timedelta(hours=1))
    attempts = {code: go_to(banks[code], order, now) for code in banks}
    for code, attempt in attempts.items():
        settle(banks[code], attempt, now)
    exception = PaymentException.objects.get()
    url = reverse("admin:orders_paymentexception_change", args=[exception.pk])

    with django_capture_on_commit_callbacks(execute=True):
        client_of(clerk).post(url, {"outcome": "returned", "resolution": "重复"})

    refund = Refund.objects.get()
    assert (refund.exception, refund.state) == (exception, Refund.State.DONE)
    assert banks["west"].trades[attempts["west"].number].held_fen == 0
    assert AuditEntry.objects.filter(actor=clerk).count() == 1


# --- Bills --------------------------------------------------------------------------------------


def test_finance_have_a_bill_read_and_resolve_what_differs(
    bank: Bank,
    order: Order,
    clerk: User,
    client_of: LogIn,
    django_capture_on_commit_callbacks: Any,
) -> None:
    day = timezone.localdate() - timedelta(days=1)
    yesterday = timezone.now() - timedelta(days=1)
    bank.extra_lines = [BillLine("OTHER1", 500, "B1", "", yesterday)]
    client = client_of(clerk)
    run = reverse("admin:orders_billday_run")
    assert client.get(run).status_code == 200

    with django_capture_on_commit_callbacks(execute=True):
        client.post(run, {"gateway": "east", "day": day.isoformat()})

    bill = BillDay.objects.get()
    row = BillDifference.objects.get()
    days = client.get(reverse("admin:orders_billday_changelist")).content.decode()
    assert str(bill) == f"东岸银行 {bill.day}"
    assert 'href="?gateway=east">东岸银行</a>' in days
    differences = reverse("admin:orders_billdifference_changelist")
    for gateway, rows in (("east", [row]), ("west", [])):
        found = client.get(differences, {"gateway": gateway}).context["cl"].queryset
        assert list(found) == rows
    entries = client.get(
        reverse("admin:orders_billentry_changelist"), {"bill__id__exact": bill.pk}
    )
    url = reverse("admin:orders_billdifference_change", args=[row.pk])
    assert bill.state == BillDay.State.READ
    assert "5.00元（1笔）" in days
    assert "OTHER1" in entries.content.decode()
    assert client.post(url, {"resolution": ""}).status_code == 200
    client.post(url, {"resolution": "其他系统收款"})

    row.refresh_from_db()
    again = client.post(url, {"resolution": "x"}, follow=True).content.decode()
    row.refresh_from_db()
    assert (row.state, row.resolved_by) == (BillDifference.State.RESOLVED, clerk)
    assert row.resolution == "其他系统收款"
    assert "该对账差异已处理" in again
    page = client.get(url).content.decode()
    assert 'name="resolution"' not in page
    assert 'name="_save"' not in page


def test_a_day_that_is_not_over_is_refused(
    bank: Bank, clerk: User, client_of: LogIn
) -> None:
    data = {"gateway": "east", "day": date(2999, 1, 1).isoformat()}
    response = client_of(clerk).post(reverse("admin:orders_billday_run"), data)

    assert "账单日须早于今天" in response.content.decode()
    assert BillDay.objects.count() == 0
