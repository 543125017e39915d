"""Fields that several forms share."""

import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Region
from accounts.rules.identity import read_id_number
from portal.lib.identity import PersonNumberError
from portal.lib.masks import holds_number
from portal.lib.phones import PhoneError, normalise_phone

LONGEST_PASSWORD = 128
HELP_ON_PASSWORDS = "至少8个字符，不要使用常见密码，不能包含您的手机号码或证件号码。"


class PhoneField(forms.CharField):
    """A mobile number in whatever spelling; its value is the 11 digits."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {
            "type": "tel",
            "inputmode": "tel",
            "autocomplete": "tel-national",
            "placeholder": "11位手机号码",
        }
        kwargs.setdefault("label", "手机号码")
        super().__init__(max_length=30, widget=forms.TextInput(attrs=attrs), **kwargs)
        self.error_messages["required"] = "请填写手机号码。"

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return normalise_phone(text)
        except PhoneError as error:
            raise ValidationError(str(error), code="phone") from None


class CodeField(forms.CharField):
    """The six digits of an SMS, also as a Chinese input method or a copied message has them."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {
            "inputmode": "numeric",
            "autocomplete": "one-time-code",
            "placeholder": "6位数字",
        }
        super().__init__(
            label="短信验证码",
            max_length=10,
            widget=forms.TextInput(attrs=attrs),
            **kwargs,
        )
        self.error_messages["required"] = "请填写短信验证码。"

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return "".join(unicodedata.normalize("NFKC", text).split())


class PasswordField(forms.CharField):
    """A password; never sent back to the browser."""

    def __init__(
        self, *, label: str, autocomplete: str = "new-password", **kwargs: Any
    ) -> None:
        super().__init__(
            label=label,
            strip=False,
            max_length=LONGEST_PASSWORD,
            widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
            **kwargs,
        )
        self.error_messages["required"] = f"请填写{label}。"


def clean_id_number(text: str, *, today: date) -> str:
    """The number in its one spelling. Raises Django's `ValidationError`."""
    try:
        number, _ = read_id_number(text, today=today)
    except PersonNumberError as error:
        raise ValidationError(str(error), code=error.defect) from None
    return number.number


class ReasonField(forms.CharField):
    """A reason in free words. It is kept in clear, in the audit for ever: no whole numbers."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if holds_number(text):
            raise ValidationError(
                "请勿填写完整的证件号码或手机号码，可只写尾号。", code="number"
            )
        return text


def region_choices(regions: Iterable[Region]) -> list[Any]:
    """Choices of a select: regions grouped by kind, in their own order."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for region in regions:
        kind = Region.Kind(region.kind).label
        groups.setdefault(str(kind), []).append((region.code, region.name))
    return [("", "请选择"), *groups.items()]


class RegionField(forms.ChoiceField):
    """A select of the regions; the form fills in the choices of today."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label="组织机构（区县）",
            help_text="请选择单位所在区县；若查找不到贵单位，请选择您档案所在区县。",
            **kwargs,
        )
        self.error_messages["required"] = "请选择区县。"
        self.error_messages["invalid_choice"] = "该区县已调整，请重新选择。"


class UnitNameField(forms.CharField):
    """The full name of a work unit; a list of known ones is offered while typing."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {
            "autocomplete": "off",
            "role": "combobox",
            "aria-autocomplete": "list",
            "aria-expanded": "false",
            "aria-controls": "unit-options",
            "placeholder": "输入单位名称，可从列表中选择",
        }
        super().__init__(
            label="工作单位",
            min_length=2,
            max_length=120,
            widget=forms.TextInput(attrs=attrs),
            help_text="请填写单位全称，与单位公章一致，将打印在证书上。",
            **kwargs,
        )
        self.error_messages["required"] = "请填写工作单位全称。"
