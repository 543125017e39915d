"""The registration form: what a person enters once and reads on every certificate."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.errors import NameRefusedError
from accounts.forms.captcha import CaptchaMixin
from accounts.forms.fields import (
    HELP_ON_PASSWORDS,
    CodeField,
    PasswordField,
    PhoneField,
    RegionField,
    UnitNameField,
    clean_id_number,
    region_choices,
)
from accounts.models import Region
from accounts.rules.names import read_name
from accounts.rules.passwords import Candidate, refuse_weak_password


class RegistrationForm(CaptchaMixin):
    """`proved_phone` needs no code any more; `has_password` says the draft holds one."""

    name = forms.CharField(
        label="姓名",
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="与证件一致，中间不能有空格和符号，少数民族姓名的间隔号用“·”。",
        error_messages={"required": "请填写姓名。"},
    )
    id_number = forms.CharField(
        label="证件号码",
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "num"}
        ),
        help_text="居民身份证、港澳台居民居住证或外国人永久居留身份证号码，末位X请大写。",
        error_messages={"required": "请填写证件号码。"},
    )
    phone = PhoneField(help_text="用于登录和找回密码。")
    code = CodeField(required=False)
    password = PasswordField(
        label="登录密码", required=False, help_text=HELP_ON_PASSWORDS
    )
    password_again = PasswordField(label="确认密码", required=False)
    region = RegionField()
    unit_name = UnitNameField()
    agree_privacy = forms.BooleanField(
        label="隐私政策", error_messages={"required": "请阅读并同意隐私政策。"}
    )
    agree_sensitive = forms.BooleanField(
        label="敏感个人信息处理",
        error_messages={"required": "请阅读并单独同意处理您的敏感个人信息。"},
    )

    def __init__(
        self,
        *args: Any,
        regions: Iterable[Region],
        today: date,
        proved_phone: str = "",
        has_password: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.proved_phone = proved_phone
        self.has_password = has_password
        self.fields["region"].choices = region_choices(regions)  # type: ignore[attr-defined]
        self.fields["code"].required = not proved_phone
        for name in ("password", "password_again"):
            self.fields[name].required = not has_password

    def clean_name(self) -> str:
        try:
            return read_name(self.cleaned_data["name"])
        except NameRefusedError as error:
            raise ValidationError(str(error), code="name") from None

    def clean_id_number(self) -> str:
        return clean_id_number(self.cleaned_data["id_number"], today=self.today)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        phone = data.get("phone")
        if phone and phone != self.proved_phone and not data.get("code"):
            self._add_missing("code")
        self._clean_passwords(data)
        return data

    def _clean_passwords(self, data: dict[str, Any]) -> None:
        password, again = data.get("password"), data.get("password_again")
        if not password and not again:
            return
        if password != again:
            self.add_error("password_again", "两次输入的密码不一致。")
            return
        candidate = Candidate(
            phone=data.get("phone") or "", id_number=data.get("id_number") or ""
        )
        try:
            refuse_weak_password(str(password), candidate)
        except ValidationError as error:
            self.add_error("password", error)

    def _add_missing(self, name: str) -> None:
        if name not in self.errors:
            self.add_error(name, self.fields[name].error_messages["required"])
