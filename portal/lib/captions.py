"""Captions as browsers read them (WebVTT): when which words are on screen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# A lecture of three hours has 200 kB of them.
LARGEST_CAPTIONS = 2 * 1024 * 1024
_ARROW = "-->"
# More digits than any lecture has hours: int() of a novel would be refused.
_TIMES = re.compile(
    r"(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})[ \t]+-->[ \t]+"
    r"(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})(?:[ \t].*)?",
    re.ASCII,
)
# Comments, style sheets and regions have blocks of their own; nothing in them is shown.
_ASIDE = ("NOTE", "STYLE", "REGION")
_TAG = re.compile(r"<[^<>]*>")
_ENTITIES = {
    "&amp;": "&",
    "&lt;": "<",
    "&gt;": ">",
    "&nbsp;": " ",
    "&lrm;": "",
    "&rlm;": "",
}
_ENTITY = re.compile("|".join(_ENTITIES))


class CaptionsError(ValueError):
    """Captions that cannot be read; the text is fit for who sent them.

    `line` counts from 1, as editors show it; 0 where the fault is the whole file's.
    """

    def __init__(self, message: str, *, line: int = 0) -> None:
        self.line = line
        super().__init__(f"第{line}行：{message}" if line else message)


@dataclass(frozen=True, slots=True)
class Cue:
    """Words on screen from `start_ms` until `end_ms` of the video, without markup."""

    start_ms: int
    end_ms: int
    text: str


def read_cues(text: str) -> list[Cue]:
    """The cues of a WebVTT file in their order.

    Raises `CaptionsError` for a missing WEBVTT head, a broken time line, a cue that ends
    before it begins or has no words, starts that go back in time, and a file without any
    cue.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    blocks = _split_blocks(lines.split("\n"))
    if not blocks or not re.fullmatch(r"WEBVTT(?:[ \t].*)?", blocks[0][1][0]):
        raise CaptionsError("字幕文件的第一行须为 WEBVTT；SRT 文件请先转换为 WebVTT。")
    cues: list[Cue] = []
    for number, block in blocks[1:]:
        if block[0].startswith(_ASIDE) and _ARROW not in block[0]:
            continue
        cue = _read_cue(number, block)
        if cues and cue.start_ms < cues[-1].start_ms:
            raise CaptionsError("开始时间早于上一条字幕。", line=number)
        cues.append(cue)
    if not cues:
        raise CaptionsError("字幕文件中没有字幕。")
    return cues


def check_captions(content: bytes) -> None:
    """Raise `CaptionsError` for a file that is no sound WebVTT in UTF-8."""
    if len(content) > LARGEST_CAPTIONS:
        raise CaptionsError("字幕文件超过 2 MB，请检查是否选错了文件。")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaptionsError(
            "字幕文件不是 UTF-8 编码，请另存为 UTF-8 后上传。"
        ) from error
    if "\0" in text:
        raise CaptionsError("字幕文件含有无效字符，请重新导出。")
    read_cues(text)


def _split_blocks(lines: Sequence[str]) -> list[tuple[int, list[str]]]:
    """Runs of lines between empty ones, each with the number of its first line."""
    blocks: list[tuple[int, list[str]]] = []
    is_inside = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            is_inside = False
        elif is_inside:
            blocks[-1][1].append(line)
        else:
            blocks.append((number, [line]))
            is_inside = True
    return blocks


def _read_cue(number: int, block: Sequence[str]) -> Cue:
    # A cue may have a name in a line before its times.
    place = next((at for at, line in enumerate(block[:2]) if _ARROW in line), None)
    if place is None:
        raise CaptionsError("缺少时间行，例如 00:05.000 --> 00:08.000。", line=number)
    found = _TIMES.fullmatch(block[place].strip())
    if not found:
        raise CaptionsError(
            "时间格式有误，应为 00:05.000 --> 00:08.000。", line=number + place
        )
    start, end = _count_ms(found.groups()[:4]), _count_ms(found.groups()[4:])
    if end <= start:
        raise CaptionsError("结束时间须晚于开始时间。", line=number + place)
    shown = _TAG.sub("", "\n".join(block[place + 1 :]))
    if not shown.strip():
        raise CaptionsError("时间后没有字幕文字。", line=number + place)
    return Cue(start, end, _ENTITY.sub(lambda one: _ENTITIES[one[0]], shown))


def _count_ms(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds


def write_captions(cues: list[tuple[int, int, str]]) -> str:
    """WebVTT of cues: start and end in milliseconds, and a line of words."""
    blocks = ["WEBVTT"]
    blocks += [
        f"{_clock(start)} --> {_clock(end)}\n{text}" for start, end, text in cues
    ]
    return "\n\n".join(blocks) + "\n"


def _clock(milliseconds: int) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{thousandths:03d}"
