"""What of a chapter has been covered, and the time that did not count."""

from django.db import models

from catalog.models import Chapter
from learning.models.enrolments import Enrolment


class ChapterProgress(models.Model):
    """What of a chapter a person has covered within an enrolment.

    `covered` is the merged union of credited media intervals, [[from_ms, to_ms], …] in rising
    order; `covered_ms` is its length. Neither shrinks but by a recorded decision of staff
    (`services.corrections`). `pending` waits for the answer of the next prompt and never
    overlaps `covered`.
    """

    enrolment = models.ForeignKey(
        Enrolment,
        models.CASCADE,
        related_name="chapter_progress",
        verbose_name="学习计划",
    )
    chapter = models.ForeignKey(
        Chapter, models.PROTECT, related_name="progress", verbose_name="章节"
    )
    covered = models.JSONField("已计入区间", default=list)
    covered_ms = models.PositiveIntegerField("已计入（毫秒）", default=0)
    pending = models.JSONField("待确认区间", default=list)
    pending_ms = models.PositiveIntegerField("待确认（毫秒）", default=0)
    position_ms = models.PositiveIntegerField("续播位置（毫秒）", default=0)
    completed_at = models.DateTimeField("完成时间", null=True, blank=True)
    updated_at = models.DateTimeField("更新时间")

    class Meta:
        verbose_name = "章节进度"
        verbose_name_plural = "章节进度"
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "chapter"], name="progress_once_per_chapter"
            )
        ]

    def __str__(self) -> str:
        return f"{self.enrolment} {self.chapter}"


class RefusedTime(models.Model):
    """A stretch of time that was not credited, with the reason the learner reads.

    What follows closely on another of the same session and reason belongs to the same stretch,
    so that a bad line leaves few rows. `media` are the media intervals that were played, where
    they are known; `milliseconds` is the time that passed, which may be less.
    """

    class Reason(models.TextChoices):
        NETWORK = "network", "网络中断"
        PROMPT = "prompt", "未按时答题"
        TOO_FAST = "too_fast", "快进或倍速"
        REPEATED = "repeated", "重复观看"
        TAKEN_OVER = "taken_over", "其他设备正在学习"
        NOT_ENTITLED = "not_entitled", "学习计划未开通"

    enrolment = models.ForeignKey(
        Enrolment,
        models.CASCADE,
        related_name="refused_time",
        verbose_name="学习计划",
    )
    chapter = models.ForeignKey(
        Chapter, models.CASCADE, related_name="+", verbose_name="章节"
    )
    session = models.CharField("学习会话", max_length=26)
    reason = models.CharField("原因", max_length=16, choices=Reason)
    media = models.JSONField("视频区间", default=list)
    milliseconds = models.PositiveIntegerField("时长（毫秒）", default=0)
    first_at = models.DateTimeField("开始时间")
    last_at = models.DateTimeField("结束时间")

    class Meta:
        verbose_name = "未计入时间"
        verbose_name_plural = "未计入时间"
        indexes = [models.Index(fields=["session"], name="refused_time_by_session")]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.milliseconds // 1000} 秒"


class CreditedTime(models.Model):
    """A stretch of time that became credit: its question was answered, or its appeal granted.

    `session` is the one in which it was confirmed, empty for an appeal. `media` is what it
    added to the chapter; the moments tell when it was watched, as exactly as a stretch between
    two questions can.
    """

    enrolment = models.ForeignKey(
        Enrolment,
        models.CASCADE,
        related_name="credited_time",
        verbose_name="学习计划",
    )
    chapter = models.ForeignKey(
        Chapter, models.CASCADE, related_name="+", verbose_name="章节"
    )
    session = models.CharField("学习会话", max_length=26)
    media = models.JSONField("视频区间", default=list)
    milliseconds = models.PositiveIntegerField("时长（毫秒）", default=0)
    first_at = models.DateTimeField("开始时间")
    last_at = models.DateTimeField("结束时间")

    class Meta:
        verbose_name = "已计入时间"
        verbose_name_plural = "已计入时间"
        indexes = [
            models.Index(fields=["session"], name="credited_time_by_session"),
            models.Index(fields=["last_at"], name="credited_time_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.chapter} {self.milliseconds // 1000} 秒"

    @property
    def label(self) -> str:
        """How it became credit."""
        return "已计入" if self.session else "申诉计入"
