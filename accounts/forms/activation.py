"""Forms of 首次登录."""

from datetime import date
from typing import Any

from django import forms

from accounts.forms.captcha import CaptchaMixin
from accounts.forms.fields import (
    HELP_ON_PASSWORDS,
    CodeField,
    PasswordField,
    clean_id_number,
)
from accounts.forms.login import NewPasswordForm
from accounts.models import User


class FirstLoginForm(CaptchaMixin):
    """ID number and first password, as the unit's coordinator passed them on."""

    id_number = forms.CharField(
        label="身份证号码",
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "num"}
        ),
        help_text="单位报送名单上的证件号码，末位X请大写。",
        error_messages={"required": "请填写身份证号码。"},
    )
    password = PasswordField(
        label="初始密码",
        autocomplete="off",
        help_text="由单位经办人通知，仅用于首次登录。",
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_id_number(self) -> str:
        return clean_id_number(self.cleaned_data["id_number"], today=self.today)


class ActivationForm(NewPasswordForm, CaptchaMixin):
    """The code by SMS, an own password, the consents and that what prints is right."""

    is_right = forms.BooleanField(
        label="以上信息与本人证件一致",
        error_messages={"required": "请核对以上信息；有误请联系单位经办人或在线客服。"},
    )
    code = CodeField()
    password = PasswordField(label="登录密码", help_text=HELP_ON_PASSWORDS)
    password_again = PasswordField(label="确认密码")
    agree_privacy = forms.BooleanField(
        label="隐私政策", error_messages={"required": "请阅读并同意隐私政策。"}
    )
    agree_sensitive = forms.BooleanField(
        label="敏感个人信息处理",
        error_messages={"required": "请阅读并单独同意处理您的敏感个人信息。"},
    )

    field_order = ("is_right", "code", "password", "password_again")

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def whose(self) -> User:
        return self.person
