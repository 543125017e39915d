"""What learners ask staff to credit after all, and what staff decided about credit."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.models import PrivateFile
from accounts.models.decisions import DecidedPaper, DecisionStep
from catalog.models import Chapter
from learning.models.enrolments import Enrolment
from learning.models.progress import CreditedTime, RefusedTime

# What a correction can undo (`learning.services.completion`).
WITHDRAWN = {"chapter": "章节完成", "course": "课程完成及其学分"}


class Appeal(DecidedPaper):
    """That a learner disagrees with a refused stretch. Once for each, decided by one.

    What the learner writes goes, with the proofs, when the decision is old.
    """

    place: ClassVar[str] = "learning.appeal"

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="appeals",
        verbose_name="学员",
    )
    stretch = models.OneToOneField(
        RefusedTime, models.PROTECT, related_name="appeal", verbose_name="未计入时间"
    )
    files = models.ManyToManyField(
        PrivateFile, blank=True, related_name="appeals", verbose_name="证明材料"
    )

    class Meta:
        verbose_name = "学时申诉"
        verbose_name_plural = "学时申诉"
        permissions = [("decide_appeal", "可审批学时申诉")]
        indexes = [
            models.Index(fields=["state", "due_date"], name="appeal_by_due_date"),
            models.Index(fields=["decided_at"], name="appeal_by_decision"),
        ]

    def __str__(self) -> str:
        return f"学时申诉 {self.code}"

    @property
    def by_two(self) -> bool:
        return False


class AppealEvent(DecisionStep):
    """One step of an appeal."""

    appeal = models.ForeignKey(
        Appeal, models.CASCADE, related_name="events", verbose_name="申诉"
    )

    class Meta:
        verbose_name = "申诉记录"
        verbose_name_plural = "申诉记录"


class CreditDecision(models.Model):
    """That staff added credit to a chapter or took some away: the only other hand on the
    ledger. Rows are added and never changed.

    `media` is what the chapter gained or lost; `withdrawn` names what was no longer complete
    after a correction (see `learning.services.corrections`).
    """

    class Kind(models.TextChoices):
        ADDED = "added", "申诉计入"
        REMOVED = "removed", "核查扣减"

    kind = models.CharField("决定", max_length=8, choices=Kind)
    enrolment = models.ForeignKey(
        Enrolment,
        models.PROTECT,
        related_name="credit_decisions",
        verbose_name="学习计划",
    )
    chapter = models.ForeignKey(
        Chapter, models.PROTECT, related_name="+", verbose_name="章节"
    )
    appeal = models.OneToOneField(
        Appeal,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="credit_decision",
        verbose_name="申诉",
    )
    corrected = models.OneToOneField(
        CreditedTime,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="correction",
        verbose_name="被扣减的时段",
    )
    media = models.JSONField("视频区间")
    milliseconds = models.PositiveIntegerField("时长（毫秒）")
    withdrawn = models.JSONField("撤销的完成", default=list, blank=True)
    reason = models.CharField("原因", max_length=300, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name="决定人",
    )
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = "学时核定"
        verbose_name_plural = "学时核定"
        permissions = [("correct_credit", "可扣减已计入学时")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.milliseconds // 1000} 秒"

    @property
    def withdrawn_text(self) -> str:
        """What was no longer complete, in words; empty if nothing was."""
        return "、".join(WITHDRAWN[name] for name in self.withdrawn)
