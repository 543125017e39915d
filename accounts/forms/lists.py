"""Forms about registration lists."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from accounts.forms.fields import ReasonField
from accounts.models import Unit
from accounts.rules.lists import MAX_BYTES, MAX_ROWS

# Every .xlsx is a zip file; what is in it, the worker finds out.
ZIP_MAGIC = b"PK\x03\x04"
NOT_XLSX = "请上传 .xlsx 文件；旧版 .xls 或加密的文件请先另存为不加密的 .xlsx。"


class SheetField(forms.FileField):
    """An .xlsx file of at most 5 MB; what it holds is checked by the worker."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"accept": ".xlsx", "data-max-bytes": str(MAX_BYTES)}
        super().__init__(
            label="名单文件",
            widget=forms.FileInput(attrs=attrs),
            help_text=f"由模板填写的 .xlsx 文件，不超过 5 MB、{MAX_ROWS} 人。",
            error_messages={
                "required": "请选择名单文件。",
                "empty": "文件是空的，请重新选择。",
            },
            **kwargs,
        )

    def clean(self, data: Any, initial: Any = None) -> UploadedFile | None:
        file: UploadedFile | None = super().clean(data, initial)
        if not file:
            return None
        if file.size is None or file.size > MAX_BYTES:
            raise ValidationError("文件超过 5 MB，请拆分后上传。")
        beginning = file.read(len(ZIP_MAGIC))
        file.seek(0)
        if beginning != ZIP_MAGIC:
            raise ValidationError(NOT_XLSX)
        return file


class UploadForm(forms.Form):
    """A coordinator's upload."""

    file = SheetField()
    reply_mail = forms.EmailField(
        label="回复邮箱",
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text="办结后将结果表发到此邮箱；不填则只在本页下载。",
    )


class SubmitForm(forms.Form):
    """The choice to leave out rows with problems, and that the names were compared."""

    leaves_out_invalid = forms.BooleanField(label="先登记正确的人员", required=False)
    is_checked = forms.BooleanField(
        label="我已核对名单：姓名、证件号码与证件一致，单位名称无误，均为本单位人员。",
        error_messages={"required": "请核对名单并勾选。"},
    )


class ApproveForm(forms.Form):
    """That staff compared the list with what they know of the unit."""

    is_checked = forms.BooleanField(
        label="已核对单位、联系人和名单内容",
        error_messages={"required": "请核对后勾选。"},
    )


class ReturnForm(forms.Form):
    """Why a list goes back."""

    reason = ReasonField(
        label="退回原因",
        min_length=4,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="经办人将看到此原因；请勿填写证件号码、手机号码。",
    )


class LetterForm(forms.Form):
    """A list that came by mail, uploaded by staff."""

    unit = forms.ModelChoiceField(
        label="单位", queryset=Unit.objects.filter(is_active=True).order_by("name")
    )
    file = SheetField()
    reply_mail = forms.EmailField(label="回复邮箱", help_text="办理结果发到此邮箱。")
    received_at = forms.DateTimeField(
        label="来信时间",
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
        help_text="办理时限从来信时间起算。",
    )

    def clean_received_at(self) -> datetime:
        received: datetime = self.cleaned_data["received_at"]
        if received > timezone.now():
            raise ValidationError("来信时间不能晚于现在。")
        return received
