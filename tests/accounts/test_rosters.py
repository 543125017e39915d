import time
from collections.abc import Sequence
from datetime import date

import pytest

from accounts.rules.rosters import (
    DAMAGED_NUMBER,
    GENDER_DISAGREES,
    GENDER_REFUSED,
    NAME_BLANK,
    NAME_MISSING,
    PHONE_MISSING,
    PHONE_REFUSED,
    CellProblem,
    CheckedRow,
    check_roster,
    find_roster,
)
from portal.lib.sheet_reading import SheetCell, SheetRow, read_sheet
from tests.factories.accounts import make_id_number, make_phone
from tests.factories.sheets import (
    HEAD_2026,
    Value,
    make_list,
    make_person,
)

TODAY = date(2026, 5, 19)


def check(*people: Sequence[Value]) -> list[CheckedRow]:
    return check_roster(find_roster(read_sheet(make_list(*people))), today=TODAY)


def check_one(**changes: Value) -> CheckedRow:
    (row,) = check(make_person(0, **changes))
    return row


class TestChecks:
    def test_a_right_row(self) -> None:
        number = make_id_number(0)
        row = check_one(remark=" 新进 ")

        assert row.is_valid
        assert (row.line, row.name, row.remark) == (5, "学员一", "新进")
        assert (row.id_number, row.id_kind) == (number, "id_card")
        assert (row.phone, row.gender) == (make_phone(0), "男")

    @pytest.mark.parametrize(
        ("column", "typed", "text"),
        [
            ("name", "", NAME_MISSING),
            ("name", "张 三", NAME_BLANK),
            ("name", "张\n三", NAME_BLANK),
            ("name", "张三1", "请填写与证件一致的姓名"),
            ("id_number", "", "请填写证件号码。"),
            ("id_number", "5001 0519 9003 0745 12", "证件号码中间不能有空格"),
            ("id_number", "500105199003074511", "证件号码校验不通过"),
            ("id_number", "110105491231002", "15位旧号码不再受理"),
            ("id_number", "500112202701010012", "晚于今天"),
            ("id_number", 5.001051990030745e17, DAMAGED_NUMBER),
            ("id_number", 110105491231002, DAMAGED_NUMBER),
            ("id_number", 12345, "证件号码应为18位"),
            ("id_number", "5.00105E+17", DAMAGED_NUMBER),
            ("phone", "", PHONE_MISSING),
            ("phone", "12800138000", PHONE_REFUSED),
            ("phone", 1380013800, PHONE_REFUSED),
            ("gender", "未知", GENDER_REFUSED),
            ("gender", "女", GENDER_DISAGREES),
        ],
    )
    def test_a_cell_that_is_wrong(self, column: str, typed: Value, text: str) -> None:
        row = check_one(**{"gender": "", column: typed})

        assert not row.is_valid
        assert [problem.column for problem in row.problems] == [column]
        assert text in row.problems[0].text

    @pytest.mark.parametrize(
        ("column", "typed", "kept", "hint"),
        [
            ("id_number", "11010519491231002x", "11010519491231002X", "小写字母"),
            ("id_number", " 11010519491231002X", "11010519491231002X", "空格"),
            (
                "id_number",
                "１１０１０５１９４９１２３１００２Ｘ",
                "11010519491231002X",
                "全角",
            ),
            ("id_number", "500199199003074512", "500199199003074512", "区县"),
            ("name", "买买提•艾力", "买买提·艾力", "姓名将登记为“买买提·艾力”"),
        ],
    )
    def test_a_cell_that_is_normalised(
        self, column: str, typed: str, kept: str, hint: str
    ) -> None:
        row = check_one(**{"gender": "", column: typed})

        assert row.is_valid
        assert getattr(row, column) == kept
        told = [problem.text for problem in row.hints if problem.column == column]
        assert any(hint in text for text in told)

    @pytest.mark.parametrize(
        "typed",
        [19900000000, "199 0000 0000", "+86 199-0000-0000", "１９９００００００００"],
    )
    def test_phones_in_many_ways(self, typed: Value) -> None:
        row = check_one(phone=typed)

        assert row.is_valid
        assert row.phone == "19900000000"

    @pytest.mark.parametrize(
        ("number", "gender", "kind"),
        [
            ("931101199001010019", "男", "foreign_pr"),
            ("810000199408230021", "女", "id_card"),
            ("ABC123456789012", "女", "foreign_pr"),
        ],
    )
    def test_kinds_of_numbers(self, number: str, gender: str, kind: str) -> None:
        row = check_one(id_number=number, gender=gender)

        assert row.is_valid
        assert row.id_kind == kind

    def test_every_problem_of_a_row_is_told(self) -> None:
        row = check_one(name="张 三", id_number="1", phone="2", gender="x")

        columns = [problem.column for problem in row.problems]
        assert columns == ["name", "id_number", "phone", "gender"]


class TestRepetitions:
    def test_the_same_number_twice(self) -> None:
        first, second, third = check(
            make_person(0),
            make_person(1),
            make_person(2, id_number=f" {make_id_number(0)}"),
        )

        assert [p.text for p in first.problems] == ["身份证号码与第7行重复。"]
        assert second.is_valid
        assert "身份证号码与第5行重复。" in [p.text for p in third.problems]

    def test_the_same_phone_for_two_people(self) -> None:
        first, second = check(make_person(0), make_person(1, phone=19900000000))

        text = "手机号码与第{}行相同，每人须填写本人手机号码。"
        assert first.problems == (CellProblem("phone", text.format(6)),)
        assert second.problems == (CellProblem("phone", text.format(5)),)

    def test_the_same_person_twice_is_told_once(self) -> None:
        first, second = check(make_person(0), make_person(0))

        assert [problem.column for problem in first.problems] == ["id_number"]
        assert [problem.column for problem in second.problems] == ["id_number"]

    def test_two_unreadable_numbers_with_one_phone(self) -> None:
        rows = check(make_person(0, id_number="1"), make_person(0, id_number="2"))

        for row in rows:
            assert [p.column for p in row.problems] == ["id_number", "phone"]

    def test_many_repetitions_name_a_few_lines(self) -> None:
        rows = check(*[make_person(0)] * 9)

        assert rows[0].problems[0].text == "身份证号码与第6、7、8、9、10行等重复。"


def test_ten_thousand_rows_are_checked_in_a_second() -> None:
    cells = [
        tuple(SheetCell(str(value)) for value in make_person(n)) for n in range(10_000)
    ]
    head = SheetRow(1, tuple(SheetCell(label) for label in HEAD_2026))
    rows = [head, *(SheetRow(n, row) for n, row in enumerate(cells, 2))]

    start = time.process_time()
    checked = check_roster(find_roster(rows), today=TODAY)

    # A third of a second on a quiet machine; processor time grows with neighbours too.
    assert time.process_time() - start < 2
    assert all(row.is_valid for row in checked)


def test_one_number_ten_thousand_times_is_checked_as_fast() -> None:
    person = tuple(SheetCell(str(value)) for value in make_person(0))
    head = SheetRow(1, tuple(SheetCell(label) for label in HEAD_2026))
    rows = [head, *(SheetRow(n, person) for n in range(2, 10_002))]

    start = time.process_time()
    checked = check_roster(find_roster(rows), today=TODAY)

    assert time.process_time() - start < 2
    assert not any(row.is_valid for row in checked)
