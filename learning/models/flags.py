"""What looks unlike a person who learns: for staff to look at, never a block."""

from django.conf import settings
from django.db import models


class StudyFlag(models.Model):
    """One suspicion about a person's day; the credit is untouched whatever becomes of it.

    `facts` are the figures it rests on, by names that depend on the kind
    (`learning.rules.flags`).
    """

    class Kind(models.TextChoices):
        RHYTHM = "rhythm", "机器节奏"
        FAST_ANSWERS = "fast_answers", "答题过快"
        NO_MEDIA = "no_media", "未加载视频"
        MARATHON = "marathon", "学习时间过长"

    class State(models.TextChoices):
        OPEN = "open", "待核查"
        NORMAL = "normal", "正常"
        HANDLED = "handled", "已处理"

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="study_flags",
        verbose_name="学员",
    )
    kind = models.CharField("类别", max_length=16, choices=Kind)
    day = models.DateField("日期")
    facts = models.JSONField("数据")
    found_at = models.DateTimeField("发现时间")
    state = models.CharField("状态", max_length=8, choices=State, default=State.OPEN)
    note = models.CharField("核查说明", max_length=300, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="核查人",
    )
    closed_at = models.DateTimeField("核查时间", null=True, blank=True)

    class Meta:
        verbose_name = "学习异常"
        verbose_name_plural = "学习异常"
        permissions = [("close_studyflag", "可核查学习异常")]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind", "day"], name="study_flag_once_a_day"
            ),
            models.CheckConstraint(
                name="study_flag_closed_by_somebody",
                condition=models.Q(
                    state="open", closed_by__isnull=True, closed_at__isnull=True
                )
                | (
                    ~models.Q(state="open")
                    & models.Q(closed_by__isnull=False, closed_at__isnull=False)
                ),
            ),
        ]
        indexes = [models.Index(fields=["state", "day"], name="study_flag_queue")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.day}"
