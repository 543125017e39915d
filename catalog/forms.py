"""Shape and spelling of what staff enter."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator

from catalog.models import Plan, Question, Video
from portal.lib.money import format_yuan, parse_yuan

VIDEO_EXTENSIONS = [
    *("mp4", "m4v", "mov", "mkv", "webm", "avi", "flv", "wmv"),
    *("mpg", "mpeg", "ts", "3gp"),
]
MIN_OPTIONS = 2


class PlanForm(forms.ModelForm):
    """A plan with its price in yuan, as staff write it."""

    unit_price = forms.CharField(
        label="单价（元）", max_length=12, help_text="按学时计价时为每学时的价格"
    )

    class Meta:
        model = Plan
        fields = [
            *("code", "title", "year", "subject", "field", "entry", "summary"),
            *("hours", "required_credits", "compulsory_credits", "elective_credits"),
            *("pricing", "training_start", "training_end", "sale_start", "sale_end"),
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Absent where the person may only look: the admin shows plain text then.
        if self.instance.pk and "unit_price" in self.fields:
            self.initial["unit_price"] = format_yuan(self.instance.unit_price_fen)

    def clean_unit_price(self) -> int:
        try:
            amount_fen = parse_yuan(self.cleaned_data["unit_price"])
        except ValueError as error:
            raise ValidationError("请填写金额，最多两位小数，例如 1.10") from error
        self.instance.unit_price_fen = amount_fen
        return amount_fen


class QuestionForm(forms.ModelForm):
    class Meta:
        model = Question
        fields = ["course", "chapter", "stem", "is_active"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chapter, course = cleaned.get("chapter"), cleaned.get("course")
        if chapter and course and chapter.course_id != course.pk:
            self.add_error("chapter", "该章节不属于所选课程")
        return cleaned


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


class VideoForm(forms.ModelForm):
    """What may change once a video is there: never the picture people were credited for."""

    captions = forms.FileField(
        label="字幕（WebVTT）",
        required=False,
        validators=[FileExtensionValidator(["vtt"], "字幕须为 .vtt 文件")],
    )

    class Meta:
        model = Video
        fields = ["captions"]


class VideoUploadForm(VideoForm):
    source = forms.FileField(
        label="视频文件",
        validators=[FileExtensionValidator(VIDEO_EXTENSIONS, "不支持这种文件类型")],
        help_text="上传后自动转为可在浏览器播放的格式，进度和结果显示在视频列表",
    )

    class Meta:
        model = Video
        fields = ["source", "captions"]
