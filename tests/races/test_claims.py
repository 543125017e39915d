"""A claim is approved while its person buys, or is decided twice: nobody gets it twice.

Threads with connections of their own, so rows are really committed and locked.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.errors import AccountsError
from accounts.models import IntegrityRecord, Message, User
from accounts.services.audit import find_chain_fault
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import OrderError
from orders.models import Claim, GatewayMessage, Order, OrderLine
from orders.payments.protocol import Report, State
from orders.services import apply_report, place_personal_order
from orders.services.claims import approve_claim, file_claim, withdraw_claim
from tests.factories.accounts import UserFactory
from tests.factories.claims import (
    LETTER,
    VOUCHER,
    approve,
    file_commitment,
    file_voucher,
    make_past_plan,
)
from tests.factories.orders import PaymentAttemptFactory, make_order
from tests.factories.requests import make_staff
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 4


def outcome(work: Callable[[], Any]) -> Callable[[], str]:
    """The work, answering with the name of what it was refused with."""

    def run() -> str:
        try:
            work()
        except (AccountsError, OrderError) as error:
            return type(error).__name__
        return "done"

    return run


def approval(claim: Claim, actor: User) -> Callable[[], str]:
    claim.refresh_from_db()
    seen = claim.version
    return outcome(
        lambda: approve_claim(
            claim_id=claim.pk, seen_version=seen, actor=actor, now=timezone.now()
        )
    )


def first_approved(person: User, plan: Plan) -> Claim:
    claim = file_voucher(person, plan, now=timezone.now())
    return approve(claim, make_staff("业务"), now=timezone.now())


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_claim_is_approved_while_the_person_buys(round_number: int) -> None:
    """One of the two comes second and is told: an order and a gift never both."""
    person, plan = UserFactory(), make_past_plan()
    claim = first_approved(person, plan)
    buy = outcome(
        lambda: place_personal_order(buyer=person, plan=plan, now=timezone.now())
    )

    outcomes = run_together(approval(claim, make_staff("审核")), buy)

    claim.refresh_from_db()
    given = Enrolment.objects.filter(person=person, source="voucher").count()
    bought = OrderLine.objects.filter(person=person, is_live=True).count()
    assert (given, bought) in {(1, 0), (0, 1)}
    if given:
        assert outcomes == ["done", "PlanAlreadyHeldError"]
        assert claim.state == "approved"
        assert not Order.objects.exists()
    else:
        assert outcomes == ["ClaimRefusedError", "done"]
        assert claim.state == "first_approved"
        assert not Message.objects.filter(template="claim_approved").exists()
    assert find_chain_fault() is None


def test_two_confirm_at_once() -> None:
    person, plan = UserFactory(), make_past_plan()
    claim = first_approved(person, plan)
    reviewers = [make_staff("审核") for _ in range(2)]

    outcomes = run_together(*(approval(claim, actor) for actor in reviewers))

    assert sorted(outcomes) == ["RequestStateError", "done"]
    assert Enrolment.objects.count() == 1
    assert Message.objects.filter(template="claim_approved").count() == 1


def test_two_first_approvals_at_once_are_one() -> None:
    """Each looked at an undecided claim: neither has checked the other's."""
    claim = file_voucher(UserFactory(), make_past_plan(), now=timezone.now())
    actors = [make_staff("审核") for _ in range(2)]

    outcomes = run_together(*(approval(claim, actor) for actor in actors))

    assert sorted(outcomes) == ["RequestMovedError", "done"]
    assert not Enrolment.objects.exists()


def test_confirmed_while_it_is_withdrawn() -> None:
    person, plan = UserFactory(), make_past_plan()
    claim = first_approved(person, plan)
    leave = outcome(
        lambda: withdraw_claim(claim_id=claim.pk, actor=person, now=timezone.now())
    )

    outcomes = run_together(approval(claim, make_staff("审核")), leave)

    claim.refresh_from_db()
    assert sorted(outcomes) == ["RequestStateError", "done"]
    opened = Enrolment.objects.filter(person=person).exists()
    assert opened == (claim.state == "approved")
    assert claim.state in {"approved", "withdrawn"}


def test_eight_windows_hand_in_one_claim() -> None:
    person, plan = UserFactory(), make_past_plan()

    def hand_in() -> None:
        file_claim(
            kind=Claim.Kind.COMMITMENT,
            person=person,
            plan=plan,
            wanted=LETTER,
            proofs=[],
            actor=person,
            now=timezone.now(),
        )

    outcomes = run_together(*[outcome(hand_in)] * 8)

    assert sorted(outcomes) == ["ClaimRefusedError"] * 7 + ["done"]
    assert Claim.objects.count() == 1


def test_confirmed_while_a_late_payment_settles() -> None:
    """Money for a closed order comes in: the plan is open once, and no money is lost."""
    person, plan = UserFactory(), make_past_plan()
    claim = first_approved(person, plan)
    order = make_order(person, plan, expired=True)
    attempt = PaymentAttemptFactory(order=order, closed=True)

    def settle() -> str:
        report = Report(
            attempt.number, State.PAID, attempt.amount_fen, gateway_number="T1"
        )
        return str(
            apply_report(
                gateway="alipay",
                report=report,
                source=GatewayMessage.Source.NOTIFICATION,
                now=timezone.now(),
            )
        )

    approved, settled = run_together(approval(claim, make_staff("审核")), settle)

    enrolment = Enrolment.objects.get()
    order.refresh_from_db()
    claim.refresh_from_db()
    if claim.state == "approved":
        assert (approved, enrolment.source) == ("done", "voucher")
        assert settled in {"exception", "settled"}
        assert order.state == "paid" or attempt.exceptions.exists()
    else:
        assert (settled, enrolment.source) == ("settled", "order")
        assert approved == "ClaimRefusedError"


def test_commitment_confirmed_twice_is_one_entry() -> None:
    person, plan = UserFactory(), make_past_plan()
    claim = file_commitment(person, plan, now=timezone.now())
    approve(claim, make_staff("业务"), now=timezone.now())
    reviewers = [make_staff("审核") for _ in range(2)]

    run_together(*(approval(claim, actor) for actor in reviewers))

    assert IntegrityRecord.objects.count() == 1
    assert VOUCHER["payer"] not in IntegrityRecord.objects.get().text
