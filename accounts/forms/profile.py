"""Forms of 个人信息."""

from collections.abc import Iterable
from typing import Any

from django import forms

from accounts.errors import UsernameRefusedError
from accounts.forms.fields import RegionField, UnitNameField, region_choices
from accounts.models import Profile, Region
from accounts.rules.series import NO_TITLE, SERIES, level_name, levels_of
from accounts.rules.usernames import read_username


def level_choices(series: str) -> list[tuple[str, str]]:
    """Choices of the level select for a series; empty but for the prompt without one."""
    if series not in SERIES:
        return [("", "请先选择专业序列")]
    levels = (*levels_of(series), NO_TITLE)
    return [("", "请选择"), *((level, level_name(level)) for level in levels)]


class ProfileForm(forms.Form):
    """What a certificate prints beside the name. All of it is needed to print one."""

    region = RegionField()
    unit_name = UnitNameField()
    series = forms.ChoiceField(
        label="专业序列", error_messages={"required": "请选择专业序列。"}
    )
    level = forms.ChoiceField(
        label="专业级别",
        error_messages={
            "required": "请选择专业级别。",
            "invalid_choice": "所选专业序列没有该级别，请重新选择。",
        },
    )
    education = forms.ChoiceField(label="学历", required=False)

    def __init__(self, *args: Any, regions: Iterable[Region], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fill("region", region_choices(regions))
        self._fill(
            "series",
            [("", "请选择"), *((code, series.name) for code, series in SERIES.items())],
        )
        self._fill("level", level_choices(str(self["series"].value() or "")))
        self._fill("education", [("", "请选择"), *Profile.Education.choices])

    def _fill(self, name: str, choices: list[Any]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


class UsernameForm(forms.Form):
    """A user name of the person's own choice."""

    username = forms.CharField(
        label="用户名",
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none"}
        ),
        help_text="4至20位字母、数字或下划线，以字母开头，可用于登录。",
        error_messages={"required": "请填写用户名。"},
    )

    def clean_username(self) -> str:
        try:
            return read_username(self.cleaned_data["username"])
        except UsernameRefusedError as error:
            raise forms.ValidationError(str(error)) from None
