"""Registration lists as units fill them in, and on their way through the portal."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from accounts.models import RegistrationList, Unit, User
from accounts.services.lists import (
    Upload,
    approve_list,
    check_list,
    submit_list,
    upload_list,
)
from portal.lib.spreadsheet import write_sheet
from tests.factories.accounts import (
    UnitAppointmentFactory,
    UserFactory,
    make_id_number,
    make_phone,
)

COLUMNS = (
    *(("序号", 6), ("姓名", 12), ("身份证号码", 22)),
    *(("手机号码", 14), ("性别", 6), ("备注", 12)),
)
FIRST = 50_000

Line = Sequence[str]


def make_line(n: int, *, name: str = "", number: str = "", phone: str = "") -> Line:
    """The n-th synthetic person of a list; what is given stands in place of theirs."""
    number = number or make_id_number(FIRST + n)
    gender = "男" if number[16:17] in set("13579") else "女"
    name = name or f"吴{chr(0x4E00 + n % 5000)}"
    return (str(n + 1), name, number, phone or make_phone(FIRST + n), gender, "")


def make_lines(count: int, *, start: int = 0) -> list[Line]:
    return [make_line(n) for n in range(start, start + count)]


def make_sheet(lines: Iterable[Line]) -> bytes:
    return write_sheet("注册名单", COLUMNS, lines)


def hand_in(
    lines: Iterable[Line], *, unit: Unit, coordinator: User, now: datetime, **more: Any
) -> RegistrationList:
    """Upload a sheet with these lines; it waits to be checked."""
    return upload_list(
        upload=Upload(unit=unit, content=make_sheet(lines), **more),
        actor=coordinator,
        now=now,
    )


def make_checked_list(lines: Iterable[Line], **given: Any) -> RegistrationList:
    """A list that was uploaded and checked."""
    row = hand_in(lines, **given)
    check_list(list_id=row.pk, clock=lambda: given["now"])
    row.refresh_from_db()
    return row


def make_approved_list(
    lines: Iterable[Line], *, staff: User, **given: Any
) -> RegistrationList:
    """A list whose accounts may be created."""
    row = make_checked_list(lines, **given)
    submit_list(
        list_id=row.pk,
        leaves_out_invalid=True,
        actor=given["coordinator"],
        now=given["now"],
    )
    approve_list(list_id=row.pk, actor=staff, now=given["now"])
    row.refresh_from_db()
    return row


def make_coordinator(unit: Unit, **given: Any) -> User:
    person: User = UserFactory(**{"name": "郑六"} | given)
    UnitAppointmentFactory(unit=unit, person=person)
    return person
