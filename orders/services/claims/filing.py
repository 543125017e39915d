"""Claims handed in, sent again after a return, taken back."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import RequestStateError, RequestThrottledError
from accounts.locks import lock_person
from accounts.models import ThrottleCounter, User, VerificationCode
from accounts.queries.requests import find_request_due_date
from accounts.rules.decisions import RETURNED, UNFINISHED
from accounts.rules.names import read_name
from accounts.rules.throttles import REQUEST_PERSON
from accounts.services.codes import check_code
from accounts.services.decisions import mark_resent, mark_withdrawn, replace_proofs
from accounts.services.proofs import Proof, store_proofs
from accounts.services.throttling import Counter, take_tries, throttle_key
from catalog.models import Plan
from orders.errors import ClaimRefusedError
from orders.locks import lock_claim
from orders.models import Claim, ClaimEvent
from orders.queries.claims import find_unfinished_claim
from orders.rules.claims import Letter, refuse_payment_day, say_day, write_letter
from orders.services.claims.checks import check_plan, record, write_event

_TWICE = "该年度您有一份凭证正在办理，请在“我的凭证”中查看；如需更改，请先撤回。"


def take_claim_try(*, person: User, now: datetime) -> None:
    """Count a claim of somebody, before any picture is read. Raises `RequestThrottledError`."""
    key = throttle_key("claim person", person.code)
    counter = Counter(ThrottleCounter.Scope.REQUEST, key, REQUEST_PERSON)
    if not take_tries([counter], now=now):
        raise RequestThrottledError


def draft_letter(
    *, person: User, plan: Plan, wanted: Mapping[str, str], now: datetime
) -> list[str]:
    """The commitment letter as the person would sign it now, in the official words."""
    return write_letter(
        Letter(
            name=person.name,
            id_number=person.id_number,
            phone=person.phone,
            username=person.username,
            paid_on=say_day(date.fromisoformat(wanted["paid_on"])),
            year=str(plan.year),
            subject=plan.get_subject_display(),
            reason=wanted["reason"],
            portal=settings.PORTAL_NAME,
            signed_on=say_day(timezone.localdate(now)),
        )
    )


def sign_letter(
    *, person: User, name: str, code: str, browser: str, now: datetime
) -> None:
    """Take the typed name and the code to the phone on file for a signature.

    Raises `ClaimRefusedError` for another name and `CodeRefusedError`. Must not run inside a
    transaction of the caller, who would roll back the lost try.
    """
    if read_name(name) != person.name:
        raise ClaimRefusedError("签名与账号登记的姓名不一致。")
    check_code(
        phone=person.phone,
        purpose=VerificationCode.Purpose.SIGN,
        browser=browser,
        code=code,
        now=now,
    )


@transaction.atomic
def file_claim(
    *,
    kind: str,
    person: User,
    plan: Plan,
    wanted: Mapping[str, str],
    proofs: Sequence[Proof],
    actor: User,
    now: datetime,
) -> Claim:
    """Hand in a claim; `actor` is the person, or staff with one that came by mail.

    Raises `ClaimRefusedError`, also while another for the plan is unfinished.
    """
    person = lock_person(person.pk)
    values = _check(kind, person, plan, wanted, now=now)
    if find_unfinished_claim(person.pk, plan.pk) is not None:
        raise ClaimRefusedError(_TWICE)
    claim = Claim(
        kind=kind,
        person=person,
        plan=plan,
        filed_by=actor,
        filed_at=now,
        due_date=find_request_due_date(now=now),
    )
    claim.store_wanted(values)
    claim.save(force_insert=True)
    claim.files.set(store_proofs(proofs, owner=person, now=now))
    write_event(claim, ClaimEvent.Kind.FILED, actor=actor, now=now)
    record("filed", claim, actor=actor, now=now)
    return claim


@transaction.atomic
def resend_claim(
    *,
    claim_id: int,
    plan: Plan,
    wanted: Mapping[str, str],
    proofs: Sequence[Proof],
    actor: User,
    now: datetime,
) -> Claim:
    """Send a returned claim again, corrected; without new proofs the old ones stay.

    Raises `RequestStateError`, and like `file_claim`.
    """
    row = lock_claim(claim_id)
    if row.state != RETURNED:
        raise RequestStateError
    person = lock_person(row.person_id)
    values = _check(row.kind, person, plan, wanted, now=now)
    if row.kind == Claim.Kind.VOUCHER:
        replace_proofs(row, proofs, person=person, now=now)
    else:
        row.files.update(expires_at=None)
    row.plan = plan
    row.store_wanted(values)
    try:
        with transaction.atomic():
            mark_resent(row, now=now)
    except IntegrityError:
        raise ClaimRefusedError(_TWICE) from None
    write_event(row, ClaimEvent.Kind.RESENT, actor=actor, now=now)
    record("resent", row, actor=actor, now=now)
    return row


def _check(
    kind: str, person: User, plan: Plan, wanted: Mapping[str, str], *, now: datetime
) -> dict[str, str]:
    """What the claim states, with the letter that goes with it written out."""
    check_plan(person=person, plan=plan, now=now)
    paid_on = date.fromisoformat(wanted["paid_on"])
    refuse_payment_day(paid_on=paid_on, today=timezone.localdate(now))
    values = dict(wanted)
    if kind == Claim.Kind.COMMITMENT:
        letter = draft_letter(person=person, plan=plan, wanted=wanted, now=now)
        values["letter"] = "\n".join(letter)
    return values


@transaction.atomic
def withdraw_claim(*, claim_id: int, actor: User | None, now: datetime) -> Claim:
    """End a waiting or returned claim; its proofs are deleted at once.

    Raises `RequestStateError`.
    """
    row = lock_claim(claim_id)
    if row.state not in UNFINISHED:
        raise RequestStateError
    mark_withdrawn(row, now=now)
    write_event(row, ClaimEvent.Kind.WITHDRAWN, actor=actor, now=now)
    record("withdrawn", row, actor=actor, now=now)
    return row
