"""Forms of 单位工作台."""

from django import forms

from accounts.forms.fields import PhoneField


class InvitationForm(forms.Form):
    """The phone of a colleague who is to act for the unit as well."""

    phone = PhoneField(
        help_text="对方将收到一条含链接的短信，7天内有效；须用该手机号码注册或登录后接受。"
    )


class MemberSearchForm(forms.Form):
    """Part of a name, and which of the members."""

    ACTIVE, PENDING = "active", "pending"

    q = forms.CharField(label="姓名", max_length=40, required=False)
    state = forms.ChoiceField(
        label="账号状态",
        required=False,
        choices=[("", "全部"), (ACTIVE, "已激活"), (PENDING, "未激活")],
    )
