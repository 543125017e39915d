"""What buyers type about an invoice: shape and spelling only."""

from typing import Any

from django import forms

from orders.models import InvoiceRequest
from orders.rules import InvoiceDetails
from portal.lib.credit_codes import (
    CreditCodeError,
    is_old_taxpayer_number,
    normalise_credit_code,
    parse_credit_code,
)

Buyer = InvoiceRequest.Buyer


class InvoiceRequestForm(forms.Form):
    """To whom the invoice is made out (standards.md C6).

    An enterprise must give its credit code (公告2017年第16号); institutions and others may,
    and what they give is checked.
    """

    buyer_kind = forms.ChoiceField(
        label="抬头类型",
        choices=[
            (Buyer.ENTERPRISE, Buyer.ENTERPRISE.label),
            (Buyer.INSTITUTION, Buyer.INSTITUTION.label),
            (Buyer.PERSON, Buyer.PERSON.label),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择抬头类型。"},
    )
    title = forms.CharField(
        label="发票抬头",
        min_length=2,
        max_length=100,
        help_text="个人填写姓名；单位填写与营业执照或法人证书一致的全称。",
        error_messages={"required": "请填写发票抬头。"},
    )
    credit_code = forms.CharField(
        label="统一社会信用代码",
        max_length=40,
        required=False,
        help_text="企业必填；事业单位及其他选填，填写后将核对；个人无需填写。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    email = forms.EmailField(
        label="接收邮箱",
        max_length=254,
        required=False,
        help_text="选填，开具后发邮件提醒您登录下载。",
    )
    is_checked = forms.BooleanField(
        label="开票信息已与财务人员核实无误",
        error_messages={"required": "请先与贵单位财务人员核实开票信息。"},
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("buyer_kind") == Buyer.PERSON:
            cleaned["credit_code"] = ""
        elif cleaned.get("credit_code"):
            self._check_credit_code(cleaned)
        elif cleaned.get("buyer_kind") == Buyer.ENTERPRISE:
            self.add_error("credit_code", "企业抬头须填写统一社会信用代码。")
        return cleaned

    def _check_credit_code(self, cleaned: dict[str, Any]) -> None:
        text = cleaned["credit_code"]
        try:
            cleaned["credit_code"] = parse_credit_code(text).code
        except CreditCodeError as error:
            is_enterprise = cleaned.get("buyer_kind") == Buyer.ENTERPRISE
            if is_enterprise or not is_old_taxpayer_number(text):
                self.add_error("credit_code", str(error))
            else:
                cleaned["credit_code"] = normalise_credit_code(text)

    def get_details(self) -> InvoiceDetails:
        return InvoiceDetails(
            buyer_kind=self.cleaned_data["buyer_kind"],
            title=self.cleaned_data["title"],
            credit_code=self.cleaned_data["credit_code"],
            email=self.cleaned_data["email"],
        )
