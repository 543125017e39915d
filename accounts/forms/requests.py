"""Forms of requests: what is asked for, its proof pictures, and the decision of staff."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.errors import NameRefusedError
from accounts.forms.fields import (
    CodeField,
    PhoneField,
    ReasonField,
    RegionField,
    UnitNameField,
    clean_id_number,
    region_choices,
)
from accounts.models import PersonRequest, Region
from accounts.rules.names import read_name
from accounts.rules.proofs import MAX_FILES
from portal.lib.credit_codes import CreditCodeError, parse_credit_code

Kind = PersonRequest.Kind
ACCEPTED = ".jpg,.jpeg,.png,.webp,.pdf,image/jpeg,image/png,image/webp,application/pdf"


class ManyFilesInput(forms.FileInput):
    allow_multiple_selected = True


class ProofsField(forms.FileField):
    """Several files; its value is the list of uploads, read by the service alone."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "证明材料")
        super().__init__(widget=ManyFilesInput(attrs={"accept": ACCEPTED}), **kwargs)
        self.error_messages["required"] = "请上传证明材料。"
        self.error_messages["empty"] = "上传的文件是空的，请重新选择。"

    def clean(self, data: Any, initial: Any = None) -> Any:
        uploads = [each for each in data or [] if each]
        if not uploads:
            return [] if not self.required else super().clean(None, initial)
        if len(uploads) > MAX_FILES:
            raise ValidationError(f"最多上传{MAX_FILES}个文件。", code="too_many")
        return [super(ProofsField, self).clean(each, initial) for each in uploads]


HELP_ON_FILES = (
    f"JPG、PNG、WebP图片或PDF，每个不超过8 MB，最多{MAX_FILES}个，可一次选择多个。"
)


class RequestForm(forms.Form):
    """Base of the forms of the four kinds; `wanted` is what the service takes."""

    intro = ""
    wanted_names: tuple[str, ...] = ()
    proofs = ProofsField()

    def __init__(
        self, *args: Any, today: date, needs_proofs: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["proofs"].required = needs_proofs
        if not needs_proofs:
            self.fields["proofs"].help_text += "不重新上传则沿用原有材料。"
        self.order_fields(
            [*(name for name in self.fields if name != "proofs"), "proofs"]
        )

    @property
    def wanted(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in self.wanted_names}


class NameField(forms.CharField):
    """A name as an identity card carries it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=60,
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
            **kwargs,
        )
        self.error_messages["required"] = "请填写姓名。"

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return read_name(text)
        except NameRefusedError as error:
            raise ValidationError(str(error), code="name") from None


class IdNumberField(forms.CharField):
    """An ID number in whatever spelling; checked by the form, which knows today."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"autocomplete": "off", "spellcheck": "false", "class": "num"}
        super().__init__(max_length=40, widget=forms.TextInput(attrs=attrs), **kwargs)
        self.error_messages["required"] = "请填写证件号码。"


class _NumberForm(RequestForm):
    def clean_id_number(self) -> str:
        return clean_id_number(self.cleaned_data["id_number"], today=self.today)


class NameChangeForm(RequestForm):
    """A name that is another on the identity card by now, or was entered wrong."""

    intro = "姓名与身份证不一致时，请上传证明材料申请变更，由工作人员审核后更改。"
    wanted_names = ("name",)
    name = NameField(label="变更后的姓名", help_text="与身份证一致。")
    proofs = ProofsField(
        help_text=f"身份证正反面；曾用名变更的，另附户口簿或公安机关证明。{HELP_ON_FILES}"
    )


class NumberChangeForm(_NumberForm):
    """An ID number that was entered wrong, or that the police changed."""

    intro = (
        "证件号码登记有误或已变更时，请上传证明材料申请变更，由两名工作人员审核后更改。"
    )
    wanted_names = ("id_number",)
    id_number = IdNumberField(
        label="变更后的证件号码",
        help_text="居民身份证、港澳台居民居住证或外国人永久居留身份证号码。",
    )
    proofs = ProofsField(
        help_text=f"身份证正反面；号码由公安机关更改的，另附户口簿或证明。{HELP_ON_FILES}"
    )


class AppointmentForm(RequestForm):
    """A person whom a unit names as the one to act for it."""

    intro = (
        "单位经办人可以批量注册本单位人员、团体购买培训项目、查看本单位学习进度。请上传加盖单位公章的"
        "介绍信或授权书。"
    )
    wanted_names = ("region", "unit_name", "credit_code")
    region = RegionField()
    unit_name = UnitNameField()
    # Longer than the code: people paste it in groups of four.
    credit_code = forms.CharField(
        label="统一社会信用代码",
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "num"}
        ),
        help_text="18位，见单位营业执照或法人证书。",
        error_messages={"required": "请填写统一社会信用代码。"},
    )
    proofs = ProofsField(
        label="介绍信",
        help_text=f"写明经办人姓名和办理事项，加盖单位公章。{HELP_ON_FILES}",
    )

    def __init__(self, *args: Any, regions: Iterable[Region], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].choices = region_choices(regions)  # type: ignore[attr-defined]
        self.fields["region"].help_text = "单位所在区县；市级单位请选择相应系统。"
        self.fields["unit_name"].help_text = "与单位公章一致的全称。"

    def clean_credit_code(self) -> str:
        try:
            return parse_credit_code(self.cleaned_data["credit_code"]).code
        except CreditCodeError as error:
            raise ValidationError(str(error), code="credit_code") from None


class LostPhoneForm(_NumberForm):
    """An account whose phone is out of use, told by somebody who cannot log in."""

    wanted_names = ("name", "id_number", "phone", "contact")
    name = NameField(label="姓名", help_text="账号登记的姓名。")
    id_number = IdNumberField(label="证件号码", help_text="账号登记的证件号码。")
    phone = PhoneField(label="新手机号码", help_text="审核通过后，账号改用此号码。")
    code = CodeField()
    contact = forms.CharField(
        label="其他联系方式",
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="选填，如单位电话或电子邮箱，便于工作人员核实。",
    )
    proofs = ProofsField(
        help_text=f"身份证正反面照片，以及本人手持身份证的照片。{HELP_ON_FILES}"
    )


class DeskPhoneForm(RequestForm):
    """The same, taken down by staff from somebody whose account they opened."""

    intro = "学员当面或来函申请变更手机号码时登记，须由两名工作人员先后审核。"
    wanted_names = ("phone", "contact")
    phone = PhoneField(label="新手机号码")
    contact = LostPhoneForm.base_fields["contact"]
    proofs = ProofsField(
        help_text=f"身份证正反面照片，以及本人手持身份证的照片。{HELP_ON_FILES}"
    )


class PhoneStateForm(forms.Form):
    """Where a request about a lost phone stands: by its number and a code to the new phone."""

    reference = forms.CharField(
        label="受理编号",
        max_length=30,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "class": "num",
            }
        ),
        help_text="提交时显示的16位编号，也在受理通知短信中。",
        error_messages={"required": "请填写受理编号。"},
    )
    phone = PhoneField(label="新手机号码", help_text="提交申请时验证的手机号码。")
    code = CodeField()

    def clean_reference(self) -> str:
        text = self.cleaned_data["reference"]
        return "".join(each for each in text.upper() if each.isalnum())


class DecisionForm(forms.Form):
    """What staff decide; `version` is that of the request they looked at."""

    APPROVE, RETURN, REFUSE = "approve", "return", "refuse"
    decision = forms.ChoiceField(
        choices=[(APPROVE, "通过"), (RETURN, "退回补充"), (REFUSE, "不予通过")]
    )
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    reason = ReasonField(
        label="退回或不通过的原因",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="申请人会看到，请写明缺少什么或哪里不一致；不要填写证件号码和手机号码。",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        is_approval = data.get("decision") == self.APPROVE
        if not is_approval and not (data.get("reason") or "").strip():
            self.add_error("reason", "请填写原因，申请人凭此补充材料。")
        return data


FORMS: dict[str, type[RequestForm]] = {
    Kind.NAME_CHANGE: NameChangeForm,
    Kind.NUMBER_CHANGE: NumberChangeForm,
    Kind.APPOINTMENT: AppointmentForm,
}


def build_request_form(
    kind: str, *args: Any, today: date, regions: Iterable[Region], **kwargs: Any
) -> RequestForm:
    """The form of a kind; only one of them asks for the regions."""
    form = FORMS[kind]
    if issubclass(form, AppointmentForm):
        return form(*args, today=today, regions=regions, **kwargs)
    return form(*args, today=today, **kwargs)
