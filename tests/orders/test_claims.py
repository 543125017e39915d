"""Claims handed in, corrected, taken back and forgotten."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.errors import (
    RequestRefusedError,
    RequestStateError,
    RequestThrottledError,
)
from accounts.models import AuditEntry, PrivateFile, User
from accounts.services.cleaning import forget_old_traces
from catalog.models import Plan
from orders.errors import ClaimNotFoundError, ClaimRefusedError
from orders.models import Claim
from orders.queries.claims import (
    get_claim_file_for,
    get_claim_for,
    list_claimable_plans,
)
from orders.services.claims import (
    resend_claim,
    return_claim,
    take_claim_try,
    withdraw_claim,
)
from tests.factories.claims import (
    VOUCHER,
    approve,
    file_commitment,
    file_voucher,
    make_past_plan,
)
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import make_order
from tests.factories.requests import make_proofs, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("working_calendar")]


@pytest.fixture
def plan(db: None) -> Plan:
    return make_past_plan()


def expect_nothing_filed() -> None:
    assert not Claim.objects.exists()
    assert not PrivateFile.objects.exists()
    assert not AuditEntry.objects.exists()


# --- Handing in ------------------------------------------------------------------------------
def test_voucher_is_kept_encrypted_with_its_due_date(
    owner: User, plan: Plan, now: datetime
) -> None:
    """Handed in on Monday, promised for Thursday... but the Friday is 端午节 in 2026."""
    claim = file_voucher(owner, plan, now=now)

    claim.refresh_from_db()
    assert (claim.person, claim.plan, claim.filed_by) == (owner, plan, owner)
    assert (claim.state, claim.version) == ("open", 1)
    assert claim.due_date == date(2026, 6, 18)
    assert claim.wanted == VOUCHER
    assert b"GX-2019" not in bytes(claim.wanted_cipher)
    (file,) = claim.files.all()
    assert (file.purpose, file.owner, file.expires_at) == ("proof", owner, None)
    assert file.content_type == "image/jpeg"
    assert [event.kind for event in claim.events.all()] == ["filed"]
    note = AuditEntry.objects.get()
    assert (note.action, note.target) == ("claim.filed", f"claim:{claim.code}")
    assert note.detail == {"kind": "voucher", "plan": plan.code}


def test_letter_is_written_out_with_the_whole_numbers(
    owner: User, plan: Plan, now: datetime
) -> None:
    claim = file_commitment(owner, plan, now=now)

    letter = claim.wanted["letter"].splitlines()
    assert letter[0].startswith(f"本人赵一，身份证号码：{owner.id_number}，手机号码：")
    assert "因原平台已关闭原因" in letter[0]
    assert letter[-2:] == ["承诺人：赵一", "时 间：2026年6月15日"]
    assert claim.files.count() == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"accepts_claims": False}, "不受理缴费凭证"),
        ({"is_published": False}, "不受理缴费凭证"),
        ({"year": 2026}, "不受理缴费凭证"),
        ({"training_end": date(2026, 6, 14)}, "补学已结束"),
    ],
)
def test_plan_that_no_claim_opens(
    owner: User, now: datetime, fields: dict[str, Any], words: str
) -> None:
    plan = make_past_plan(**fields)

    with pytest.raises(ClaimRefusedError, match=words):
        file_voucher(owner, plan, now=now)

    expect_nothing_filed()
    assert list(list_claimable_plans(today=now.date())) == []


def test_plan_held_already(owner: User, plan: Plan, now: datetime) -> None:
    EnrolmentFactory(person=owner, plan=plan)

    with pytest.raises(ClaimRefusedError, match="已开通"):
        file_voucher(owner, plan, now=now)

    expect_nothing_filed()


@pytest.mark.parametrize("trait", [{}, {"paid": True}])
def test_plan_being_bought(
    owner: User, plan: Plan, now: datetime, trait: dict[str, bool]
) -> None:
    make_order(owner, plan, **trait)

    with pytest.raises(ClaimRefusedError, match="已有订单"):
        file_voucher(owner, plan, now=now)

    expect_nothing_filed()


def test_payment_of_tomorrow(owner: User, plan: Plan, now: datetime) -> None:
    with pytest.raises(ClaimRefusedError, match="不能晚于今天"):
        file_voucher(owner, plan, now=now, paid_on="2026-06-16")

    expect_nothing_filed()


def test_one_unfinished_claim_for_a_plan(
    owner: User, stranger: User, plan: Plan, now: datetime
) -> None:
    file_voucher(owner, plan, now=now)

    with pytest.raises(ClaimRefusedError, match="正在办理"):
        file_commitment(owner, plan, now=now)
    file_voucher(stranger, plan, now=now)
    file_voucher(owner, make_past_plan(year=2020), now=now)

    assert Claim.objects.filter(person=owner).count() == 2


def test_database_holds_one_unfinished_claim(
    owner: User, plan: Plan, now: datetime
) -> None:
    file_voucher(owner, plan, now=now)
    second = Claim(
        kind="voucher", person=owner, plan=plan, filed_at=now, due_date=now.date()
    )
    second.store_wanted(VOUCHER)

    with pytest.raises(IntegrityError), transaction.atomic():
        second.save()


def test_eleventh_claim_of_a_day_is_refused(owner: User, now: datetime) -> None:
    for _ in range(10):
        take_claim_try(person=owner, now=now)

    with pytest.raises(RequestThrottledError):
        take_claim_try(person=owner, now=now)


# --- Correcting and taking back --------------------------------------------------------------
@pytest.fixture
def returned(owner: User, plan: Plan, now: datetime) -> Claim:
    claim = file_voucher(owner, plan, now=now)
    return return_claim(
        claim_id=claim.pk,
        seen_version=1,
        reason="截图看不清",
        actor=make_staff("业务"),
        now=now,
    )


def test_returned_claim_is_corrected(
    owner: User, plan: Plan, returned: Claim, now: datetime
) -> None:
    later = now + timedelta(days=1)
    old = returned.files.get()
    other = make_past_plan(year=2018)

    claim = resend_claim(
        claim_id=returned.pk,
        plan=other,
        wanted=VOUCHER | {"payer": "赵父"},
        proofs=make_proofs(2),
        actor=owner,
        now=later,
    )

    claim.refresh_from_db()
    assert (claim.state, claim.version, claim.plan) == ("open", 3, other)
    assert claim.wanted["payer"] == "赵父"
    assert (claim.filed_at, claim.decided_at) == (later, None)
    assert claim.due_date == date(2026, 6, 22)
    assert claim.files.count() == 2
    assert not PrivateFile.objects.filter(pk=old.pk).exists()
    kinds = [event.kind for event in claim.events.order_by("pk")]
    assert kinds == ["filed", "returned", "resent"]


def test_without_new_proofs_the_old_ones_stay(
    owner: User, plan: Plan, returned: Claim, now: datetime
) -> None:
    assert returned.files.get().expires_at == now + timedelta(days=90)

    resend_claim(
        claim_id=returned.pk,
        plan=plan,
        wanted=VOUCHER,
        proofs=[],
        actor=owner,
        now=now,
    )

    assert returned.files.get().expires_at is None


def test_returned_too_long_ago_needs_new_proofs(
    owner: User, plan: Plan, returned: Claim, now: datetime
) -> None:
    later = now + timedelta(days=91)
    forget_old_traces(now=later)

    with pytest.raises(RequestRefusedError, match="已到期删除"):
        resend_claim(
            claim_id=returned.pk,
            plan=plan,
            wanted=VOUCHER,
            proofs=[],
            actor=owner,
            now=later,
        )

    returned.refresh_from_db()
    assert returned.state == "returned"


def test_waiting_claim_is_not_sent_again(
    owner: User, plan: Plan, now: datetime
) -> None:
    claim = file_voucher(owner, plan, now=now)

    with pytest.raises(RequestStateError):
        resend_claim(
            claim_id=claim.pk,
            plan=plan,
            wanted=VOUCHER,
            proofs=[],
            actor=owner,
            now=now,
        )

    claim.refresh_from_db()
    assert claim.version == 1


def test_corrected_to_a_year_that_is_claimed_already(
    owner: User, returned: Claim, now: datetime
) -> None:
    other = make_past_plan(year=2018)
    file_voucher(owner, other, now=now)

    with pytest.raises(ClaimRefusedError, match="正在办理"):
        resend_claim(
            claim_id=returned.pk,
            plan=other,
            wanted=VOUCHER,
            proofs=[],
            actor=owner,
            now=now,
        )

    returned.refresh_from_db()
    assert (returned.state, returned.version) == ("returned", 2)


def test_withdrawn_claim_loses_its_proofs_at_once(
    owner: User, plan: Plan, now: datetime
) -> None:
    claim = file_voucher(owner, plan, now=now)

    withdraw_claim(claim_id=claim.pk, actor=owner, now=now)

    claim.refresh_from_db()
    assert (claim.state, claim.version) == ("withdrawn", 2)
    assert not PrivateFile.objects.exists()
    file_voucher(owner, plan, now=now)


def test_decided_claim_is_not_withdrawn(owner: User, plan: Plan, now: datetime) -> None:
    claim = file_voucher(owner, plan, now=now)
    approve(claim, make_staff("业务"), now=now)
    approve(claim, make_staff("审核"), now=now)

    with pytest.raises(RequestStateError):
        withdraw_claim(claim_id=claim.pk, actor=owner, now=now)

    claim.refresh_from_db()
    assert claim.state == "approved"


# --- Whose it is -----------------------------------------------------------------------------
def test_strangers_find_neither_claim_nor_proof(
    owner: User, stranger: User, plan: Plan, now: datetime
) -> None:
    claim = file_voucher(owner, plan, now=now)
    file = claim.files.get()

    assert get_claim_for(owner, claim.code) == claim
    assert get_claim_file_for(owner, claim.code, file.code) == file
    with pytest.raises(ClaimNotFoundError):
        get_claim_for(stranger, claim.code)
    with pytest.raises(ClaimNotFoundError):
        get_claim_file_for(stranger, claim.code, file.code)
