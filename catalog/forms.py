"""Shape and spelling of what staff enter."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import FileExtensionValidator
from django.utils import timezone

from accounts.models import User
from catalog.errors import (
    PriceRefusedError,
    UploadIncompleteError,
    UploadRefusedError,
)
from catalog.models import Chapter, Plan, PlanPrice, Question, Video
from catalog.queries import get_upload
from catalog.rules import VIDEO_EXTENSIONS, refuse_price
from catalog.rules.moments import EXAMPLE, read_moment, write_moment
from catalog.rules.question_sheets import MOST_ROWS
from portal.lib.captions import LARGEST_CAPTIONS, CaptionsError, check_captions
from portal.lib.money import parse_yuan

MIN_OPTIONS = 2
LARGEST_SHEET = 5 * 1024 * 1024


class YuanField(forms.CharField):
    """An amount in yuan, as staff write it; its value is whole fen."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=12, **kwargs)

    def clean(self, value: Any) -> int:
        try:
            return parse_yuan(super().clean(value))
        except ValueError as error:
            raise ValidationError("请填写金额，最多两位小数，例如 1.10") from error


class PlanForm(forms.ModelForm):
    class Meta:
        model = Plan
        fields = [
            *("code", "title", "year", "subject", "field", "entry", "summary"),
            *("hours", "required_credits", "compulsory_credits", "elective_credits"),
            *("training_start", "training_end", "sale_start", "sale_end"),
            *("sells_codes", "accepts_claims", "fastest_speed"),
        ]
        help_texts: ClassVar[dict[str, str]] = {
            "accepts_claims": (
                "往年度计划：曾在其他平台缴费的学员，凭缴费凭证或承诺书审核通过后免费补学"
            ),
            "fastest_speed": "只用于复习已学部分；未学部分始终按 1 倍速播放和计时",
        }


class PlanPriceForm(forms.ModelForm):
    """A price from a day on. The first of a plan, too, is a row of its history."""

    unit_price = YuanField(label="单价（元）", help_text="按学时计价时为每学时的价格")

    class Meta:
        model = PlanPrice
        fields = ["valid_from", "pricing", "reason"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # A plan that is just being added has no key yet.
        plan: Plan | None = getattr(self.instance, "plan", None)
        if "valid_from" in cleaned and "unit_price" in cleaned:
            try:
                refuse_price(
                    valid_from=cleaned["valid_from"],
                    unit_price_fen=cleaned["unit_price"],
                    is_published=plan is not None and plan.is_published,
                    today=timezone.localdate(),
                )
            except PriceRefusedError as error:
                raise ValidationError(error.message) from None
            self.instance.unit_price_fen = cleaned["unit_price"]
        return cleaned


class MomentField(forms.CharField):
    """A moment of a video as `03:20`; its value is whole milliseconds, None when empty."""

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return read_moment(text)
        except ValueError as error:
            raise ValidationError(f"请填写分:秒，例如 {EXAMPLE}") from error

    def prepare_value(self, value: Any) -> Any:
        return write_moment(value) if isinstance(value, int) else value


class QuestionForm(forms.ModelForm):
    shown_at_ms = MomentField(
        label="出现时间",
        required=False,
        max_length=8,
        help_text="分:秒，题目所问内容此时已在画面上或讲到；学员看到这里后优先出题",
    )

    class Meta:
        model = Question
        fields = ["course", "chapter", "shown_at_ms", "stem", "is_active"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chapter, course = cleaned.get("chapter"), cleaned.get("course")
        if chapter and course and chapter.course_id != course.pk:
            self.add_error("chapter", "该章节不属于所选课程")
        moment = cleaned.get("shown_at_ms")
        if moment is not None:
            self._check_moment(moment, chapter)
        return cleaned

    def _check_moment(self, moment: int, chapter: Chapter | None) -> None:
        video = chapter.video if chapter else None
        if chapter is None:
            self.add_error("shown_at_ms", "填写出现时间须同时选择章节")
        elif video and video.duration_ms and moment >= video.duration_ms:
            end = write_moment(video.duration_ms)
            self.add_error("shown_at_ms", f"超出章节视频的时长（{end}）")


class QuestionSheetForm(forms.Form):
    file = forms.FileField(
        label="题目表",
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
        help_text=f"由模板填写的 .xlsx 文件，不超过 5 MB、{MOST_ROWS} 题",
        error_messages={"required": "请选择题目表", "empty": "文件是空的"},
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if file.size is None or file.size > LARGEST_SHEET:
            raise ValidationError("文件超过 5 MB，请拆分后上传")
        return file


class OptionFormSet(forms.BaseInlineFormSet):
    """The options of a question: two or more different ones, exactly one of them right."""

    def clean(self) -> None:
        super().clean()
        rows = [
            form.cleaned_data
            for form in self.forms
            if form.is_valid() and form.cleaned_data and not self._is_removed(form)
        ]
        texts = [row["text"].strip() for row in rows]
        if len(texts) < MIN_OPTIONS:
            raise ValidationError(f"至少填写 {MIN_OPTIONS} 个选项")
        if len(set(texts)) != len(texts):
            raise ValidationError("选项不能重复")
        if sum(bool(row["is_correct"]) for row in rows) != 1:
            raise ValidationError("请选定一个且只有一个正确选项")

    def _is_removed(self, form: forms.ModelForm) -> bool:
        return bool(self.can_delete and form.cleaned_data.get("DELETE"))


# More than any course or plan holds; twice of it still fits the column.
LARGEST_POSITION = 9999


class OrderedRowForm(forms.ModelForm):
    """A row whose number only says its place among the others, so that two rows may change
    places: equal and missing numbers are no mistake."""

    position = forms.IntegerField(
        label="序号",
        required=False,
        min_value=0,
        max_value=LARGEST_POSITION,
        widget=forms.NumberInput(attrs={"class": "order-number"}),
    )

    def _get_validation_exclusions(self) -> set[str]:
        return {*super()._get_validation_exclusions(), "position"}  # type: ignore[misc]


class OrderedFormSet(forms.BaseInlineFormSet):
    """Rows that are saved first and numbered after, by whoever saves them."""

    def list_in_order(self) -> list[forms.ModelForm]:
        """The rows that stay, by their numbers; equal ones as they stand, missing ones last."""
        rows = [
            form
            for form in self.forms
            if (form.instance.pk or form.has_changed())
            and not form.cleaned_data.get("DELETE")
        ]

        def place(form: forms.ModelForm) -> int:
            number: int | None = form.cleaned_data.get("position")
            return LARGEST_POSITION + 1 if number is None else number

        return sorted(rows, key=place)

    def set_numbers_aside(self) -> None:
        """Give the rows numbers to be saved with that no other row has."""
        free = LARGEST_POSITION + 1
        for number, form in enumerate(self.forms):
            known = form.initial.get("position") if form.instance.pk else None
            form.instance.position = free + number if known is None else known


@dataclass(frozen=True)
class KeptFile:
    """A file that is there, under an address that opens."""

    name: str
    url: str

    def __str__(self) -> str:
        return self.name


class KeptFileInput(forms.ClearableFileInput):
    """Leads to the file that is there: storage has no addresses of its own for browsers."""

    kept: KeptFile | None = None

    def get_context(
        self, name: str, value: Any, attrs: dict[str, Any] | None
    ) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        if self.is_initial(value):
            context["widget"]["value"] = self.kept
        return context


class VideoForm(forms.ModelForm):
    """What may change once a video is there: never the picture people were credited for.

    `captions_url` is where whoever looks at the page finds the captions that are there.
    """

    captions_url: ClassVar[str] = ""

    captions = forms.FileField(
        label="字幕（WebVTT）",
        required=False,
        widget=KeptFileInput,
        validators=[FileExtensionValidator(["vtt"], "字幕须为 .vtt 文件")],
        help_text="UTF-8 编码的 .vtt 文件，不超过 2 MB",
    )

    class Meta:
        model = Video
        fields = ["captions"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = PurePosixPath(self.instance.captions.name or "").name
        self.fields["captions"].widget.kept = KeptFile(name, self.captions_url)

    def clean_captions(self) -> Any:
        captions = self.cleaned_data["captions"]
        if isinstance(captions, UploadedFile):
            try:
                check_captions(captions.read(LARGEST_CAPTIONS + 1))
            except CaptionsError as error:
                raise ValidationError(str(error)) from None
            captions.seek(0)
        return captions


class VideoUploadForm(VideoForm):
    """The file itself, or the code of one that came in parts before the form."""

    person: ClassVar[User | None] = None

    source = forms.FileField(
        label="视频文件",
        required=False,
        validators=[FileExtensionValidator(VIDEO_EXTENSIONS, "不支持这种文件类型")],
        help_text=(
            "不超过 4 GB。上传后自动转为可在浏览器播放的格式，进度和结果显示在视频列表"
        ),
    )
    upload = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)

    class Meta:
        model = Video
        fields = ["source", "captions"]

    def clean_upload(self) -> str:
        code: str = self.cleaned_data["upload"]
        if not code or self.person is None:
            return ""
        try:
            upload = get_upload(self.person, code)
        except UploadRefusedError as error:
            raise ValidationError(error.message) from None
        if upload.received < upload.size:
            raise ValidationError(UploadIncompleteError.message)
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not (cleaned.get("source") or cleaned.get("upload") or self.errors):
            self.add_error("source", "请选择视频文件")
        return cleaned
