"""Letters signed, claims of closed accounts ended, old ones forgotten."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.errors import CodeRefusedError
from accounts.models import Message, PrivateFile, User, VerificationCode
from accounts.services.codes import send_code
from catalog.models import Plan
from orders.errors import ClaimRefusedError
from orders.models import Claim
from orders.services.claims import (
    forget_old_claims,
    resend_claim,
    return_claim,
    sign_letter,
    withdraw_claims_of_closed_accounts,
)
from orders.tasks import sweep_claims
from tests.factories.claims import (
    LETTER,
    VOUCHER,
    approve,
    file_commitment,
    file_voucher,
    make_past_plan,
)
from tests.factories.requests import make_proofs, make_staff
from tests.interruption import run_before

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(db: None) -> Plan:
    return make_past_plan()


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


# --- The signature ---------------------------------------------------------------------------
def get_code(now: datetime, phone: str, message_of: Any) -> str:
    send_code(
        phone=phone,
        purpose=VerificationCode.Purpose.SIGN,
        browser="b",
        address="192.0.2.1",
        now=now,
    )
    return message_of()


@pytest.fixture
def message_of() -> Any:
    def read() -> str:
        text = Message.objects.latest("pk").text
        return "".join(character for character in text if character.isdigit())[:6]

    return read


def test_signature_is_the_name_and_a_code_used_once(
    owner: User, now: datetime, message_of: Any
) -> None:
    code = get_code(now, owner.phone, message_of)
    known = {"person": owner, "code": code, "browser": "b", "now": now}

    with pytest.raises(ClaimRefusedError, match="不一致"):
        sign_letter(name="钱二", **known)
    sign_letter(name=" 赵一 ", **known)
    with pytest.raises(CodeRefusedError):
        sign_letter(name="赵一", **known)


def test_code_of_another_browser_signs_nothing(
    owner: User, now: datetime, message_of: Any
) -> None:
    code = get_code(now, owner.phone, message_of)

    with pytest.raises(CodeRefusedError):
        sign_letter(person=owner, name="赵一", code=code, browser="c", now=now)


# --- Ends ------------------------------------------------------------------------------------
def close(person: User) -> None:
    User.objects.filter(pk=person.pk).update(state=User.State.CLOSED)


def test_claims_of_a_closed_account_end(
    owner: User, stranger: User, plan: Plan, returned: Claim, now: datetime
) -> None:
    waiting = file_voucher(owner, make_past_plan(year=2018), now=now)
    others = file_voucher(stranger, plan, now=now)
    close(owner)

    assert withdraw_claims_of_closed_accounts(now=now) == 2
    assert withdraw_claims_of_closed_accounts(now=now) == 0

    states = dict(Claim.objects.values_list("pk", "state"))
    assert states == {
        returned.pk: "withdrawn",
        waiting.pk: "withdrawn",
        others.pk: "open",
    }
    assert PrivateFile.objects.get() == others.files.get()


def test_closed_account_files_nothing(owner: User, plan: Plan, now: datetime) -> None:
    close(owner)

    with pytest.raises(ClaimRefusedError, match="已注销"):
        file_voucher(owner, plan, now=now)

    assert not Claim.objects.exists()


def test_what_claims_state_is_forgotten_in_time(
    owner: User, stranger: User, plan: Plan, returned: Claim, now: datetime
) -> None:
    """90 days without an approval; three years, as long as it may be sued for, with one."""
    approved = file_commitment(stranger, plan, now=now)
    approve(approved, make_staff("业务"), now=now)
    approve(approved, make_staff("审核"), now=now)
    waiting = file_voucher(owner, make_past_plan(year=2018), now=now)

    def left(days: int) -> set[int]:
        forget_old_claims(now=now + timedelta(days=days))
        full = Claim.objects.exclude(wanted_cipher=b"")
        return set(full.values_list("pk", flat=True))

    assert left(89) == {returned.pk, approved.pk, waiting.pk}
    assert left(90) == {approved.pk, waiting.pk}
    assert left(3 * 365 - 1) == {approved.pk, waiting.pk}
    assert left(3 * 365) == {waiting.pk}
    approved.refresh_from_db()
    assert approved.wanted == {}
    assert stranger.integrity_records.get().text.startswith("本人钱二")
    assert LETTER["reason"] in stranger.integrity_records.get().text


def test_claim_sent_again_while_old_ones_are_forgotten_is_kept(
    owner: User, plan: Plan, returned: Claim, now: datetime
) -> None:
    later = now + timedelta(days=90)

    def send_again() -> None:
        resend_claim(
            claim_id=returned.pk,
            plan=plan,
            wanted=VOUCHER,
            proofs=make_proofs(),
            actor=owner,
            now=later,
        )

    with run_before('UPDATE "orders_claim"', send_again):
        assert forget_old_claims(now=later) == 0

    returned.refresh_from_db()
    assert (returned.state, returned.wanted) == ("open", VOUCHER)


def test_the_sweep_does_both(
    stranger: User, returned: Claim, now: datetime, time_machine: Any
) -> None:
    left = file_voucher(stranger, make_past_plan(year=2018), now=now)
    close(stranger)
    time_machine.move_to(now + timedelta(days=90), tick=False)

    sweep_claims()

    returned.refresh_from_db()
    left.refresh_from_db()
    assert bytes(returned.wanted_cipher) == b""
    assert left.state == "withdrawn"
