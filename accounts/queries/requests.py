"""Reads of requests. A person's own are reached through the `…_for` functions only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from accounts.errors import RequestNotFoundError
from accounts.models import (
    PersonRequest,
    PrivateFile,
    Region,
    RequestEvent,
    Unit,
    UnitAppointment,
    User,
)
from accounts.models.decisions import DecidedPaper
from accounts.personal_data import id_number_index
from accounts.queries.calendar import read_working_calendar
from accounts.queries.people import is_id_number_taken, is_phone_taken
from accounts.rules import decisions as rules
from portal.lib.masks import mask_id_number, mask_phone
from portal.lib.working_days import find_due_date

Kind = PersonRequest.Kind
Paper = TypeVar("Paper", bound=DecidedPaper)


def _with_history(rows: QuerySet[PersonRequest]) -> QuerySet[PersonRequest]:
    events = RequestEvent.objects.order_by("at", "pk")
    files = PrivateFile.objects.order_by("pk")
    return rows.prefetch_related(Prefetch("events", events), Prefetch("files", files))


def list_requests_for(user: User) -> list[PersonRequest]:
    """The person's requests, newest first, with their steps and files."""
    rows = PersonRequest.objects.filter(person=user).order_by("-filed_at", "-pk")
    return list(_with_history(rows))


def get_request_for(user: User, code: str) -> PersonRequest:
    """One of the person's own. Raises `RequestNotFoundError`, for another's as well."""
    row = _with_history(PersonRequest.objects.filter(person=user, code=code)).first()
    if row is None:
        raise RequestNotFoundError
    return row


def get_request_file_for(user: User, code: str, file_code: str) -> PrivateFile:
    """A proof of one of the person's own requests. Raises `RequestNotFoundError`.

    What a stranger handed in for a lost phone is not shown to the account's person.
    """
    file = PrivateFile.objects.filter(
        owner=user, requests__person=user, requests__code=code, code=file_code
    ).first()
    if file is None:
        raise RequestNotFoundError
    return file


def find_request(request_id: int) -> PersonRequest | None:
    """A request for staff, with everything its page shows."""
    rows = PersonRequest.objects.select_related(
        "person", "filed_by", "first_decider", "second_decider"
    )
    return _with_history(rows.filter(pk=request_id)).first()


def find_phone_request(*, code: str, phone: str) -> PersonRequest | None:
    """The request about a lost phone with this number, if it asks for this phone."""
    row = _with_history(
        PersonRequest.objects.filter(code=code, kind=Kind.PHONE_LOST)
    ).first()
    return row if row is not None and row.wanted.get("phone") == phone else None


def has_waiting_request(user: User, kind: str) -> bool:
    return PersonRequest.objects.filter(
        person=user, kind=kind, state__in=rules.WAITING
    ).exists()


def filter_overdue(rows: QuerySet[Paper], *, today: date) -> QuerySet[Paper]:
    """What waits for staff longer than was promised."""
    return rows.filter(state__in=rules.WAITING, due_date__lt=today)


def find_request_due_date(*, now: datetime) -> date:
    """The working day by which a request of this moment is promised an answer."""
    due = find_due_date(
        timezone.localtime(now), rules.WORKING_DAYS, calendar=read_working_calendar()
    )
    return due.date


def find_person_meant(request: PersonRequest) -> User | None:
    """The account a request is about.

    Of a lost phone the one with the ID number that was stated: only accounts in use, or
    opened by a unit and waiting for their first login, can get another phone.
    """
    if request.kind != Kind.PHONE_LOST:
        return request.person
    number = request.wanted.get("id_number")
    if not number:
        return request.person
    return User.objects.filter(
        id_number_index=id_number_index(number),
        state__in=(User.State.ACTIVE, User.State.PENDING),
    ).first()


# --- Units -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class UnitMatch:
    """The unit an appointment means: a known one, none yet, or two that contradict."""

    unit: Unit | None = None
    conflict: str = ""


def match_unit(*, region_code: str, name: str, credit_code: str) -> UnitMatch:
    """Find the unit by its credit code, else by its full name in the region."""
    found = list(
        Unit.objects.select_related("region").filter(
            Q(credit_code=credit_code) | Q(region__code=region_code, name=name)
        )
    )
    by_code = next((unit for unit in found if unit.credit_code == credit_code), None)
    if by_code is not None:
        if not by_code.is_active:
            return UnitMatch(by_code, "该统一社会信用代码的单位已停用。")
        return UnitMatch(by_code)
    by_name = found[0] if found else None
    if by_name is None:
        return UnitMatch()
    if by_name.credit_code:
        return UnitMatch(by_name, "同名单位已登记了另一个统一社会信用代码。")
    if not by_name.is_active:
        return UnitMatch(by_name, "该名称的单位已停用。")
    return UnitMatch(by_name)


def is_appointed(user: User, unit: Unit) -> bool:
    return UnitAppointment.objects.filter(
        person=user, unit=unit, ended_at__isnull=True
    ).exists()


# --- Old and new, side by side ---------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """One line of what is asked for; `old` is empty where there was nothing."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class Comparison:
    """What staff compare with the proofs, and what they have to be told about it."""

    person: User | None
    changes: Sequence[Change]
    warnings: Sequence[str] = ()


def list_wanted(request: PersonRequest) -> list[Change]:
    """What the person asked for, in masked words; nothing once it was forgotten."""
    return list(compare_request(request).changes) if request.wanted_cipher else []


def compare_request(request: PersonRequest, *, masked: bool = True) -> Comparison:
    """Put what is on file beside what is asked for."""
    person = find_person_meant(request)
    if not request.wanted_cipher:
        return Comparison(person, ())
    compare = {
        Kind.PHONE_LOST: _compare_phone,
        Kind.NAME_CHANGE: _compare_name,
        Kind.NUMBER_CHANGE: _compare_number,
        Kind.APPOINTMENT: _compare_unit,
    }[Kind(request.kind)]
    return compare(request, person, masked)


def _old(request: PersonRequest, present: str) -> str:
    """What was there before: on file still, or noted (masked) when it was replaced."""
    if request.state == PersonRequest.State.APPROVED:
        return request.wanted.get("before", "")
    return present


def _compare_phone(
    request: PersonRequest, person: User | None, masked: bool
) -> Comparison:
    wanted = request.wanted
    phone = mask_phone if masked else str
    number = mask_id_number if masked else str
    changes = [
        Change("姓名", person.name if person else "", wanted["name"]),
        Change(
            "证件号码",
            number(person.id_number) if person else "",
            number(wanted["id_number"]),
        ),
        Change(
            "手机号码",
            _old(request, phone(person.phone) if person else ""),
            phone(wanted["phone"]),
        ),
    ]
    if wanted.get("contact"):
        # A phone or an address, most often: shown like the numbers.
        contact = "已填写" if masked else wanted["contact"]
        changes.append(Change("其他联系方式", "", contact))
    return Comparison(person, changes, _warn_of_phone(request, person))


def _warn_of_phone(request: PersonRequest, person: User | None) -> list[str]:
    if not request.is_waiting:
        return []
    wanted, warnings = request.wanted, []
    if person is None:
        warnings.append("没有使用该证件号码的账号，不能通过。")
    else:
        if person.name != wanted["name"]:
            warnings.append("填写的姓名与账号登记的姓名不一致，请仔细核对证件。")
        if person.is_staff:
            warnings.append("这是工作人员账号，须由系统管理员办理，不能通过。")
    if is_phone_taken(wanted["phone"]):
        warnings.append("新手机号码已登记在一个账号上，不能通过。")
    return warnings


def _compare_name(
    request: PersonRequest, person: User | None, masked: bool
) -> Comparison:
    old = _old(request, person.name if person else "")
    return Comparison(person, [Change("姓名", old, request.wanted["name"])])


def _compare_number(
    request: PersonRequest, person: User | None, masked: bool
) -> Comparison:
    show = mask_id_number if masked else str
    wanted = request.wanted["id_number"]
    old = _old(request, show(person.id_number) if person else "")
    warnings = []
    if request.is_waiting and is_id_number_taken(wanted):
        warnings.append("新证件号码已登记在另一个账号上，不能通过。")
    return Comparison(person, [Change("证件号码", old, show(wanted))], warnings)


def _compare_unit(
    request: PersonRequest, person: User | None, masked: bool
) -> Comparison:
    wanted = request.wanted
    match = match_unit(
        region_code=wanted["region"],
        name=wanted["unit_name"],
        credit_code=wanted["credit_code"],
    )
    region = Region.objects.filter(code=wanted["region"]).first()
    unit = match.unit
    changes = [
        Change("区县", unit.region.name if unit else "", region.name if region else ""),
        Change("单位全称", unit.name if unit else "", wanted["unit_name"]),
        Change(
            "统一社会信用代码",
            (unit.credit_code or "") if unit else "",
            wanted["credit_code"],
        ),
    ]
    if not request.is_waiting:
        return Comparison(person, changes)
    warnings = (
        [f"{match.conflict}不能通过，请先核对单位资料。"] if match.conflict else []
    )
    if unit and not match.conflict and unit.name != wanted["unit_name"]:
        warnings.append(
            "统一社会信用代码相同而名称不同，通过后将作为已登记的单位的经办人。"
        )
    return Comparison(person, changes, warnings)
