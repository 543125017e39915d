"""Who decides about a refund, and what goes with it."""

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEntry, User
from catalog.models import Plan
from learning.models import Enrolment
from learning.services import open_enrolments
from orders.errors import (
    ReasonMissingError,
    RefundNotOpenError,
    RefundRefusedError,
    SamePersonError,
)
from orders.models import (
    Order,
    OrderLine,
    PaymentException,
    Refund,
)
from orders.services.refunds.asking import start_refund
from orders.services.refunds.deciding import (
    approve_refund,
    propose_override,
    refuse_refund,
    withdraw_refund,
)
from orders.services.refunds.running import run_refund
from tests.factories.accounts import UserFactory
from tests.factories.learning import EnrolmentFactory
from tests.orders.bank import Bank
from tests.orders.returns import approved, ask, list_kinds, study
from tests.orders.shop import buy_group

pytestmark = pytest.mark.django_db


def test_access_goes_before_the_money(
    bought: Order, finance: User, now: datetime
) -> None:
    refund = approved(bought, finance, now)

    bought.refresh_from_db()
    assert (refund.state, refund.decided_by) == (Refund.State.APPROVED, finance)
    assert Enrolment.objects.get().state == Enrolment.State.REVOKED
    assert bought.state == Order.State.PAID
    assert bought.lines.get().is_live is True
    entry = AuditEntry.objects.get(action="orders.refund_approved")
    assert entry.actor == finance
    assert entry.detail == {"amount_fen": 3300, "reason": "同意"}


def test_who_began_to_study_meanwhile_is_refused(
    bought: Order, finance: User, now: datetime
) -> None:
    refund = ask(bought, now)
    study(bought)

    with pytest.raises(RefundRefusedError, match="已开始学习"):
        approve_refund(refund_id=refund.pk, decision="", actor=finance, now=now)

    refund.refresh_from_db()
    assert refund.state == Refund.State.REQUESTED
    assert Enrolment.objects.get().is_live


def test_nobody_approves_the_own_wish(bought: Order, now: datetime) -> None:
    refund = ask(bought, now)

    with pytest.raises(SamePersonError):
        approve_refund(refund_id=refund.pk, decision="", actor=bought.buyer, now=now)

    assert Enrolment.objects.get().is_live


def test_refusal_lets_the_buyer_ask_again(
    bought: Order, finance: User, now: datetime
) -> None:
    refund = ask(bought, now)

    with pytest.raises(ReasonMissingError):
        refuse_refund(refund_id=refund.pk, decision=" ", actor=finance, now=now)
    refuse_refund(refund_id=refund.pk, decision="请先核实", actor=finance, now=now)

    refund.refresh_from_db()
    assert (refund.state, refund.decision) == (Refund.State.REFUSED, "请先核实")
    assert Enrolment.objects.get().is_live
    assert ask(bought, now).state == Refund.State.REQUESTED
    assert list_kinds(bought) == ["refund_asked", "refund_refused", "refund_asked"]


def test_buyer_takes_the_wish_back(
    bought: Order, stranger: User, finance: User, now: datetime
) -> None:
    refund = ask(bought, now)

    with pytest.raises(RefundNotOpenError):
        withdraw_refund(refund_id=refund.pk, buyer=stranger, now=now)
    withdraw_refund(refund_id=refund.pk, buyer=bought.buyer, now=now)

    refund.refresh_from_db()
    assert refund.state == Refund.State.CANCELLED
    with pytest.raises(RefundNotOpenError):
        approve_refund(refund_id=refund.pk, decision="", actor=finance, now=now)
    assert Enrolment.objects.get().is_live


def test_staff_start_one_within_the_policy_alone(
    bought: Order, finance: User, now: datetime
) -> None:
    refund = start_refund(
        order=bought, line_ids=None, reason="来电", actor=finance, now=now
    )

    refund.refresh_from_db()
    assert (refund.state, refund.is_override) == (Refund.State.APPROVED, False)
    entry = AuditEntry.objects.get()
    assert entry.action == "orders.refund_started"
    assert entry.detail == {"order": bought.number, "amount_fen": 3300, "override": ""}


def test_nobody_starts_one_for_the_own_order(bought: Order, now: datetime) -> None:
    with pytest.raises(SamePersonError):
        start_refund(
            order=bought, line_ids=None, reason="x", actor=bought.buyer, now=now
        )

    assert Refund.objects.count() == AuditEntry.objects.count() == 0


def test_beyond_the_policy_takes_a_reason_and_two(
    bought: Order, finance: User, colleague: User, now: datetime
) -> None:
    study(bought)
    with pytest.raises(RefundRefusedError, match="请填写超出退款规则的理由"):
        start_refund(order=bought, line_ids=None, reason="x", actor=finance, now=now)
    refund = start_refund(
        order=bought,
        line_ids=None,
        reason="重复报名",
        override_reason="单位来函",
        actor=finance,
        now=now,
    )
    assert refund.state == Refund.State.REQUESTED
    with pytest.raises(SamePersonError):
        approve_refund(refund_id=refund.pk, decision="", actor=finance, now=now)
    assert Enrolment.objects.get().is_live

    approve_refund(refund_id=refund.pk, decision="属实", actor=colleague, now=now)

    refund.refresh_from_db()
    assert refund.state == Refund.State.APPROVED
    assert (refund.proposed_by, refund.decided_by) == (finance, colleague)
    enrolment = Enrolment.objects.get()
    assert (enrolment.is_live, enrolment.elective_earned) == (False, 1)


def test_buyer_of_the_staff_is_not_the_second_of_the_two(
    bought: Order, finance: User, now: datetime
) -> None:
    study(bought)
    refund = start_refund(
        order=bought,
        line_ids=None,
        reason="x",
        override_reason="x",
        actor=finance,
        now=now,
    )

    with pytest.raises(SamePersonError):
        approve_refund(refund_id=refund.pk, decision="", actor=bought.buyer, now=now)

    refund.refresh_from_db()
    assert refund.state == Refund.State.REQUESTED
    assert Enrolment.objects.get().is_live


def test_buyers_wish_beyond_the_policy_takes_two_of_the_staff(
    bought: Order, finance: User, colleague: User, now: datetime
) -> None:
    refund = ask(bought, now)
    study(bought)
    propose_override(refund_id=refund.pk, reason="情况特殊", actor=finance, now=now)

    with pytest.raises(SamePersonError):
        approve_refund(refund_id=refund.pk, decision="", actor=finance, now=now)
    with pytest.raises(RefundNotOpenError):
        withdraw_refund(refund_id=refund.pk, buyer=bought.buyer, now=now)
    approve_refund(refund_id=refund.pk, decision="", actor=colleague, now=now)

    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == [
        "orders.refund_override_proposed",
        "orders.refund_approved",
    ]


def test_database_refuses_one_pair_of_eyes(
    bought: Order, finance: User, now: datetime
) -> None:
    refund = ask(bought, now)

    with pytest.raises(IntegrityError), transaction.atomic():
        Refund.objects.filter(pk=refund.pk).update(
            is_override=True, proposed_by=finance, decided_by=finance, state="approved"
        )


# --- Access that something else gives ----------------------------------------------------------


@pytest.mark.parametrize("source", ["code", "voucher", "staff"])
def test_access_given_otherwise_stays(
    bought: Order, finance: User, plan: Plan, now: datetime, source: str
) -> None:
    open_enrolments(
        plan=plan, users=[bought.buyer], source=source, source_number="K1", now=now
    )

    refund = approved(bought, finance, now)
    run_refund(refund_id=refund.pk, now=now)

    enrolment = Enrolment.objects.get()
    bought.refresh_from_db()
    assert bought.state == Order.State.REFUNDED
    assert (enrolment.is_live, enrolment.source) == (True, source)


def test_refund_of_the_second_payment_leaves_the_first(
    bank: Bank, owner: User, plan: Plan, finance: User, now: datetime
) -> None:
    """The seat came a second time by a group order; that one goes back."""
    EnrolmentFactory(person=owner, plan=plan, source_number="FIRST")
    people = [owner, *UserFactory.create_batch(1)]
    group = buy_group(bank, people[1], plan, people, now)
    seat = group.lines.get(person=owner)
    assert PaymentException.objects.get().line == seat

    refund = start_refund(
        order=group, line_ids=[seat.pk], reason="重复", actor=finance, now=now
    )
    run_refund(refund_id=refund.pk, now=now)

    exception = PaymentException.objects.get()
    enrolment = Enrolment.objects.get(person=owner)
    assert (enrolment.is_live, enrolment.source_number) == (True, "FIRST")
    assert (exception.state, exception.outcome) == ("resolved", "returned")


def test_refund_of_the_first_payment_leaves_the_second(
    bank: Bank, bought: Order, plan: Plan, finance: User, now: datetime
) -> None:
    others = UserFactory.create_batch(1)
    OrderLine.objects.update(is_live=False)
    group = buy_group(bank, others[0], plan, [bought.buyer, *others], now)
    OrderLine.objects.filter(order=bought).update(is_live=False)

    refund = approved(bought, finance, now)
    run_refund(refund_id=refund.pk, now=now)

    enrolment = Enrolment.objects.get(person=bought.buyer)
    assert (enrolment.is_live, enrolment.source_number) == (True, group.number)
