"""What who buys for a group fills in: shape only; what it holds is checked by the worker."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms.lists import SheetField
from accounts.models import Unit

# Ten thousand lines of number and name, with room for what is pasted along.
LONGEST_PASTE = 1_000_000


class GroupForm(forms.Form):
    """People for whom a plan is to be bought: pasted, or as a sheet."""

    unit = forms.ModelChoiceField(
        label="购买单位",
        queryset=Unit.objects.none(),
        to_field_name="code",
        empty_label=None,
        error_messages={
            "required": "请选择购买单位。",
            "invalid_choice": "请选择购买单位。",
        },
    )
    numbers = forms.CharField(
        label="身份证号码",
        required=False,
        strip=False,
        max_length=LONGEST_PASTE,
        widget=forms.Textarea(
            attrs={
                "rows": 12,
                "autocomplete": "off",
                "spellcheck": "false",
                "data-group-numbers": "",
            }
        ),
        help_text="每行一人，只粘贴身份证号码即可；也可在号码前后填写姓名，姓名与账号一致时会显示具体原因。",
        error_messages={"max_length": "内容过长，请分几次提交。"},
    )
    file = SheetField(required=False)
    keeps_free = forms.BooleanField(label="保留上次可购买的人员", required=False)

    def __init__(
        self, *args: Any, units: list[Unit], is_correction: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        unit = self.fields["unit"]
        assert isinstance(unit, forms.ModelChoiceField)  # noqa: S101 - declared above
        unit.queryset = Unit.objects.filter(pk__in=[each.pk for each in units])
        if len(units) == 1:
            unit.initial = units[0].code
            unit.widget = forms.HiddenInput()
        if not is_correction:
            del self.fields["keeps_free"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        has_text, has_file = bool(cleaned["numbers"].strip()), bool(cleaned["file"])
        if has_text and has_file:
            raise ValidationError("请选择一种方式：粘贴号码或上传表格。")
        if not has_text and not has_file:
            self.add_error("numbers", "请粘贴身份证号码，或上传填写好的表格。")
        return cleaned

    @property
    def is_sheet(self) -> bool:
        return bool(self.cleaned_data["file"])

    def read_content(self) -> bytes:
        """The pasted text or the file as it is handed in."""
        if self.is_sheet:
            content: bytes = self.cleaned_data["file"].read()
            return content
        text: str = self.cleaned_data["numbers"]
        return text.encode()
