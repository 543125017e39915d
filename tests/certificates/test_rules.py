from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.rules import (
    MissingCredits,
    choose_fit,
    count_missing_credits,
    find_missing_details,
    format_chinese_date,
    format_number,
    is_same_name,
    measure_text,
)

COMPLETE = {
    "region": "渝中区",
    "series": "工程技术人员",
    "level": "中级",
    "unit_name": "示例单位",
}


def test_numbers_carry_year_subject_and_seven_digits():
    assert format_number(year=2026, subject="general", serial=1) == "2026-GX-0000001"
    assert (
        format_number(year=2025, subject="professional", serial=1234567)
        == "2025-ZY-1234567"
    )


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("region", "组织机构"),
        ("series", "专业序列"),
        ("level", "专业级别"),
        ("unit_name", "工作单位"),
    ],
)
def test_dom_13_each_of_the_four_details_is_needed(field, label):
    assert find_missing_details(COMPLETE) == ()
    assert find_missing_details(COMPLETE | {field: " "}) == (label,)


def test_all_missing_details_are_named_in_the_manuals_order():
    assert find_missing_details({}) == ("组织机构", "专业序列", "专业级别", "工作单位")


@pytest.mark.parametrize(
    ("compulsory", "elective", "earned", "missing"),
    [
        (0, 0, (0, 0), MissingCredits(30, 0, 0)),
        (0, 0, (0, 30), MissingCredits(0, 0, 0)),
        (20, 10, (20, 10), MissingCredits(0, 0, 0)),
        # DOM-23: more of one kind does not make up for the other.
        (20, 10, (29, 0), MissingCredits(10, 0, 10)),
        (20, 10, (19, 11), MissingCredits(1, 1, 0)),
        (20, 10, (30, 10), MissingCredits(0, 0, 0)),
        (20, 10, (5, 0), MissingCredits(25, 15, 10)),
    ],
)
def test_missing_credits(compulsory, elective, earned, missing):
    assert (
        count_missing_credits(
            required=30,
            compulsory=compulsory,
            elective=elective,
            compulsory_earned=earned[0],
            elective_earned=earned[1],
        )
        == missing
    )


@pytest.mark.parametrize(
    ("typed", "printed", "same"),
    [
        ("欧阳建国", "欧阳建国", True),
        (" 欧阳 建国 ", "欧阳建国", True),
        ("欧阳建", "欧阳建国", False),
        ("阿不都·热依木", "阿不都·热依木", True),
        ("阿不都•热依木", "阿不都·热依木", True),
        ("阿不都.热依木", "阿不都·热依木", True),
        ("阿不都・热依木", "阿不都·热依木", True),
        ("john smith", "JOHN SMITH", True),
        ("", "", False),
        ("  ", "", False),
    ],
)
def test_names_are_compared_as_people_type_them(typed, printed, same):
    assert is_same_name(typed, printed) is same


def test_dates_are_written_as_on_paper():
    assert format_chinese_date(date(2026, 1, 9)) == "2026 年 1 月 9 日"


@pytest.mark.parametrize(
    ("length", "wide", "fit"),
    [
        (10, False, ""),
        (11, False, "small"),
        (13, False, "small"),
        (14, False, "smaller"),
        (31, False, "smaller"),
        (32, False, "smallest"),
        (18, True, ""),
        (19, True, "small"),
        (55, True, "smaller"),
        (120, True, "smallest"),
    ],
)
def test_long_values_are_set_smaller(length, wide, fit):
    assert choose_fit("中" * length, wide=wide) == fit


@given(st.text(max_size=60))
def test_width_is_between_half_and_one_em_a_letter(text):
    assert 0.56 * len(text) - 0.01 <= measure_text(text) <= len(text)
