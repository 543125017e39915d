"""Forms of claims: a fee voucher (缴费凭证表), a commitment letter (缴费承诺书)."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms.captcha import CaptchaMixin
from accounts.forms.fields import CodeField, clean_id_number
from accounts.forms.requests import HELP_ON_FILES, IdNumberField, ProofsField
from catalog.forms import YuanField
from catalog.models import Plan
from orders.errors import ClaimRefusedError
from orders.models import Claim
from orders.rules.claims import refuse_payment_day


def _text(label: str, *, longest: int, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=longest,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=help_text,
        error_messages={"required": f"请填写{label}。"},
    )


def _payment_day() -> forms.DateField:
    return forms.DateField(
        label="缴费时间",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": "请填写缴费时间。",
            "invalid": "请填写日期，如 2019-06-30。",
        },
    )


class ClaimForm(forms.Form):
    """Base of both: the year's plan, and `wanted`, which is what the service takes."""

    intro = ""
    wanted_names: ClassVar[tuple[str, ...]] = ()

    plan = forms.ChoiceField(
        label="缴费年度",
        error_messages={
            "required": "请选择缴费年度。",
            "invalid_choice": "该年度不受理缴费凭证，请重新选择。",
        },
    )

    def __init__(
        self, *args: Any, plans: Sequence[Plan], today: date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.plans = {plan.code: plan for plan in plans}
        field = self.fields["plan"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [
            ("", "请选择"),
            *((plan.code, f"{plan.year}年度　{plan.title}") for plan in plans),
        ]

    def clean_paid_on(self) -> date:
        paid_on: date = self.cleaned_data["paid_on"]
        try:
            refuse_payment_day(paid_on=paid_on, today=self.today)
        except ClaimRefusedError as error:
            raise ValidationError(str(error), code="paid_on") from None
        return paid_on

    @property
    def chosen_plan(self) -> Plan:
        return self.plans[self.cleaned_data["plan"]]

    @property
    def wanted(self) -> dict[str, str]:
        return {name: str(self.cleaned_data[name]) for name in self.wanted_names}

    @property
    def uploads(self) -> list[Any]:
        """Proof files, where the form asks for any."""
        return list(self.cleaned_data.get("proofs") or [])


class VoucherForm(ClaimForm):
    """缴费凭证表: the columns of the official form, for one year."""

    intro = (
        "已在其他网站缴费但未完成学习任务的，填写缴费信息并上传凭证，审核通过后免费补学。"
        "多个年度请分别填写。"
    )
    wanted_names = ("order_number", "payer", "paid_on", "amount_fen", "platform")

    order_number = _text(
        "订单编号", longest=64, help_text="原平台的订单编号或支付凭证上的商户单号。"
    )
    payer = _text("付款人", longest=60, help_text="个人姓名，或代为缴费的单位名称。")
    paid_on = _payment_day()
    amount_fen = YuanField(
        label="缴费金额（元）", error_messages={"required": "请填写缴费金额。"}
    )
    platform = _text("缴费平台", longest=60, help_text="原学习网站的名称或网址。")
    proofs = ProofsField(
        label="缴费证明材料",
        help_text=f"如缴费平台网页截图、支付记录截图。{HELP_ON_FILES}",
    )

    def __init__(self, *args: Any, needs_proofs: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["proofs"].required = needs_proofs
        if not needs_proofs:
            self.fields["proofs"].help_text += "不重新上传则沿用原有材料。"


class CommitmentForm(ClaimForm):
    """缴费承诺书: what fills the blanks of the letter; the rest is known of the account."""

    intro = "确已缴费但无法提供缴费凭证的，填写并签署缴费承诺书，审核通过后免费补学。"
    wanted_names = ("paid_on", "reason")

    paid_on = _payment_day()
    reason = _text(
        "无法提供缴费凭证的原因",
        longest=60,
        help_text="如：原平台已关闭，订单记录丢失。",
    )

    def __init__(self, *args: Any, needs_proofs: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def clean_reason(self) -> str:
        """It stands between 因 and 原因 of the letter."""
        reason: str = self.cleaned_data["reason"].strip("。；，,. ")
        if not reason:
            raise ValidationError("请填写无法提供缴费凭证的原因。", code="reason")
        return reason


class SignForm(CaptchaMixin):
    """The signature under a letter that was read: the own name, and a code to the phone."""

    understood = forms.BooleanField(
        label="我已阅读全文，知晓《缴费承诺书》将纳入本人诚信档案管理",
        error_messages={"required": "请确认已阅读承诺书全文。"},
    )
    signature = forms.CharField(
        label="承诺人签名",
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="请输入您的姓名，作为本人签名。",
        error_messages={"required": "请输入您的姓名签署。"},
    )
    code = CodeField()


FORMS: dict[str, type[ClaimForm]] = {
    Claim.Kind.VOUCHER: VoucherForm,
    Claim.Kind.COMMITMENT: CommitmentForm,
}


class _FromMail(ClaimForm):
    """The same by staff, for somebody whose letter came by mail: with the person's number."""

    id_number = IdNumberField(
        label="身份证号码", help_text="来信学员账号登记的证件号码。"
    )
    field_order = ("id_number", "plan")

    def clean_id_number(self) -> str:
        return clean_id_number(self.cleaned_data["id_number"], today=self.today)


class MailedVoucherForm(_FromMail, VoucherForm):
    intro = "登记邮寄或发送邮件的缴费凭证表。登记人不能审批该凭证。"


class MailedCommitmentForm(_FromMail, CommitmentForm):
    """Signed on paper: the scan is the signature."""

    intro = "登记邮寄或发送邮件的缴费承诺书，须有本人亲笔签名。登记人不能审批该承诺书。"
    proofs = ProofsField(
        label="承诺书扫描件", help_text=f"有本人亲笔签名和时间。{HELP_ON_FILES}"
    )


MAILED_FORMS: dict[str, type[_FromMail]] = {
    Claim.Kind.VOUCHER: MailedVoucherForm,
    Claim.Kind.COMMITMENT: MailedCommitmentForm,
}
