import pytest

from portal.lib.captions import (
    LARGEST_CAPTIONS,
    CaptionsError,
    Cue,
    check_captions,
    read_cues,
    write_captions,
)

CAPTIONS = """\
WEBVTT 中文字幕

NOTE 由讲师校对
00:00.000 没有箭头的一行不是字幕

STYLE
::cue { color: white }

1
00:01.000 --> 00:03.500 align:start
每年累计应不少于<b>九十学时</b>

01:02:03.004 --> 01:02:05.000
公需科目 &amp; 专业科目
<v 讲师>各有各的要求
"""


def test_cues_are_read_without_markup():
    assert read_cues(CAPTIONS) == [
        Cue(1_000, 3_500, "每年累计应不少于九十学时"),
        Cue(3_723_004, 3_725_000, "公需科目 & 专业科目\n各有各的要求"),
    ]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(end: str):
    text = "\ufeff" + CAPTIONS.replace("\n", end)

    assert read_cues(text) == read_cues(CAPTIONS)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 0, "第一行须为 WEBVTT"),
        ("1\n00:00:01,000 --> 00:00:02,000\n字幕\n", 0, "第一行须为 WEBVTT"),
        ("WEBVTTS\n\n00:01.000 --> 00:02.000\n字幕\n", 0, "第一行须为 WEBVTT"),
        ("WEBVTT\n\nNOTE 空文件\n", 0, "没有字幕"),
        ("WEBVTT\n\n没有时间\n", 3, "缺少时间行"),
        ("WEBVTT\n\n1\n00:01,000 --> 00:02,000\n字幕\n", 4, "时间格式有误"),
        (f"WEBVTT\n\n{'9' * 5000}:00:01.000 --> 00:02.000\n字\n", 3, "时间格式有误"),
        (f"WEBVTT\n\n00:01.000 --> {'9' * 5000}:00:02.000\n字\n", 3, "时间格式有误"),
        ("WEBVTT\n\n00:61.000 --> 00:62.000\n字幕\n", 3, "时间格式有误"),
        ("WEBVTT\n\n00:02.000 --> 00:02.000\n字幕\n", 3, "须晚于开始时间"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n\n字幕\n", 3, "没有字幕文字"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000", 3, "没有字幕文字"),
        (
            "WEBVTT\n\n00:05.000 --> 00:06.000\n二\n\n00:04.000 --> 00:05.000\n一\n",
            6,
            "早于上一条字幕",
        ),
    ],
)
def test_faults_are_named_with_their_line(text: str, line: int, words: str):
    with pytest.raises(CaptionsError, match=words) as caught:
        read_cues(text)

    assert caught.value.line == line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (CAPTIONS.encode("gbk"), "不是 UTF-8 编码"),
        ((CAPTIONS + "\0").encode(), "含有无效字符"),
        (b"WEBVTT" + b" " * LARGEST_CAPTIONS, "超过 2 MB"),
        (b"", "第一行须为 WEBVTT"),
    ],
)
def test_unsound_files_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(CaptionsError, match=message):
        check_captions(content)


def test_written_captions_are_sound() -> None:
    text = write_captions([(0, 1500, "标题"), (1500, 3_725_004, "要点")])

    assert text == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n标题\n\n"
        "00:00:01.500 --> 01:02:05.004\n要点\n"
    )
    check_captions(text.encode())
