"""Forms of what an owner does with the account: another phone, an end, a copy of the data."""

from typing import Any

from django import forms

from accounts.forms.captcha import CaptchaMixin
from accounts.forms.fields import CodeField, PasswordField, PhoneField
from accounts.models import User


class PhoneChangeForm(CaptchaMixin):
    """The own password, or a code to the old phone; and a code to the new one."""

    password = PasswordField(
        label="登录密码",
        autocomplete="current-password",
        required=False,
        help_text="忘记密码时，可改用原手机号码接收验证码。",
    )
    old_code = CodeField(required=False)
    phone = PhoneField(label="新手机号码")
    code = CodeField()

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["old_code"].label = "原手机短信验证码"
        self.fields["code"].label = "新手机短信验证码"

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        if phone == self.person.phone:
            raise forms.ValidationError("新手机号码与当前手机号码相同。", code="same")
        return phone

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("password") and not data.get("old_code"):
            self.add_error("password", "请填写登录密码，或原手机号码收到的验证码。")
        return data


class ClosingForm(CaptchaMixin):
    """注销账号: understood, and confirmed by password and code."""

    password = PasswordField(label="登录密码", autocomplete="current-password")
    code = CodeField()
    understood = forms.BooleanField(
        label="我已了解注销后果，确认注销账号",
        error_messages={"required": "请确认已了解注销后果。"},
    )


class ExportForm(forms.Form):
    """导出我的数据."""

    password = PasswordField(label="登录密码", autocomplete="current-password")
