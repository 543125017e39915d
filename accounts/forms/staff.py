"""Forms of the admin."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.errors import UsernameRefusedError
from accounts.forms.fields import PasswordField
from accounts.models import Unit, User
from accounts.rules.passwords import Candidate, refuse_weak_password
from accounts.rules.usernames import read_username
from portal.lib.credit_codes import CreditCodeError, parse_credit_code


class NumberForm(forms.Form):
    """A full ID number or phone, sent by POST so that it stands in no address."""

    number = forms.CharField(
        label="证件号码或手机号码",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ReasonForm(forms.Form):
    """Why somebody's full numbers are looked at."""

    reason = forms.CharField(
        label="查看理由",
        min_length=4,
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="例如：核对学员来电反映的证件号码问题。理由将记入审计记录，请勿填写号码。",
    )


class EndingForm(forms.Form):
    """Why staff end somebody's appointment."""

    reason = forms.CharField(
        label="原因",
        min_length=4,
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="例如：单位来函更换经办人。原因将记入审计记录，请勿填写号码。",
    )


class StaffForm(forms.ModelForm):
    """A colleague's new account."""

    password = PasswordField(label="初始密码", help_text="至少12个字符。")

    class Meta:
        model = User
        fields = ("username", "name", "email", "groups")
        widgets = {"groups": forms.CheckboxSelectMultiple}
        help_texts = {"groups": "角色决定可使用的管理功能。"}
        labels = {"groups": "角色"}

    def clean_username(self) -> str:
        try:
            return read_username(self.cleaned_data["username"])
        except UsernameRefusedError as error:
            raise ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        candidate = Candidate(username=data.get("username") or "", is_staff=True)
        try:
            refuse_weak_password(data.get("password") or "", candidate)
        except ValidationError as error:
            self.add_error("password", error)
        return data


class UnitForm(forms.ModelForm):
    """A work unit; its credit code is checked, and empty is none."""

    # Longer than the column: people paste it in groups of four.
    credit_code = forms.CharField(
        label="统一社会信用代码", required=False, max_length=40
    )

    class Meta:
        model = Unit
        fields = ("name", "region", "credit_code", "is_active")

    def clean_credit_code(self) -> str | None:
        text = self.cleaned_data["credit_code"]
        if not text:
            return None
        try:
            return parse_credit_code(text).code
        except CreditCodeError as error:
            raise ValidationError(str(error)) from None


class ResetForm(forms.Form):
    """Why a colleague's second factor is taken away."""

    reason = forms.CharField(
        label="重置理由",
        min_length=4,
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="例如：手机丢失，已当面核实本人。理由将记入审计记录，请勿填写号码。",
    )
