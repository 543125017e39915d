from datetime import date

import pytest

from orders.errors import CodeMistypedError, ImportRefusedError
from orders.rules import (
    format_secret,
    is_usable,
    looks_like_probing,
    make_code_number,
    make_secret,
    mask_secret,
    read_secret,
)
from orders.rules.code_sheets import (
    ACCOUNT_MISSING,
    NAME_MISSING,
    NAME_WRONG,
    find_people,
    most_people,
)
from orders.rules.codes import check_character
from portal.lib.codes import CROCKFORD
from portal.lib.sheet_reading import SheetCell, SheetRow

SECRET = "7K3MZ0Q9WXA2BCDEFGH"
SECRET += check_character(SECRET)

# --- The code itself -----------------------------------------------------------------------


def test_a_code_has_95_random_bits_and_a_check_character() -> None:
    secrets = {make_secret() for _ in range(200)}

    assert len(secrets) == 200
    for secret in secrets:
        assert len(secret) == 20
        assert set(secret) <= set(CROCKFORD)
        assert read_secret(secret) == secret


def test_any_one_wrong_character_is_noticed() -> None:
    for place in range(20):
        for character in CROCKFORD.replace(SECRET[place], ""):
            with pytest.raises(CodeMistypedError):
                read_secret(SECRET[:place] + character + SECRET[place + 1 :])


def test_any_two_exchanged_characters_are_noticed() -> None:
    for one in range(20):
        for other in range(one + 1, 20):
            if SECRET[one] == SECRET[other]:
                continue
            swapped = list(SECRET)
            swapped[one], swapped[other] = swapped[other], swapped[one]
            with pytest.raises(CodeMistypedError):
                read_secret("".join(swapped))


@pytest.mark.parametrize(
    "typed",
    [
        format_secret(SECRET),
        format_secret(SECRET).lower(),
        f"  {format_secret(SECRET).replace('-', ' ')}\n",
        format_secret(SECRET).replace("-", "—"),
        SECRET.replace("0", "O"),
        "".join(chr(ord(c) + 0xFEE0) for c in SECRET),
    ],
)
def test_a_code_is_read_however_it_was_typed(typed: str) -> None:
    assert read_secret(typed) == SECRET


@pytest.mark.parametrize("typed", ["", SECRET[:-1], SECRET + "0", "U" * 20, "！" * 20])
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(CodeMistypedError):
        read_secret(typed)


def test_a_code_is_written_in_groups_and_masked_to_its_last_one() -> None:
    assert format_secret(SECRET).split("-") == [
        SECRET[place : place + 4] for place in range(0, 20, 4)
    ]
    assert mask_secret(SECRET) == f"****-****-****-****-{SECRET[-4:]}"


def test_numbers_are_no_codes() -> None:
    with pytest.raises(CodeMistypedError):
        read_secret(make_code_number())


@pytest.mark.parametrize(
    ("today", "usable"), [(date(2026, 12, 31), True), (date(2027, 1, 1), False)]
)
def test_a_code_serves_to_the_last_day_of_training(today: date, usable: bool) -> None:
    assert is_usable(training_end=date(2026, 12, 31), today=today) is usable


@pytest.mark.parametrize(
    ("checked", "missed", "is_odd"),
    [(100, 20, False), (100, 50, False), (40, 21, True), (5000, 2501, True)],
)
def test_many_people_not_found_look_like_probing(
    checked: int, missed: int, is_odd: bool
) -> None:
    assert looks_like_probing(checked=checked, missed=missed) is is_odd


# --- Sheets of people ----------------------------------------------------------------------


def rows(*lines: tuple[object, ...]) -> list[SheetRow]:
    return [
        SheetRow(
            number,
            tuple(
                SheetCell(str(cell), is_number=isinstance(cell, int)) for cell in line
            ),
        )
        for number, line in enumerate(lines, start=1)
    ]


HEAD = ("姓名", "账号（用户名、手机号码或身份证号码，任填一项）")


def test_the_form_is_read() -> None:
    people = find_people(
        rows(HEAD, ("张三", "199 0000 0001"), ("", ""), ("李 四", "lisi"))
    )

    assert [(p.line, p.name, p.account, p.problem) for p in people] == [
        (2, "张三", "19900000001", ""),
        (4, "李 四", "", NAME_WRONG),
    ]


def test_a_registration_list_is_read_by_its_id_numbers() -> None:
    people = find_people(
        rows(
            ("学员注册名单",),
            ("区县：渝中区", "", "联系人：王五"),
            ("序号", "姓名（中间无空格）", "身份证号码", "手机号码", "备注"),
            (1, "张三", "50010319000101001x", "19900000001", ""),
            (2, "李四", "", "19900000002", ""),
            ("注：以上属实",),
        )
    )

    assert [(p.name, p.account) for p in people] == [
        ("张三", "50010319000101001x"),
        ("李四", "19900000002"),
    ]


def test_rows_say_what_is_wrong() -> None:
    people = find_people(
        rows(
            HEAD,
            ("", "zhangsan"),
            ("张三", ""),
            ("张三", 500103190001010000),
            ("张三", "5.00103E+17"),
            ("张三", "zhangsan"),
            ("张三", "ZhangSan"),
        )
    )

    problems = [person.problem for person in people]
    assert problems[:2] == [NAME_MISSING, ACCOUNT_MISSING]
    assert "号码已损坏" in problems[2]
    assert "号码已损坏" in problems[3]
    assert problems[4:] == ["", "与第6行为同一人。"]
    assert [person.account for person in people[2:4]] == ["", ""]


@pytest.mark.parametrize(
    "lines", [[("甲", "乙")], [("姓名",)], [("账号",)], [HEAD], [HEAD, HEAD]]
)
def test_what_is_no_list_is_refused(lines: list[tuple[str, ...]]) -> None:
    with pytest.raises(ImportRefusedError):
        find_people(rows(*lines))


def test_whoever_has_few_codes_may_ask_about_few_people() -> None:
    assert most_people(1) == 22
    assert most_people(3000) == 6020
