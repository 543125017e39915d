"""What the player may send: names, types and ranges; anything else in it is not read."""

import json
from dataclasses import dataclass
from typing import Any

from learning.errors import InvalidInputError

# A PositiveIntegerField holds no more; as milliseconds these are 24 days.
LARGEST = 2_147_483_647
LONGEST_TEXT = 60


@dataclass(frozen=True)
class OpenInput:
    plan: str
    course: str
    chapter: int
    position_ms: int | None


@dataclass(frozen=True)
class BeatInput:
    session: str
    sequence: int
    position_ms: int
    is_playing: bool
    is_hidden: bool


@dataclass(frozen=True)
class AnswerInput:
    session: str
    prompt: str
    option: str


def read_json_object(body: bytes | str) -> dict[str, Any]:
    """Raises InvalidInputError for anything but one JSON object."""
    try:
        data = json.loads(body)
    # A deeply nested body exhausts the parser's stack.
    except (ValueError, RecursionError) as error:
        raise InvalidInputError from error
    if not isinstance(data, dict):
        raise InvalidInputError
    return data


def read_open(data: dict[str, Any]) -> OpenInput:
    position = data.get("position_ms")
    return OpenInput(
        plan=_text(data, "plan"),
        course=_text(data, "course"),
        chapter=_number(data, "chapter"),
        position_ms=None if position is None else _number(data, "position_ms"),
    )


def read_beat(data: dict[str, Any]) -> BeatInput:
    return BeatInput(
        session=_text(data, "session"),
        sequence=_number(data, "sequence", least=1),
        position_ms=_number(data, "position_ms"),
        is_playing=_flag(data, "playing"),
        is_hidden=_flag(data, "hidden"),
    )


def read_answer(data: dict[str, Any]) -> AnswerInput:
    return AnswerInput(
        session=_text(data, "session"),
        prompt=_text(data, "prompt"),
        option=_text(data, "option"),
    )


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
        raise InvalidInputError
    # Among others the NUL, which PostgreSQL refuses in a comparison.
    if not value.isprintable():
        raise InvalidInputError
    return value


def _number(data: dict[str, Any], name: str, *, least: int = 0) -> int:
    value = data.get(name)
    # True is an int in Python, and no number.
    if type(value) is not int or not least <= value <= LARGEST:
        raise InvalidInputError
    return value


def _flag(data: dict[str, Any], name: str) -> bool:
    value = data.get(name)
    if not isinstance(value, bool):
        raise InvalidInputError
    return value
