"""What buyers and staff type about a refund: shape and spelling only."""

from collections.abc import Sequence
from typing import Any

from django import forms

_REASON = forms.Textarea(attrs={"rows": 3, "maxlength": 200})


def _offer_codes(form: forms.Form, codes: int) -> None:
    """Offer as many activation codes as nobody has; no field for orders without any."""
    if codes == 0:
        del form.fields["count"]
        return
    field = form.fields["count"]
    field.initial = codes
    field.widget.attrs |= {"max": codes, "inputmode": "numeric"}
    field.help_text = (
        f"未赠送、未使用的激活码还有 {codes} 个；退款通过时，退回的激活码作废。"
    )


class RefundForm(forms.Form):
    """A buyer's wish. `seats` offers single people where there are several, `codes` a number
    of activation codes."""

    WHOLE, SEATS = "whole", "seats"

    scope = forms.ChoiceField(
        label="退款范围",
        choices=[(WHOLE, "整单退款"), (SEATS, "只退所选人员")],
        widget=forms.RadioSelect,
        initial=WHOLE,
    )
    seats = forms.TypedMultipleChoiceField(
        label="人员",
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "所选人员已退款或正在退款，请重新选择。"},
    )
    count = forms.IntegerField(label="退回数量（个）", min_value=1)
    reason = forms.CharField(
        label="退款原因",
        max_length=200,
        widget=_REASON,
        error_messages={"required": "请填写退款原因。"},
    )

    def __init__(
        self,
        *args: Any,
        seats: Sequence[tuple[int, str]] = (),
        may_whole: bool = True,
        codes: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        _offer_codes(self, codes)
        if not seats:
            del self.fields["scope"], self.fields["seats"]
            return
        self.fields["seats"].choices = seats  # type: ignore[attr-defined]
        if not may_whole:
            del self.fields["scope"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        by_seat = "seats" in self.fields and (
            cleaned.get("scope", self.SEATS) == self.SEATS
        )
        if by_seat and not cleaned.get("seats") and "seats" not in self.errors:
            self.add_error("seats", "请至少选择一人。")
        return cleaned

    def get_line_ids(self) -> list[int] | None:
        """The chosen lines; None for everything that is left."""
        if "seats" not in self.fields:
            return None
        if self.cleaned_data.get("scope") == self.WHOLE:
            return None
        chosen: list[int] = self.cleaned_data["seats"]
        return chosen


class StaffRefundForm(forms.Form):
    """A refund that staff begin for a whole order, for people named by user name, or for some
    of an order's unused activation codes."""

    people = forms.CharField(
        label="只退部分人员",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="每行填写一个用户名；留空为整单退款。",
    )
    count = forms.IntegerField(label="退回激活码数量（个）", min_value=1)
    reason = forms.CharField(label="退款原因", max_length=200, widget=_REASON)
    override_reason = forms.CharField(
        label="超出退款规则的理由",
        max_length=200,
        required=False,
        widget=_REASON,
        help_text="仅在超出退款规则时填写；填写后须由另一名工作人员审批。",
    )

    def __init__(self, *args: Any, codes: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_codes(self, codes)
        if codes:
            del self.fields["people"]

    def get_usernames(self) -> list[str]:
        """The user names, each once; empty for the whole order."""
        return list(dict.fromkeys(self.cleaned_data.get("people", "").split()))


class RefundDecisionForm(forms.Form):
    reason = forms.CharField(
        label="说明",
        max_length=200,
        required=False,
        widget=_REASON,
        help_text="除“通过”和“重新发起”外必填；不予通过的说明购买人可见。",
    )


class BillRequestForm(forms.Form):
    """Which bill finance want read."""

    gateway = forms.ChoiceField(label="支付方式")
    day = forms.DateField(
        label="账单日",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(
        self, *args: Any, gateways: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["gateway"].choices = gateways  # type: ignore[attr-defined]
