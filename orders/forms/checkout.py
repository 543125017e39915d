"""What buyers type: shape and spelling only."""

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


class CheckoutForm(forms.Form):
    """Entry one asks about the invoice at checkout; the other entry does not."""

    NOW, LATER = "now", "later"

    invoice = forms.ChoiceField(
        label="发票",
        choices=[(NOW, "立即申请"), (LATER, "以后申请")],
        widget=forms.RadioSelect,
        initial=LATER,
        error_messages={"required": "请选择立即申请或以后申请发票。"},
    )
    buyer_kind = forms.ChoiceField(
        label="抬头类型",
        choices=[
            (Buyer.PERSON, Buyer.PERSON.label),
            (Buyer.ENTERPRISE, Buyer.ENTERPRISE.label),
            (Buyer.INSTITUTION, Buyer.INSTITUTION.label),
        ],
        widget=forms.RadioSelect,
        initial=Buyer.PERSON,
        required=False,
    )
    title = forms.CharField(
        label="发票抬头",
        max_length=100,
        required=False,
        help_text="个人填写姓名，单位填写与营业执照或法人证书一致的全称。",
    )
    credit_code = forms.CharField(
        label="统一社会信用代码",
        max_length=40,
        required=False,
        help_text="企业必填，18位；事业单位及其他选填，填写后将核对。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label="接收邮箱",
        max_length=254,
        required=False,
        help_text="选填，开具后发邮件提醒您登录下载。",
    )
    # What the buyer saw. Left out, it is no price, and the buyer is asked again.
    shown_fen = forms.IntegerField(required=False, widget=forms.HiddenInput)
    agreement = forms.BooleanField(
        label="我已核对以上信息，并阅读和同意《购买须知》",
        error_messages={"required": "请先阅读并同意《购买须知》。"},
    )

    def __init__(self, *args: Any, asks_invoice: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asks_invoice = asks_invoice
        if not asks_invoice:
            for name in ("invoice", "buyer_kind", "title", "credit_code", "email"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("invoice") == self.NOW:
            self._check_invoice(cleaned)
        return cleaned

    def get_shown_fen(self) -> int:
        return self.cleaned_data["shown_fen"] or 0

    def add_price_change(self, message: str) -> None:
        """Say that the price is another one; what was agreed to is not agreed to any more."""
        self.add_error(None, message)
        self.data = {
            name: value for name, value in self.data.items() if name != "agreement"
        }

    def get_invoice(self) -> InvoiceDetails | None:
        """Return what the invoice is to say, None when it is asked for later."""
        cleaned = self.cleaned_data
        if cleaned.get("invoice") != self.NOW:
            return None
        return InvoiceDetails(
            buyer_kind=cleaned["buyer_kind"],
            title=cleaned["title"],
            credit_code=cleaned["credit_code"],
            email=cleaned["email"],
        )

    def _check_invoice(self, cleaned: dict[str, Any]) -> None:
        if not cleaned.get("buyer_kind"):
            self.add_error("buyer_kind", "请选择抬头类型。")
        if "title" in cleaned and not cleaned["title"]:
            self.add_error("title", "请填写发票抬头。")
        if cleaned.get("buyer_kind") == Buyer.PERSON:
            cleaned["credit_code"] = ""
        elif "credit_code" in cleaned:
            self._check_credit_code(cleaned)

    def _check_credit_code(self, cleaned: dict[str, Any]) -> None:
        """Only an enterprise must give one (国家税务总局公告2017年第16号); others may."""
        text = cleaned["credit_code"]
        is_enterprise = cleaned.get("buyer_kind") == Buyer.ENTERPRISE
        if not text:
            if is_enterprise:
                self.add_error("credit_code", "企业抬头须填写统一社会信用代码。")
            return
        try:
            cleaned["credit_code"] = parse_credit_code(text).code
        except CreditCodeError as error:
            if is_enterprise or not is_old_taxpayer_number(text):
                self.add_error("credit_code", str(error))
            else:
                cleaned["credit_code"] = normalise_credit_code(text)


class PayForm(forms.Form):
    """Which gateway to pay at; the choices are what is configured."""

    gateway = forms.ChoiceField(
        label="支付方式",
        widget=forms.RadioSelect,
        error_messages={
            "required": "请选择支付方式。",
            "invalid_choice": "请选择支付方式。",
        },
    )

    def __init__(
        self,
        *args: Any,
        gateways: list[tuple[str, str]],
        last_used: str = "",
        **kwargs: Any,
    ) -> None:
        """`last_used` is chosen beforehand where it is still offered."""
        super().__init__(*args, **kwargs)
        field = self.fields["gateway"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = gateways
        codes = [code for code, _ in gateways]
        if codes:
            field.initial = last_used if last_used in codes else codes[0]
