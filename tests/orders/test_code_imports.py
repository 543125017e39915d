"""导入人员: a sheet checked, confirmed, handed out; what it tells, what it survives."""

from datetime import datetime, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook

from accounts.models import Message, PrivateFile, User
from accounts.services.files import read_private_file
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import (
    CodeOverError,
    ImportLimitError,
    ImportStateError,
    NoCodeLeftError,
)
from orders.models import ActivationCode, CodeImport
from orders.services.codes import (
    check_import,
    confirm_import,
    drop_import,
    give_code,
    hand_out,
    upload_import,
)
from tests.factories.accounts import UserFactory
from tests.factories.codes import make_codes, make_numeric_sheet, make_people_sheet
from tests.factories.orders import make_endless_plan, make_order

pytestmark = pytest.mark.django_db
State = CodeImport.State


@pytest.fixture
def plan() -> Plan:
    return make_endless_plan(sells_codes=True)


def hand_in(owner: User, plan: Plan, content: bytes, now: datetime) -> CodeImport:
    return upload_import(owner=owner, plan=plan, content=content, now=now)


def check(row: CodeImport, now: datetime) -> CodeImport:
    check_import(import_id=row.pk, clock=lambda: now)
    row.refresh_from_db()
    return row


def checked(owner: User, plan: Plan, now: datetime, *people: User) -> CodeImport:
    sheet = make_people_sheet(*((person.name, person.phone) for person in people))
    return check(hand_in(owner, plan, sheet, now), now)


def give_out(row: CodeImport, now: datetime) -> CodeImport:
    confirm_import(import_id=row.pk, now=now)
    hand_out(import_id=row.pk, clock=lambda: now)
    row.refresh_from_db()
    return row


def problems(row: CodeImport) -> list[str]:
    return list(row.rows.order_by("line").values_list("problem", flat=True))


def read_errors(row: CodeImport) -> list[list[str]]:
    assert row.error_file is not None
    sheet = load_workbook(BytesIO(read_private_file(row.error_file))).active
    return [[str(cell.value or "") for cell in line] for line in sheet.rows]


def test_a_sheet_is_checked_and_nothing_is_given(
    owner: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan, 5)
    one, two, three = UserFactory.create_batch(3)
    sheet = make_people_sheet(
        (one.name, one.phone),
        (two.name, two.id_number.lower()),
        (three.name, three.username.upper()),
    )

    row = check(hand_in(owner, plan, sheet, now), now)

    assert (row.state, row.row_count, row.valid_count) == (State.CHECKED, 3, 3)
    assert [each.person for each in row.rows.order_by("line")] == [one, two, three]
    assert not row.has_errors
    assert set(ActivationCode.objects.values_list("state", flat=True)) == {"unused"}
    assert Message.objects.count() == 0


def test_confirmed_everybody_is_given_a_code_and_told(
    owner: User, plan: Plan, now: datetime
) -> None:
    codes = make_codes(owner, plan, 5)
    people = UserFactory.create_batch(3)
    row = give_out(checked(owner, plan, now, *people), now)

    assert (row.state, row.given_count, row.failed_count) == (State.DONE, 3, 0)
    given = ActivationCode.objects.filter(state="given").order_by("pk")
    assert [code.pk for code in given] == [code.pk for code in codes[:3]]
    assert [code.person for code in given] == people
    assert {each.recipient for each in Message.objects.all()} == {
        person.phone for person in people
    }
    assert Enrolment.objects.count() == 0


def test_each_row_says_why_it_gets_none(
    owner: User, stranger: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan, 5)
    buyer, holder, twice = UserFactory.create_batch(3)
    make_order(buyer, plan)
    give_code(owner=owner, plan=plan, person=holder, now=now)
    sheet = make_people_sheet(
        (buyer.name, buyer.phone),
        (holder.name, holder.phone),
        ("别人", stranger.phone),
        ("无人", "19900009999"),
        (twice.name, twice.phone),
        (twice.name, twice.username),
    )

    row = check(hand_in(owner, plan, sheet, now), now)

    taken, missing = "该用户已被分配过激活码", "没有找到与所填信息一致的人员"
    assert problems(row)[:2] == [taken, taken]
    assert [text.startswith(missing) for text in problems(row)[2:4]] == [True, True]
    assert problems(row)[2] == problems(row)[3]
    assert problems(row)[4:] == ["", "与第6行为同一人。"]
    assert (row.valid_count, row.invalid_count) == (1, 5)
    lines = read_errors(row)
    assert lines[0][2:] == ["错误说明", "原文件行号"]
    assert lines[1][:3] == [buyer.name, buyer.phone, taken]
    assert [line[3] for line in lines[1:]] == ["2", "3", "4", "5", "7"]


def test_a_corrected_error_file_can_be_sent_again(
    owner: User, stranger: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan, 5)
    first = check(
        hand_in(owner, plan, make_people_sheet(("别人", stranger.phone)), now), now
    )
    lines = read_errors(first)
    lines[1][0] = stranger.name
    again = make_people_sheet(
        *(tuple(line) for line in lines[1:]),  # type: ignore[misc]
        heads=tuple(lines[0]),
    )

    second = check(hand_in(owner, plan, again, now), now)

    assert (second.state, second.valid_count) == (State.CHECKED, 1)


def test_error_files_hold_no_formulas_and_no_damaged_numbers(
    owner: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan, 5)
    evil = make_people_sheet(('=HYPERLINK("http://x")', "=1+1"))
    row = check(hand_in(owner, plan, evil, now), now)
    assert row.error_file is not None
    sheet = load_workbook(BytesIO(read_private_file(row.error_file))).active
    assert {cell.data_type for line in sheet.rows for cell in line} <= {"s", "n"}
    assert sheet["B2"].value == "=1+1"
    assert sheet["B2"].data_type == "s"

    cut = make_numeric_sheet("张三", 500103190001010011)
    row = check(hand_in(owner, plan, cut, now), now)
    assert "号码已损坏" in problems(row)[0]
    assert read_errors(row)[1][1] == ""


@pytest.mark.parametrize("content", [b"PK\x03\x04 nothing", b"", b"a;b\n"])
def test_what_is_no_sheet_is_refused_and_forgotten(
    owner: User, plan: Plan, now: datetime, content: bytes
) -> None:
    make_codes(owner, plan)

    row = check(hand_in(owner, plan, content, now), now)

    assert row.state == State.REFUSED
    assert row.reason
    assert row.file is None
    assert PrivateFile.objects.count() == 0


def test_a_sheet_names_no_more_people_than_codes_allow(
    owner: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan, 1)
    lines = [("张三", f"{19900005000 + n}") for n in range(23)]

    row = check(hand_in(owner, plan, make_people_sheet(*lines), now), now)

    assert (row.state, row.checked_count) == (State.REFUSED, 0)
    assert "未使用的激活码只有1个" in row.reason


def test_who_has_no_unused_code_asks_nothing(
    owner: User, plan: Plan, now: datetime
) -> None:
    sheet = make_people_sheet(("张三", "zhangsan"))

    with pytest.raises(NoCodeLeftError):
        hand_in(owner, plan, sheet, now)
    assert CodeImport.objects.count() == 0
    assert PrivateFile.objects.count() == 0


def test_a_day_has_an_end_of_sheets(owner: User, plan: Plan, now: datetime) -> None:
    make_codes(owner, plan)
    sheet = make_people_sheet(("张三", "zhangsan"))
    for _ in range(20):
        hand_in(owner, plan, sheet, now)

    with pytest.raises(ImportLimitError):
        hand_in(owner, plan, sheet, now)
    hand_in(owner, plan, sheet, now + timedelta(days=1, seconds=1))


def test_a_day_has_an_end_of_rows(owner: User, plan: Plan, now: datetime) -> None:
    make_codes(owner, plan)
    first = hand_in(owner, plan, make_people_sheet(("张三", "zhangsan")), now)
    CodeImport.objects.filter(pk=first.pk).update(
        row_count=9999, state=State.DONE, ended_at=now
    )
    sheet = make_people_sheet(("张三", "zhangsan"), ("李四", "lisi"))

    row = check(hand_in(owner, plan, sheet, now), now)

    assert (row.state, row.checked_count) == (State.REFUSED, 0)


def test_many_people_not_found_alarm_staff(
    owner: User, plan: Plan, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    make_codes(owner, plan, 5)
    lines = [("张三", f"{19900005000 + n}") for n in range(21)]

    check(hand_in(owner, plan, make_people_sheet(*lines), now), now)

    assert "import of people finds few of them" in caplog.text
    assert "19900005000" not in caplog.text


def test_codes_may_run_out(owner: User, plan: Plan, now: datetime) -> None:
    make_codes(owner, plan, 2)
    people = UserFactory.create_batch(3)

    row = give_out(checked(owner, plan, now, *people), now)

    assert (row.state, row.given_count, row.failed_count) == (State.DONE, 2, 1)
    assert problems(row) == ["", "", "激活码数量不足。"]
    assert read_errors(row)[1][:3] == [
        people[2].name,
        people[2].phone,
        "激活码数量不足。",
    ]


def test_what_happened_since_the_check_is_seen(
    owner: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan, 3)
    buyer, closed, good = people = UserFactory.create_batch(3)
    row = checked(owner, plan, now, *people)
    make_order(buyer, plan)
    User.objects.filter(pk=closed.pk).update(state=User.State.CLOSED, is_active=False)

    row = give_out(row, now)

    outcomes = list(row.rows.order_by("line").values_list("outcome", flat=True))
    assert outcomes == ["failed", "failed", "given"]
    assert ActivationCode.objects.get(state="given").person == good
    assert {each.recipient for each in Message.objects.all()} == {good.phone}


def test_a_dropped_sheet_gives_nothing(owner: User, plan: Plan, now: datetime) -> None:
    make_codes(owner, plan)
    row = checked(owner, plan, now, UserFactory())

    drop_import(import_id=row.pk, now=now)

    with pytest.raises(ImportStateError):
        confirm_import(import_id=row.pk, now=now)
    with pytest.raises(ImportStateError):
        drop_import(import_id=row.pk, now=now)
    assert set(ActivationCode.objects.values_list("state", flat=True)) == {"unused"}


def test_what_is_confirmed_cannot_be_dropped_or_confirmed_again(
    owner: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan)
    row = checked(owner, plan, now, UserFactory())
    confirm_import(import_id=row.pk, now=now)

    with pytest.raises(ImportStateError):
        drop_import(import_id=row.pk, now=now)
    with pytest.raises(ImportStateError):
        confirm_import(import_id=row.pk, now=now)


def test_nothing_is_confirmed_without_people_or_after_the_training(
    owner: User, stranger: User, now: datetime
) -> None:
    plan = make_endless_plan(sells_codes=True)
    make_codes(owner, plan)
    nobody = check(
        hand_in(owner, plan, make_people_sheet(("别人", stranger.phone)), now), now
    )
    somebody = checked(owner, plan, now, stranger)
    Plan.objects.update(training_end=now.date() - timedelta(days=1))

    with pytest.raises(NoCodeLeftError):
        confirm_import(import_id=nobody.pk, now=now)
    with pytest.raises(CodeOverError):
        confirm_import(import_id=somebody.pk, now=now)
    assert set(CodeImport.objects.values_list("state", flat=True)) == {State.CHECKED}
