"""Forms of the admin."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from accounts.errors import UsernameRefusedError
from accounts.forms.fields import PasswordField, ReasonField
from accounts.models import Unit, UnitAppointment, User
from accounts.rules.passwords import Candidate, refuse_weak_password
from accounts.rules.roles import find_role_conflict
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

    reason = ReasonField(
        label="查看理由",
        min_length=4,
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="例如：核对学员来电反映的证件号码问题。理由将记入审计记录，请勿填写号码。",
    )


class AppointmentForm(forms.ModelForm):
    """Who is to act for which unit: only people who can log in, for units in use."""

    class Meta:
        model = UnitAppointment
        fields = ("unit", "person")

    def clean_unit(self) -> Unit:
        unit: Unit = self.cleaned_data["unit"]
        if not unit.is_active:
            raise ValidationError("该单位已停用。")
        return unit

    def clean_person(self) -> User:
        person: User = self.cleaned_data["person"]
        if person.is_staff or not person.may_log_in:
            raise ValidationError("只能指定已激活、可登录的学员账号。")
        return person


class EndingForm(forms.Form):
    """Why staff end somebody's appointment."""

    reason = ReasonField(
        label="原因",
        min_length=4,
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="例如：单位来函更换经办人。原因将记入审计记录，请勿填写号码。",
    )


class RightsForm(forms.ModelForm):
    """What an account may do: roles that are apart stay apart."""

    def clean_groups(self) -> QuerySet[Group]:
        groups: QuerySet[Group] = self.cleaned_data["groups"]
        conflict = find_role_conflict([group.name for group in groups])
        if conflict:
            raise ValidationError(conflict)
        return groups


class StaffForm(RightsForm):
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

    reason = ReasonField(
        label="重置理由",
        min_length=4,
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="例如：手机丢失，已当面核实本人。理由将记入审计记录，请勿填写号码。",
    )
