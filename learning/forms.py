"""What the player and staff may send: names, types and ranges; nothing else is read."""

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.queries import find_person_by_account
from learning.errors import InvalidInputError
from learning.models import Enrolment
from learning.queries import find_enrolment

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


class OpenEnrolmentForm(forms.ModelForm):
    """Staff open a plan for one person, with the reason."""

    account = forms.CharField(
        label="学员账号",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="用户名、手机号码或身份证号码",
    )
    reason = forms.CharField(
        label="开通原因",
        min_length=4,
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 60}),
        help_text="原因将记入审计记录，请勿填写号码。",
    )

    class Meta:
        model = Enrolment
        fields = ("plan",)

    def clean_account(self) -> str:
        account: str = self.cleaned_data["account"]
        self.person = find_person_by_account(account)
        if self.person is None:
            raise ValidationError("没有找到该账号")
        return account

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        person, plan = getattr(self, "person", None), data.get("plan")
        if person and plan and find_enrolment(person.pk, plan.pk):
            self.add_error("plan", "该学员已开通此计划")
        return data
