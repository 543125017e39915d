"""What a pasted text or a sheet means: put right what is harmless, refuse what is not."""

from datetime import date
from io import BytesIO

import pytest
from openpyxl import Workbook

from accounts.rules.rosters import DAMAGED_NUMBER
from orders.errors import GroupInputError
from orders.rules.group_input import (
    BLANK,
    EMPTY,
    EXTRA,
    FULL_WIDTH,
    HEADING,
    HIDDEN,
    LOWER_CASE,
    MAX_ROWS,
    NAME_REFUSED,
    REPEATED,
    SPLIT,
    TWO_PEOPLE,
    GivenPerson,
    check_given,
    describe_tidied,
    read_paste,
    read_rows,
)
from portal.lib.identity import MESSAGES, Defect
from portal.lib.sheet_reading import SheetCell, SheetRow, read_sheet
from tests.factories.accounts import make_id_number

TODAY = date(2026, 6, 15)
ONE, TWO, THREE = (make_id_number(n) for n in range(3))
WITH_X = next(n for n in map(make_id_number, range(50)) if n.endswith("X"))
FULL = str.maketrans("0123456789Xx", "０１２３４５６７８９Ｘｘ")


def check(text):
    """Read and check a pasted text: (number, name, problems) of each, and what was tidied."""
    given = read_paste(text)
    people, tidied = check_given(given.people, today=TODAY)
    found = [(each.number, each.name, list(each.problems)) for each in people]
    return found, {key: n for key, n in {**given.tidied, **tidied}.items() if n}


def sheet(*lines, numbers=(), hidden=()):
    book = Workbook()
    page = book.active
    for row, line in enumerate(lines, start=1):
        for column, value in enumerate(line, start=1):
            page.cell(row, column).value = value
        if row in hidden:
            page.row_dimensions[row].hidden = True
    for row, column, value in numbers:
        page.cell(row, column).value = value
    output = BytesIO()
    book.save(output)
    given = read_rows(read_sheet(output.getvalue()))
    people, _ = check_given(given.people, today=TODAY)
    return given, people


def test_numbers_one_a_line():
    assert check(f"{ONE}\n{TWO}\r\n{THREE}") == (
        [(ONE, "", []), (TWO, "", []), (THREE, "", [])],
        {},
    )


@pytest.mark.parametrize(
    ("typed", "tidied"),
    [
        (WITH_X.translate(FULL), {FULL_WIDTH: 1}),
        (WITH_X.lower(), {LOWER_CASE: 1}),
        (WITH_X.lower().translate(FULL), {FULL_WIDTH: 1, LOWER_CASE: 1}),
        (f"  {WITH_X}\t", {BLANK: 1}),
        (f"\u3000{WITH_X}", {BLANK: 1}),
        (f"\u200b{WITH_X}\ufeff", {BLANK: 1}),
        (f"'{WITH_X}", {BLANK: 1}),
        (f"“{WITH_X}”。", {BLANK: 1}),
        (f"\n\n{WITH_X}\n   \n", {EMPTY: 3}),
        (f"身份证号码\n{WITH_X}", {HEADING: 1}),
        (f"姓名 身份证号码（必填）\n{WITH_X}", {HEADING: 1}),
        (f"12 {WITH_X}", {EXTRA: 1}),
        (f"3、{WITH_X} 女 19900000001", {EXTRA: 1}),
    ],
)
def test_what_is_harmless_is_put_right_and_said(typed, tidied):
    found, said = check(typed)

    assert found == [(WITH_X, "", [])]
    assert said == tidied
    assert len(describe_tidied(said)) == len(tidied)


def test_what_was_put_right_is_said_in_words():
    assert describe_tidied({REPEATED: 2, EMPTY: 5, FULL_WIDTH: 0}) == [
        "重复的号码只保留一个（2处）",
        "已略去空行（5处）",
    ]


@pytest.mark.parametrize(
    "line",
    [f"赵一\t{ONE}", f"{ONE}\t赵一", f"赵一，{ONE}", f"1 赵一 男 {ONE} 19900000001"],
)
def test_a_name_may_stand_on_either_side(line):
    assert check(line)[0] == [(ONE, "赵一", [])]


def test_a_latin_name_has_blanks():
    assert check(f"ANNA MARIA SMITH {ONE}")[0] == [(ONE, "ANNA MARIA SMITH", [])]


def test_several_numbers_in_a_line_are_several_people():
    assert check(f"{ONE}，{TWO} {THREE}") == (
        [(ONE, "", []), (TWO, "", []), (THREE, "", [])],
        {SPLIT: 1},
    )


def test_several_people_with_names_in_a_line_are_refused():
    found, _ = check(f"赵一 {ONE} 钱二 {TWO}")

    assert found == [("", "", [TWO_PEOPLE])]


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        (ONE[:-1], MESSAGES[Defect.FORMAT]),
        (ONE[:-1] + ("0" if ONE[-1] != "0" else "1"), MESSAGES[Defect.CHECKSUM]),
        (f"{ONE[:6]} {ONE[6:14]} {ONE[14:]}", MESSAGES[Defect.INNER_BLANK]),
        (ONE[:6] + ONE[8:17], MESSAGES[Defect.FIRST_GENERATION]),
        ("5.00103E+17", DAMAGED_NUMBER),
        ("赵一", MESSAGES[Defect.FORMAT]),
    ],
)
def test_what_could_be_somebody_else_is_refused(typed, problem):
    found, _ = check(typed)

    assert found == [("", "", [problem])]


def test_a_name_with_a_blank_is_refused_and_the_number_read():
    assert check(f"赵 一 {ONE}")[0] == [(ONE, "", [NAME_REFUSED])]


def test_a_repeated_number_stays_once_with_the_name_that_was_given():
    assert check(f"{ONE}\n{TWO}\n赵一 {ONE}\n{ONE.translate(FULL)}") == (
        [(ONE, "赵一", []), (TWO, "", [])],
        {REPEATED: 2, FULL_WIDTH: 1},
    )


def test_a_name_beside_a_number_that_was_kept_is_asked_about():
    """Names could be tried on free numbers without being counted otherwise."""
    kept = GivenPerson(1, ONE, is_kept=True)
    named = GivenPerson(1, ONE, "赵一")

    people, _ = check_given([kept, named], today=TODAY)

    assert [(each.name, each.given.is_kept) for each in people] == [("赵一", False)]


def test_a_name_that_was_kept_is_not_asked_about_again():
    kept = GivenPerson(1, ONE, "赵一", is_kept=True)

    people, _ = check_given([kept, GivenPerson(1, ONE, "赵一")], today=TODAY)

    assert [(each.name, each.given.is_kept) for each in people] == [("赵一", True)]


def test_cells_made_to_keep_the_worker_busy_do_not():
    """Ten minutes and more, if heads were searched for brackets before their blanks go."""
    cell = SheetCell("(" * 32_000 + "\n" + ONE)

    given = read_rows([SheetRow(n, (cell,) * 10) for n in range(1, 4)])

    assert len(given.people) == 3


def test_two_names_for_one_number_let_neither_stand():
    found, tidied = check(f"赵一 {ONE}\n钱二 {ONE}\n{TWO}")

    assert found == [
        (ONE, "赵一", ["同一号码填写了不同的姓名（第2行），请核对。"]),
        (ONE, "钱二", ["同一号码填写了不同的姓名（第1行），请核对。"]),
        (TWO, "", []),
    ]
    assert tidied == {}


def test_lines_are_counted_as_the_buyer_sees_them():
    given = read_paste(f"身份证号码\n\n{ONE}\n\n{TWO}")

    assert [person.line for person in given.people] == [3, 5]


@pytest.mark.parametrize("text", ["", "\n \n", "身份证号码\n姓名"])
def test_nobody_is_refused(text):
    with pytest.raises(GroupInputError, match="没有找到证件号码"):
        read_paste(text)


def test_ten_thousand_and_no_more():
    numbers = [make_id_number(n) for n in range(MAX_ROWS + 1)]

    assert len(read_paste("\n".join(numbers[1:])).people) == MAX_ROWS
    with pytest.raises(GroupInputError, match="本次共10001人"):
        read_paste("\n".join(numbers))


def test_a_sheet_with_a_head():
    given, people = sheet(
        ["某某单位团购名单"],
        ["序号", "姓名（选填）", "身份证号码"],
        ["1", "赵一", ONE],
        ["2", "", TWO],
        ["3", "", ""],
        ["注：请勿重复填写"],
    )

    assert [(p.given.line, p.number, p.name) for p in people] == [
        (3, ONE, "赵一"),
        (4, TWO, ""),
    ]
    assert given.tidied == {EMPTY: 1, HEADING: 1}


def test_a_sheet_without_a_head_is_read_like_a_text():
    _, people = sheet([ONE, "赵一"], ["钱二", TWO])

    assert [(p.number, p.name) for p in people] == [(ONE, "赵一"), (TWO, "钱二")]


@pytest.mark.parametrize("head", [["身份证号码"], []])
def test_a_number_that_excel_cut_is_refused_and_never_repaired(head):
    lines = [head, [ONE]] if head else [[ONE]]
    _, people = sheet(*lines, numbers=[(len(lines) + 1, 1, 500103190001010017)])

    assert [list(p.problems) for p in people] == [[], [DAMAGED_NUMBER]]
    assert people[1].number == ""


def test_a_hidden_row_is_read_and_shown():
    _, people = sheet(["身份证号码"], [ONE], [TWO], hidden=[3])

    assert [HIDDEN in p.hints for p in people] == [False, True]
    assert all(p.is_readable for p in people)


def test_a_person_without_a_number_is_not_dropped_silently():
    _, people = sheet(["姓名", "身份证号码"], ["赵一", ""])

    assert [list(p.problems) for p in people] == [[MESSAGES[Defect.EMPTY]]]
