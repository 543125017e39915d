"""What the player and staff may send: names, types and ranges; nothing else is read."""

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms.fields import ReasonField
from accounts.forms.requests import HELP_ON_FILES, DecisionForm, ProofsField
from accounts.queries import find_person_by_account
from learning.errors import InvalidInputError
from learning.models import Enrolment, StudyFlag
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
    reason = ReasonField(
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


class InspectionForm(forms.Form):
    """What the district found in hours of a unit, and why."""

    PASS, REJECT = "pass", "reject"

    finding = forms.ChoiceField(choices=[(PASS, "抽查通过"), (REJECT, "不予认可")])
    reason = ReasonField(
        label="说明",
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 60}),
        help_text="不予认可或更改抽查结果时必填，学员和单位可见，请勿填写号码。",
    )


class AppealForm(forms.Form):
    """Why a refused stretch should count, with pictures if there are any.

    `has_proofs` says that those of a returned appeal stay unless others come.
    """

    text = ReasonField(
        label="申诉理由",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="请写明当时的情况，例如网络中断、设备故障；不要填写证件号码和手机号码。",
        error_messages={"required": "请填写申诉理由。"},
    )
    proofs = ProofsField(
        label="证明材料（选填）", required=False, help_text=HELP_ON_FILES
    )

    def __init__(self, *args: Any, has_proofs: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_proofs:
            self.fields["proofs"].help_text += "不重新上传则沿用原有材料。"


class AppealDecisionForm(DecisionForm):
    """An appeal is granted, given back for more, or turned down."""

    decision = forms.ChoiceField(
        choices=[
            (DecisionForm.APPROVE, "同意"),
            (DecisionForm.RETURN, "退回补充"),
            (DecisionForm.REFUSE, "驳回"),
        ]
    )
    reason = ReasonField(
        label="退回或驳回的原因",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="学员会看到，请写明缺少什么或依据；不要填写证件号码和手机号码。",
    )


class CorrectionForm(forms.Form):
    """Why credited time is taken back."""

    reason = ReasonField(
        label="扣减原因",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="学员会看到，请写明依据；不要填写证件号码和手机号码。",
    )


class FlagForm(forms.Form):
    """What staff found out about a flag; what is proven goes into the integrity record."""

    PROVEN = "proven"
    state = forms.ChoiceField(
        choices=[
            (StudyFlag.State.NORMAL, StudyFlag.State.NORMAL.label),
            (StudyFlag.State.HANDLED, StudyFlag.State.HANDLED.label),
            (PROVEN, "查实，记入诚信档案"),
        ]
    )
    note = ReasonField(
        label="核查说明",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明看了什么、依据是什么；记入诚信档案的，学员会看到。不要填写证件号码和手机号码。",
    )
