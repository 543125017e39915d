"""Sheets of questions cell by cell."""

import pytest

from catalog.errors import QuestionSheetError
from catalog.rules.moments import read_moment, write_moment
from catalog.rules.question_sheets import (
    KnownChapter,
    KnownCourse,
    PoolQuestion,
    TypedQuestion,
    check_questions,
    find_questions,
    list_columns_of,
)
from portal.lib.sheet_reading import SheetCell, SheetRow

COURSES = {"law": KnownCourse(7, {1: KnownChapter(70, 600_000)})}
GOOD = {
    "课程编号": "law",
    "章节序号": "1",
    "出现时间": "03:20",
    "题干": "每年多少学时？",
    "正确选项": "90 学时",
    "错误选项1": "30 学时",
    "错误选项2": "60 学时",
    "错误选项3": "",
    "启用": "是",
}


def check(**changes: str) -> tuple[dict[str, str], PoolQuestion | None]:
    row = check_questions([TypedQuestion(2, GOOD | changes)], COURSES)[0]
    return row.problems, row.question


def sheet_rows(*rows: list[str]) -> list[SheetRow]:
    return [
        SheetRow(number, tuple(map(SheetCell, cells)))
        for number, cells in enumerate(rows, start=1)
    ]


def test_a_good_row_is_a_question():
    assert check() == (
        {},
        PoolQuestion(
            *(7, 70, 200_000, "每年多少学时？", "90 学时"),
            ("30 学时", "60 学时"),
            True,
        ),
    )


def test_chapter_moment_and_state_may_be_empty():
    problems, question = check(章节序号="", 出现时间="", 启用="")

    assert problems == {}
    assert question is not None
    assert (question.chapter_id, question.shown_at_ms) == (None, None)
    assert question.is_active


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"课程编号": ""}, {"课程编号": "请填写课程编号。"}),
        ({"课程编号": "none"}, {"课程编号": "没有这个课程编号。"}),
        ({"章节序号": "2"}, {"章节序号": "该课程没有这个序号的章节。"}),
        ({"章节序号": "²"}, {"章节序号": "该课程没有这个序号的章节。"}),
        ({"章节序号": "9" * 5000}, {"章节序号": "该课程没有这个序号的章节。"}),
        ({"出现时间": "0.1388"}, {"出现时间": "请以文本填写分:秒，例如 03:20。"}),
        ({"出现时间": "10:00"}, {"出现时间": "超出章节视频的时长（10:00）。"}),
        ({"章节序号": ""}, {"出现时间": "填写出现时间须同时填写章节序号。"}),
        ({"题干": ""}, {"题干": "请填写题干。"}),
        ({"题干": "长" * 201}, {"题干": "不能超过200个字。"}),
        ({"正确选项": ""}, {"正确选项": "请填写正确选项。"}),
        ({"错误选项1": "90 学时"}, {"错误选项1": "与其他选项重复。"}),
        ({"错误选项2": "30 学时"}, {"错误选项2": "与其他选项重复。"}),
        (
            {"错误选项1": "", "错误选项2": ""},
            {"错误选项1": "至少填写一个错误选项。"},
        ),
        ({"启用": "对"}, {"启用": "请选择“是”或“否”。"}),
    ],
)
def test_each_fault_stands_at_its_cell(
    changes: dict[str, str], problems: dict[str, str]
):
    found, question = check(**changes)

    assert found == problems
    assert question is None


def test_a_row_may_have_several_faults():
    problems, _ = check(课程编号="none", 题干="", 启用="对")

    assert set(problems) == {"课程编号", "题干", "启用"}


def test_the_same_question_twice_is_the_fault_of_the_second():
    rows = [TypedQuestion(2, GOOD), TypedQuestion(5, GOOD | {"正确选项": "120 学时"})]

    first, second = check_questions(rows, COURSES)

    assert first.question is not None
    assert second.problems == {"题干": "与第2行为同一题。"}
    assert second.question is None


def test_head_and_rows_are_found_below_a_title():
    rows = sheet_rows(
        ["某某课程题库"],
        ["序号", "题干\n（必填）", "课程编号", "正确选项", "错误选项 1", "错误选项4"],
        ["1", " 题目 ", "law", "对", "错"],
        ["2"],
    )

    found = find_questions(rows)

    assert found == [
        TypedQuestion(
            3,
            {
                "题干": "题目",
                "课程编号": "law",
                "正确选项": "对",
                "错误选项1": "错",
                "错误选项4": "",
            },
        )
    ]
    assert list_columns_of(found)[-3:] == ["错误选项3", "错误选项4", "启用"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (sheet_rows(["姓名", "身份证号码"]), "表头中没有找到课程编号、题干"),
        (sheet_rows([*GOOD]), "表中没有题目"),
        (sheet_rows([*GOOD], *[[*GOOD.values()]] * 2001), "一次最多导入 2000 题"),
    ],
)
def test_what_is_no_sheet_of_questions_is_refused(rows: list[SheetRow], words: str):
    with pytest.raises(QuestionSheetError, match=words):
        find_questions(rows)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        *(("03:20", 200_000), ("3:20", 200_000), (" 0：05 ", 5_000)),
        *(("75:00", 4_500_000), ("1:03:20", 3_800_000)),
    ],
)
def test_moments_are_read(text: str, milliseconds: int):
    assert read_moment(text) == milliseconds


@pytest.mark.parametrize("text", ["", "3", "3:60", "1:75:00", "-1:00", "３:20", "a:bc"])
def test_what_is_no_moment_is_refused(text: str):
    with pytest.raises(ValueError, match=f"^{text}$"):
        read_moment(text)


def test_moments_are_written_as_they_are_read():
    assert [write_moment(ms) for ms in (0, 200_999, 4_500_000)] == [
        *("00:00", "03:20", "75:00")
    ]
