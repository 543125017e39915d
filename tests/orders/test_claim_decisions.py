"""Four eyes on every claim; the second pair opens the plan for nothing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.errors import (
    DeciderRefusedError,
    RequestMovedError,
    RequestStateError,
)
from accounts.models import AuditEntry, IntegrityRecord, Message, User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import ClaimRefusedError
from orders.models import Claim, Order
from orders.services.claims import (
    approve_claim,
    deciding,
    refuse_claim,
    resend_claim,
    return_claim,
)
from tests.factories.accounts import UserFactory
from tests.factories.claims import (
    VOUCHER,
    approve,
    file_commitment,
    file_voucher,
    make_past_plan,
)
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import make_order
from tests.factories.requests import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(db: None) -> Plan:
    return make_past_plan()


@pytest.fixture
def clerk(db: None) -> User:
    return make_staff("业务", name="吴六")


@pytest.fixture
def reviewer(db: None) -> User:
    return make_staff("审核", name="郑七")


@pytest.fixture
def claim(owner: User, plan: Plan, now: datetime) -> Claim:
    return file_voucher(owner, plan, now=now)


def expect_untouched(claim: Claim, state: str = "open", version: int = 1) -> None:
    claim.refresh_from_db()
    assert (claim.state, claim.version) == (state, version)
    assert not Enrolment.objects.filter(source="voucher").exists()
    assert not Message.objects.exists()
    assert not IntegrityRecord.objects.exists()


# --- Two approve -----------------------------------------------------------------------------
def test_first_approval_opens_nothing(claim: Claim, clerk: User, now: datetime) -> None:
    approve(claim, clerk, now=now)

    expect_untouched(claim, "first_approved", 2)
    assert (claim.first_decider, claim.second_decider) == (clerk, None)
    assert claim.decided_at is None


def test_second_approval_opens_the_plan_for_nothing(
    claim: Claim, owner: User, plan: Plan, clerk: User, reviewer: User, now: datetime
) -> None:
    approve(claim, clerk, now=now)
    approve(claim, reviewer, now=now)

    claim.refresh_from_db()
    assert (claim.state, claim.version, claim.decided_at) == ("approved", 3, now)
    assert (claim.first_decider, claim.second_decider) == (clerk, reviewer)
    enrolment = Enrolment.objects.get()
    assert (enrolment.person, enrolment.plan) == (owner, plan)
    assert (enrolment.source, enrolment.source_number) == ("voucher", claim.code)
    assert not Order.objects.exists()
    assert claim.files.get().expires_at == now + timedelta(days=3 * 365)
    kinds = [event.kind for event in claim.events.order_by("pk")]
    assert kinds == ["filed", "first_approved", "approved"]
    actions = AuditEntry.objects.order_by("position").values_list("action", "actor")
    assert list(actions) == [
        ("claim.filed", owner.pk),
        ("claim.first_approved", clerk.pk),
        ("claim.approved", reviewer.pk),
    ]
    message = Message.objects.get()
    assert (message.template, message.recipient) == ("claim_approved", owner.phone)
    assert "2019年度缴费凭证已审核通过" in message.text
    assert not IntegrityRecord.objects.exists()


def test_one_person_is_not_four_eyes(claim: Claim, clerk: User, now: datetime) -> None:
    approve(claim, clerk, now=now)

    with pytest.raises(DeciderRefusedError, match="另一名工作人员"):
        approve(claim, clerk, now=now)

    expect_untouched(claim, "first_approved", 2)


def test_who_entered_it_decides_nothing(
    owner: User, plan: Plan, clerk: User, now: datetime
) -> None:
    claim = file_voucher(owner, plan, now=now, actor=clerk)
    known: dict[str, Any] = {
        "claim_id": claim.pk,
        "seen_version": 1,
        "actor": clerk,
        "now": now,
    }

    with pytest.raises(DeciderRefusedError, match="由您登记"):
        approve_claim(**known)
    with pytest.raises(DeciderRefusedError, match="由您登记"):
        return_claim(**known, reason="退回")
    with pytest.raises(DeciderRefusedError, match="由您登记"):
        refuse_claim(**known, reason="不通过")

    expect_untouched(claim)


def test_who_entered_it_does_not_confirm_it_either(
    owner: User, plan: Plan, clerk: User, reviewer: User, now: datetime
) -> None:
    claim = file_voucher(owner, plan, now=now, actor=clerk)
    approve(claim, reviewer, now=now)

    with pytest.raises(DeciderRefusedError, match="由您登记"):
        approve(claim, clerk, now=now)

    expect_untouched(claim, "first_approved", 2)


def test_who_entered_it_does_not_decide_what_its_person_sent_again(
    owner: User, plan: Plan, clerk: User, reviewer: User, now: datetime
) -> None:
    """The proofs are still those that the clerk chose."""
    claim = file_voucher(owner, plan, now=now, actor=clerk)
    return_claim(
        claim_id=claim.pk, seen_version=1, reason="补充", actor=reviewer, now=now
    )
    resend_claim(
        claim_id=claim.pk, plan=plan, wanted=VOUCHER, proofs=[], actor=owner, now=now
    )

    with pytest.raises(DeciderRefusedError, match="由您登记"):
        approve(claim, clerk, now=now)

    claim.refresh_from_db()
    assert (claim.state, claim.version, claim.first_decider) == ("open", 3, None)


def test_staff_do_not_decide_their_own(plan: Plan, clerk: User, now: datetime) -> None:
    claim = file_voucher(clerk, plan, now=now)

    with pytest.raises(DeciderRefusedError, match="本人"):
        approve(claim, clerk, now=now)

    expect_untouched(claim)


@pytest.mark.parametrize("role", ["财务", "系统", "审计", "区县督导"])
def test_other_roles_decide_nothing(claim: Claim, role: str, now: datetime) -> None:
    with pytest.raises(DeciderRefusedError, match="没有审批"):
        approve(claim, make_staff(role), now=now)

    expect_untouched(claim)


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "approved", "first_decider": "clerk"},
        {
            "state": "approved",
            "first_decider": "clerk",
            "second_decider": "clerk",
        },
        {
            "state": "approved",
            "first_decider": "clerk",
            "second_decider": "owner",
        },
        {"state": "first_approved", "first_decider": "owner"},
        {"state": "first_approved"},
    ],
)
def test_database_wants_four_eyes(
    claim: Claim, owner: User, clerk: User, wrong: dict[str, str]
) -> None:
    people = {"clerk": clerk, "owner": owner}
    values = {name: people.get(value, value) for name, value in wrong.items()}

    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.filter(pk=claim.pk).update(**values)


# --- What was seen ---------------------------------------------------------------------------
def test_staff_decide_on_what_they_have_seen(
    claim: Claim, clerk: User, reviewer: User, now: datetime
) -> None:
    approve(claim, clerk, now=now)

    with pytest.raises(RequestMovedError):
        approve(claim, reviewer, now=now, seen_version=1)

    expect_untouched(claim, "first_approved", 2)


def test_decided_claim_is_not_decided_again(
    claim: Claim, clerk: User, reviewer: User, now: datetime
) -> None:
    approve(claim, clerk, now=now)
    approve(claim, reviewer, now=now)

    with pytest.raises(RequestStateError):
        approve(claim, make_staff("审核"), now=now)

    assert Enrolment.objects.count() == 1
    assert Message.objects.count() == 1


# --- What stands in the way ------------------------------------------------------------------
def test_bought_meanwhile(
    claim: Claim, owner: User, plan: Plan, clerk: User, reviewer: User, now: datetime
) -> None:
    approve(claim, clerk, now=now)
    make_order(owner, plan)

    with pytest.raises(ClaimRefusedError, match="已有订单"):
        approve(claim, reviewer, now=now)

    expect_untouched(claim, "first_approved", 2)


def test_held_meanwhile(
    claim: Claim, owner: User, plan: Plan, clerk: User, now: datetime
) -> None:
    EnrolmentFactory(person=owner, plan=plan)

    with pytest.raises(ClaimRefusedError, match="已开通"):
        approve(claim, clerk, now=now)

    expect_untouched(claim)


def test_closed_meanwhile(
    claim: Claim, owner: User, clerk: User, now: datetime
) -> None:
    User.objects.filter(pk=owner.pk).update(state=User.State.CLOSED)

    with pytest.raises(ClaimRefusedError, match="已注销"):
        approve(claim, clerk, now=now)

    expect_untouched(claim)


def test_plan_opened_by_a_payment_at_the_same_moment(
    claim: Claim,
    owner: User,
    plan: Plan,
    clerk: User,
    reviewer: User,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A settlement takes no lock on the person: what it opened is not given as well."""
    approve(claim, clerk, now=now)
    real = deciding.open_enrolments

    def open_after_a_payment(**known: Any) -> list[Enrolment]:
        EnrolmentFactory(person=owner, plan=plan, source="order", source_number="D1")
        return real(**known)

    monkeypatch.setattr(deciding, "open_enrolments", open_after_a_payment)

    with pytest.raises(ClaimRefusedError, match="通过订单开通"):
        approve(claim, reviewer, now=now)

    expect_untouched(claim, "first_approved", 2)


# --- Commitments -----------------------------------------------------------------------------
def test_approved_commitment_goes_into_the_integrity_record(
    owner: User, plan: Plan, clerk: User, reviewer: User, now: datetime
) -> None:
    claim = file_commitment(owner, plan, now=now)
    approve(claim, clerk, now=now)
    assert not IntegrityRecord.objects.exists()

    approve(claim, reviewer, now=now)

    entry = IntegrityRecord.objects.get()
    assert (entry.person, entry.kind) == (owner, "commitment")
    assert (entry.source, entry.recorded_by) == (f"claim:{claim.code}", reviewer)
    assert entry.recorded_at == now
    assert entry.text == claim.wanted["letter"]
    assert owner.id_number in entry.text
    assert owner.id_number.encode() not in bytes(entry.text_cipher)
    assert AuditEntry.objects.filter(action="integrity.recorded").count() == 1


# --- Returned and refused --------------------------------------------------------------------
@pytest.mark.parametrize(
    ("step", "state"), [(return_claim, "returned"), (refuse_claim, "refused")]
)
def test_turned_down_with_a_reason(
    claim: Claim, owner: User, clerk: User, now: datetime, step: Any, state: str
) -> None:
    step(claim_id=claim.pk, seen_version=1, reason="截图看不清", actor=clerk, now=now)

    claim.refresh_from_db()
    assert (claim.state, claim.version, claim.decided_at) == (state, 2, now)
    event = claim.events.order_by("pk").last()
    assert event is not None
    assert (event.kind, event.reason, event.actor) == (state, "截图看不清", clerk)
    assert claim.files.get().expires_at == now + timedelta(days=90)
    message = Message.objects.get()
    assert (message.template, message.recipient) == (f"claim_{state}", owner.phone)
    assert "截图" not in message.text
    assert not Enrolment.objects.exists()


def test_person_without_a_phone_is_told_by_the_page_alone(
    plan: Plan, clerk: User, now: datetime
) -> None:
    person = UserFactory()
    User.objects.filter(pk=person.pk).update(phone_cipher=None, phone_index=None)
    claim = file_voucher(person, plan, now=now)

    refuse_claim(claim_id=claim.pk, seen_version=1, reason="不符", actor=clerk, now=now)

    claim.refresh_from_db()
    assert claim.state == "refused"
    assert not Message.objects.exists()
