"""What buyers and users of activation codes fill in."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms.lists import SheetField
from orders.forms.checkout import CheckoutForm
from orders.rules import CARDS_A_SHEET, MOST_ROWS


class CodesCheckoutForm(CheckoutForm):
    """How many codes, and the questions of every checkout."""

    quantity = forms.IntegerField(
        label="购买数量",
        min_value=1,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "required": "请填写购买数量。",
            "invalid": "购买数量请填写整数。",
            "min_value": "购买数量至少为 1。",
        },
    )

    def __init__(self, *args: Any, most: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["quantity"]
        field.help_text = f"每名学员一个激活码，一次最多购买 {most} 个。"
        field.widget.attrs |= {"max": most, "data-quantity": ""}
        self.most = most

    def clean_quantity(self) -> int:
        quantity: int = self.cleaned_data["quantity"]
        if quantity > self.most:
            raise ValidationError(f"一次最多购买 {self.most} 个激活码。")
        return quantity


class RecipientForm(forms.Form):
    """Whom a code is for: an account, a name, or both."""

    account = forms.CharField(
        label="用户名、手机号码或身份证号码",
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(
        label="姓名",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("account") and not cleaned.get("name"):
            raise ValidationError("请填写待赠送人员的账号和姓名。")
        return cleaned


class RedeemForm(forms.Form):
    """A code from paper; its spelling is the service's."""

    code = forms.CharField(
        label="激活码",
        max_length=60,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "placeholder": "XXXX-XXXX-XXXX-XXXX-XXXX",
                "data-code": "",
            }
        ),
        help_text="共20位，不分大小写，短横线可不输入。",
        error_messages={"required": "请输入激活码。"},
    )


class PrintForm(forms.Form):
    """How many cards, or which printing once more."""

    count = forms.IntegerField(
        min_value=1, max_value=CARDS_A_SHEET, required=False, initial=CARDS_A_SHEET
    )
    again = forms.CharField(required=False, max_length=40)

    def clean_again(self) -> datetime | None:
        text = self.cleaned_data["again"]
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValidationError("没有这一次打印。") from None
        if moment.tzinfo is None:
            raise ValidationError("没有这一次打印。")
        return moment


class ImportForm(forms.Form):
    """A sheet of people."""

    file = SheetField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "file"
        ].help_text = f"由模板填写的 .xlsx 文件，不超过 5 MB、{MOST_ROWS} 人。"
