"""C4 of the domain standards: DOM-12."""

import pytest

from accounts.forms.profile import level_choices
from accounts.rules.series import (
    LEVELS,
    SERIES,
    is_level_of,
    level_name,
    level_of_former_title,
    levels_of,
    series_name,
)


def test_27_series_by_their_codes():
    assert list(SERIES) == [f"{number:02d}" for number in range(1, 28)]
    assert series_name("01") == "高等学校教师"
    assert series_name("27") == "审计专业人员"
    assert series_name("28") == ""


def test_dom_12_university_teachers_have_no_clerk_level():
    assert [level_name(level) for level in levels_of("01")] == [
        "助理级",
        "中级",
        "副高级",
        "正高级",
    ]


def test_dom_12_engineers_have_all_five():
    assert [level_name(level) for level in levels_of("05")] == [
        "员级",
        "助理级",
        "中级",
        "副高级",
        "正高级",
    ]


@pytest.mark.parametrize("code", ["01", "02", "03", "07", "08", "10", "13"])
def test_series_without_a_clerk_level(code):
    assert "clerk" not in levels_of(code)


@pytest.mark.parametrize("code", list(SERIES))
def test_no_title_fits_every_series(code):
    assert is_level_of(code, "none")
    assert level_choices(code)[-1] == ("none", "无职称")


@pytest.mark.parametrize(
    ("series", "level"), [("01", "clerk"), ("05", "boss"), ("", "none"), ("99", "none")]
)
def test_levels_that_a_series_does_not_have(series, level):
    assert not is_level_of(series, level)


@pytest.mark.parametrize(
    ("title", "level"),
    [
        ("教授级高级工程师", "senior"),
        ("研究员级高级工程师", "senior"),
        ("正高级教师", "senior"),
        ("高级工程师", "associate_senior"),
        ("副高级", "associate_senior"),
        ("中级", "intermediate"),
        ("助理工程师", "assistant"),
        ("初级", "assistant"),
        ("员级", "clerk"),
        ("工程师", ""),
    ],
)
def test_dom_12_former_wordings(title, level):
    assert level_of_former_title(title) == level


def test_every_level_fits_its_column():
    assert all(len(level) <= 16 for level in LEVELS)


def test_levels_wait_for_a_series():
    assert level_choices("") == [("", "请先选择专业序列")]
