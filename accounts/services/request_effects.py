"""What each kind of request asks for: checked when it is filed, done when it is approved."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import PhoneTakenError, RegionRefusedError, RequestRefusedError
from accounts.locks import lock_person
from accounts.models import (
    Message,
    PersonRequest,
    PersonSession,
    Region,
    Unit,
    User,
    WeChatLink,
)
from accounts.queries import find_region, is_phone_taken
from accounts.queries.requests import find_person_meant, is_appointed, match_unit
from accounts.rules.identity import read_id_number
from accounts.rules.names import read_name
from accounts.services.coordinators import begin_appointment
from accounts.services.messages import send_message
from accounts.services.sessions import end_other_sessions
from portal.lib.credit_codes import parse_credit_code
from portal.lib.phones import normalise_phone

Kind = PersonRequest.Kind
Wanted = Mapping[str, str]


# --- When it is filed ------------------------------------------------------------------------


def read_wanted(
    *, kind: str, person: User | None, wanted: Wanted, now: datetime
) -> dict[str, str]:
    """What is asked for in its one spelling.

    Raises `RequestRefusedError` and the errors of what is read: `NameRefusedError`,
    `PersonNumberError`, `PhoneTakenError`, `RegionRefusedError`, `CreditCodeError`.
    """
    if kind == Kind.PHONE_LOST:
        return _read_phone(wanted, now=now)
    if person is None:
        raise RequestRefusedError("请先登录后再提交申请。")
    if kind == Kind.NAME_CHANGE:
        name = read_name(wanted["name"])
        if name == person.name:
            raise RequestRefusedError("填写的姓名与现登记的姓名相同，无需变更。")
        return {"name": name}
    if kind == Kind.NUMBER_CHANGE:
        return _read_number(person, wanted, now=now)
    return _read_unit(person, wanted, now=now)


def _read_phone(wanted: Wanted, *, now: datetime) -> dict[str, str]:
    number, _ = read_id_number(wanted["id_number"], today=timezone.localdate(now))
    phone = normalise_phone(wanted["phone"])
    if is_phone_taken(phone):
        raise PhoneTakenError
    return {
        "name": read_name(wanted["name"]),
        "id_number": number.number,
        "phone": phone,
        "contact": wanted.get("contact", ""),
    }


def _read_number(person: User, wanted: Wanted, *, now: datetime) -> dict[str, str]:
    number, _ = read_id_number(wanted["id_number"], today=timezone.localdate(now))
    if number.number == person.id_number:
        raise RequestRefusedError("填写的证件号码与现登记的相同，无需变更。")
    # That another account has the number is told to staff alone.
    return {"id_number": number.number}


def _read_unit(person: User, wanted: Wanted, *, now: datetime) -> dict[str, str]:
    region = find_region(wanted["region"], today=timezone.localdate(now))
    if region is None:
        raise RegionRefusedError
    code = parse_credit_code(wanted["credit_code"]).code
    name = wanted["unit_name"].strip()
    match = match_unit(region_code=region.code, name=name, credit_code=code)
    if match.unit and not match.conflict and is_appointed(person, match.unit):
        raise RequestRefusedError("您已是该单位的经办人，无需再次申请。")
    return {"region": region.code, "unit_name": name, "credit_code": code}


# --- When it is approved ---------------------------------------------------------------------


def lock_person_to_change(request: PersonRequest) -> User:
    """The account an approval is about. Raises `RequestRefusedError` where none may change."""
    found = find_person_meant(request)
    if found is None:
        raise RequestRefusedError("没有使用该证件号码的账号，不能通过。")
    if request.person_id is not None and found.pk != request.person_id:
        raise RequestRefusedError("该证件号码的账号已变化，请退回申请。")
    # Until the row is locked it may be closed, or made an account of the staff.
    person = lock_person(found.pk)
    if person.state == User.State.CLOSED:
        raise RequestRefusedError("该账号已注销，不能通过。")
    if request.kind == Kind.PHONE_LOST and person.is_staff:
        raise RequestRefusedError("工作人员账号的手机号码须由系统管理员办理。")
    return person


@dataclass(frozen=True)
class Effect:
    """What an approval did: its word in the audit, and what stood there before, masked."""

    action: str
    before: str = ""
    unit: int | None = None


def apply_request(*, request: PersonRequest, person: User, now: datetime) -> Effect:
    """Do what was asked for, to a locked person. Raises `RequestRefusedError`."""
    apply: Callable[..., Effect] = {
        Kind.PHONE_LOST: _change_phone,
        Kind.NAME_CHANGE: _change_name,
        Kind.NUMBER_CHANGE: _change_number,
        Kind.APPOINTMENT: _appoint,
    }[Kind(request.kind)]
    return apply(person, request.wanted, now=now)


def _change_phone(person: User, wanted: Wanted, *, now: datetime) -> Effect:
    before, former = person.masked_phone, person.phone
    person.store_phone(wanted["phone"])
    # Ends every session, as a new password does; whoever had the old password, or a WeChat
    # account of the former phone, is out.
    person.set_unusable_password()
    WeChatLink.objects.filter(person=person).delete()
    columns = ["phone_cipher", "phone_index", "password"]
    _save(person, columns, "新手机号码已登记在一个账号上，不能通过。")
    end_other_sessions(
        person=person, current="", reason=PersonSession.EndReason.ACCOUNT, now=now
    )
    is_pending = person.state == User.State.PENDING
    template = "phone_replaced_pending" if is_pending else "phone_replaced"
    _send_sms(person.phone, template, now=now)
    if former:
        _send_sms(former, "phone_given_up", now=now)
    return Effect("account.phone_replaced", before)


def _change_name(person: User, wanted: Wanted, *, now: datetime) -> Effect:
    before, person.name = person.name, wanted["name"]
    person.save(update_fields=["name"])
    return Effect("account.name_changed", before)


def _change_number(person: User, wanted: Wanted, *, now: datetime) -> Effect:
    before = person.masked_id_number
    number, kind = read_id_number(wanted["id_number"], today=timezone.localdate(now))
    person.store_id_number(number.number)
    person.id_kind = kind
    columns = ["id_number_cipher", "id_number_index", "id_kind"]
    _save(person, columns, "新证件号码已登记在另一个账号上，不能通过。")
    return Effect("account.id_number_changed", before)


def _appoint(person: User, wanted: Wanted, *, now: datetime) -> Effect:
    unit = _find_or_make_unit(wanted, now=now)
    begin_appointment(unit=unit, person=person, now=now)
    return Effect("unit.coordinator_appointed", unit=unit.pk)


def _find_or_make_unit(wanted: Wanted, *, now: datetime) -> Unit:
    """The unit that is meant; parallel approvals for a new one end in one unit."""
    code, name = wanted["credit_code"], wanted["unit_name"]
    match = match_unit(region_code=wanted["region"], name=name, credit_code=code)
    if match.unit is None:
        region = Region.objects.get(code=wanted["region"])
        fresh = Unit(name=name, region=region, credit_code=code, created_at=now)
        Unit.objects.bulk_create([fresh], ignore_conflicts=True)
        match = match_unit(region_code=region.code, name=name, credit_code=code)
    if match.conflict or match.unit is None:
        raise RequestRefusedError(f"{match.conflict}请先核对单位资料。")
    unit = match.unit
    if unit.credit_code is None:
        unit.credit_code = code
        unit.save(update_fields=["credit_code"])
    return unit


def _save(person: User, columns: list[str], words: str) -> None:
    try:
        with transaction.atomic():
            person.save(update_fields=columns)
    except IntegrityError:
        raise RequestRefusedError(words) from None


def _send_sms(phone: str, template: str, *, now: datetime) -> None:
    send_message(
        channel=Message.Channel.SMS,
        recipient=phone,
        template=template,
        context={},
        now=now,
    )
