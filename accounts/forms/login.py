"""Forms of the ways in."""

from abc import abstractmethod
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms.captcha import CaptchaMixin
from accounts.forms.fields import (
    HELP_ON_PASSWORDS,
    CodeField,
    PasswordField,
    PhoneField,
)
from accounts.models import User
from accounts.rules.passwords import Candidate, refuse_weak_password


class LoginForm(CaptchaMixin):
    """Password login: the account may be a phone, a user name or an ID number."""

    account = forms.CharField(
        label="账号",
        max_length=60,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "spellcheck": "false",
                "placeholder": "手机号码 / 用户名 / 证件号码",
            }
        ),
        error_messages={"required": "请填写手机号码、用户名或证件号码。"},
    )
    password = PasswordField(label="密码", autocomplete="current-password")


class CodeLoginForm(CaptchaMixin):
    """Login by a code to the phone on file."""

    phone = PhoneField()
    code = CodeField()


class NewPasswordForm(forms.Form):
    """A new password, twice."""

    password = PasswordField(label="新密码", help_text=HELP_ON_PASSWORDS)
    password_again = PasswordField(label="确认新密码")

    @abstractmethod
    def whose(self) -> User | Candidate:
        """The person whose own data the password may not contain."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        password, again = data.get("password"), data.get("password_again")
        if not password or not again:
            return data
        if password != again:
            self.add_error("password_again", "两次输入的密码不一致。")
            return data
        try:
            refuse_weak_password(password, self.whose())
        except ValidationError as error:
            self.add_error("password", error)
        return data


class PasswordResetForm(NewPasswordForm, CaptchaMixin):
    """A new password by a code to the phone on file."""

    phone = PhoneField(help_text="注册时使用的手机号码。")
    code = CodeField()

    field_order = ("phone", "code", "password", "password_again")

    def whose(self) -> Candidate:
        return Candidate(phone=self.cleaned_data.get("phone", ""))


class PasswordChangeForm(NewPasswordForm):
    """A new password for somebody who knows the present one."""

    present = PasswordField(label="当前密码", autocomplete="current-password")

    field_order = ("present", "password", "password_again")

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def whose(self) -> User:
        return self.person

    def clean(self) -> dict[str, Any]:
        """A change to what it was would let a password of the staff grow as old as it likes."""
        data = super().clean()
        if data.get("password") and data["password"] == data.get("present"):
            self.add_error("password", "新密码不能与当前密码相同。")
        return data
