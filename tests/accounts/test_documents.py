from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from accounts.documents import (
    LIST_SHEET,
    NOTES_SHEET,
    Outcome,
    ResultLine,
    write_error_sheet,
    write_result_sheet,
    write_roster_template,
)
from accounts.errors import RosterRefusedError
from accounts.rules.rosters import (
    DAMAGED_NUMBER,
    CellProblem,
    CheckedRow,
    RosterHead,
    check_roster,
    find_roster,
)
from portal.lib.sheet_reading import read_sheet
from tests.factories.accounts import make_id_number
from tests.factories.sheets import Value, make_list, make_person

TODAY = date(2026, 5, 19)
RULE = "edu_last_six"
FORMULAS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "{=A1}")


def check(*people: Sequence[Value]) -> list[CheckedRow]:
    return check_roster(find_roster(read_sheet(make_list(*people))), today=TODAY)


def check_again(content: bytes) -> list[CheckedRow]:
    return check_roster(find_roster(read_sheet(content)), today=TODAY)


def open_sheet(content: bytes) -> Any:
    return load_workbook(BytesIO(content)).worksheets[0]


def read_cells(content: bytes) -> list[list[object]]:
    return [[cell.value for cell in row] for row in open_sheet(content).iter_rows()]


def assert_only_text(content: bytes) -> None:
    cells = [cell for row in open_sheet(content).iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    with ZipFile(BytesIO(content)) as file:
        for name in file.namelist():
            if name.startswith("xl/worksheets/"):
                assert b"<f>" not in file.read(name)


class TestTemplate:
    def test_the_official_form(self) -> None:
        rows = read_cells(write_roster_template(first_password_rule=RULE))

        assert rows[0][0] == "重庆市专业技术人员继续教育培训\n学员注册名单"
        assert [rows[1][0], rows[1][3]] == ["区    县：", "联系人："]
        assert [rows[2][0], rows[2][3]] == ["单位全称：", "联系电话："]
        assert rows[3] == [
            "序号",
            "姓名\n（姓名中间不能有空格和符号）",
            "身份证号码\n（身份证号码含X，必须大写）",
            "手机号码",
            "性别",
            "备注",
        ]
        assert rows[4] == ["1", None, None, None, None, None]

    def test_columns_are_text_and_gender_is_chosen(self) -> None:
        sheet = open_sheet(write_roster_template(first_password_rule=RULE))

        assert sheet.title == LIST_SHEET
        for letter in "ABCDEF":
            assert sheet.column_dimensions[letter].number_format == "@"
        (choice,) = sheet.data_validations.dataValidation
        assert choice.formula1 == '"男,女"'
        assert str(choice.sqref) == "E5:E10004"
        assert sheet.freeze_panes == "A5"
        assert sheet.page_setup.paperSize == 9
        assert sheet.print_title_rows == "$1:$4"

    def test_notes_and_examples_stand_on_a_sheet_of_their_own(self) -> None:
        content = write_roster_template(first_password_rule="last_six")

        notes = load_workbook(BytesIO(content))[NOTES_SHEET]
        text = "\n".join(str(cell.value) for row in notes.rows for cell in row)
        assert "初始密码为身份证号码后六位" in text
        assert "示例1" in text

    def test_an_empty_form_has_nobody(self) -> None:
        with pytest.raises(RosterRefusedError, match="名单中没有学员"):
            find_roster(read_sheet(write_roster_template(first_password_rule=RULE)))

    def test_examples_copied_into_the_list_are_skipped(self) -> None:
        book = load_workbook(BytesIO(write_roster_template(first_password_rule=RULE)))
        for row in list(book[NOTES_SHEET].iter_rows(min_row=9, values_only=True)):
            book[LIST_SHEET].append(row[:6])
        book[LIST_SHEET].append(make_person(0))
        output = BytesIO()
        book.save(output)

        (person,) = check_again(output.getvalue())
        assert person.is_valid

    def test_a_filled_form_comes_back(self) -> None:
        book = load_workbook(BytesIO(write_roster_template(first_password_rule=RULE)))
        sheet = book[LIST_SHEET]
        sheet["A2"] = "区    县：渝中区"
        sheet["D3"] = "联系电话：13800138000"
        for column, value in zip("ABCDEF", make_person(0), strict=True):
            sheet[f"{column}5"] = value
        output = BytesIO()
        book.save(output)
        roster = find_roster(read_sheet(output.getvalue()))

        assert roster.form == "2026"
        assert roster.head == RosterHead(district="渝中区", phone="13800138000")
        assert [row.is_valid for row in check_roster(roster, today=TODAY)] == [True]


class TestErrorSheet:
    def test_what_was_typed_comes_back_with_what_is_wrong(self) -> None:
        head = RosterHead(
            district="渝中区", contact="学员甲", unit_name="示例单位", phone="023"
        )
        rows = check(make_person(0), make_person(1, name="张 三", phone="1"))
        content = write_error_sheet(rows, head=head)

        cells = read_cells(content)
        assert cells[3][6] == "错误说明"
        assert cells[4][:4] == ["1", "学员一", make_id_number(0), "19900000000"]
        assert cells[4][6] is None
        assert cells[5][6] == (
            "姓名：姓名中间不能有空格和符号（间隔号“·”除外）。\n"
            "手机号码：手机号码应为11位数字，请核对。"
        )
        roster = find_roster(read_sheet(content))
        assert roster.head == head
        again = check_roster(roster, today=TODAY)
        assert [row.problems for row in again] == [row.problems for row in rows]

    def test_the_line_of_the_own_file_stands_beside_it(self) -> None:
        wrong = check(make_person(0), make_person(1, phone="1"))[1:]
        cells = read_cells(write_error_sheet(wrong))

        assert (cells[3][7], cells[4][0], cells[4][7]) == ("原文件行号", "1", "6")

    def test_only_wrong_cells_are_marked(self) -> None:
        sheet = open_sheet(write_error_sheet(check(make_person(0, phone="1"))))

        marked = [cell.column_letter for cell in sheet[5] if cell.fill.fill_type]
        assert marked == ["D", "G"]

    def test_corrected_it_is_right(self) -> None:
        book = load_workbook(
            BytesIO(write_error_sheet(check(make_person(0, phone="1"))))
        )
        book.worksheets[0]["D5"] = "19900000000"
        output = BytesIO()
        book.save(output)

        (row,) = check_again(output.getvalue())
        assert row.is_valid

    def test_a_damaged_number_does_not_come_back(self) -> None:
        """One in eleven would pass the check digit as somebody else's."""
        rows = check(make_person(0, id_number=5.001051990030745e17))
        content = write_error_sheet(rows)

        assert rows[0].problems == (CellProblem("id_number", DAMAGED_NUMBER),)
        cells = read_cells(content)[4]
        assert cells[2] is None
        assert cells[6] == f"身份证号码：{DAMAGED_NUMBER}"

    @pytest.mark.parametrize("typed", FORMULAS)
    def test_nothing_typed_becomes_a_formula(self, typed: str) -> None:
        person = ["1", typed, typed, typed, typed, typed]
        content = write_error_sheet(
            check(person), head=RosterHead(typed, typed, typed, typed)
        )

        assert_only_text(content)
        (row,) = check_again(content)
        assert row.typed.name.text.strip() == typed.strip()

    def test_problems_found_later_are_written_too(self) -> None:
        (row,) = check(make_person(0))
        taken = replace(row, problems=(CellProblem("row", "该学员已在另一份名单中。"),))

        assert (
            read_cells(write_error_sheet([taken]))[4][6] == "该学员已在另一份名单中。"
        )


class TestResultSheet:
    LINES = (
        ResultLine("学员甲", make_id_number(0), Outcome.CREATED),
        ResultLine("学员乙", make_id_number(1), Outcome.LINKED),
        ResultLine("=学员丙", make_id_number(2), Outcome.REFUSED, "手机号码已被使用。"),
    )

    def test_who_got_an_account_and_how_to_log_in(self) -> None:
        rows = read_cells(write_result_sheet(self.LINES, first_password_rule=RULE))

        assert [row[0] for row in rows[:2]] == [
            "用户名：本人身份证号码",
            "初始密码规则：edu@加身份证号码后六位",
        ]
        assert rows[3] == ["序号", "姓名", "证件号码", "结果", "原因"]
        assert rows[4] == ["1", "学员甲", "500103********001X", "新注册", None]
        assert rows[5][3] == "已有账号，已关联单位"
        assert rows[6][3:] == ["未登记", "手机号码已被使用。"]

    def test_no_whole_number_no_password_no_formula(self) -> None:
        content = write_result_sheet(self.LINES, first_password_rule="zeros")

        assert_only_text(content)
        text = str(read_cells(content))
        for line in self.LINES:
            assert line.id_number not in text
            assert f"edu@{line.id_number[-6:]}" not in text
        assert "初始密码规则：000000（六个零）" in text

    def test_masked_numbers_stay_as_they_are(self) -> None:
        line = ResultLine("学员甲", "500103********001X", Outcome.CREATED)

        assert (
            read_cells(write_result_sheet([line], first_password_rule=RULE))[4][2]
            == "500103********001X"
        )
