"""The right to study a plan, and the courses finished within it."""

from django.conf import settings
from django.db import models

from catalog.models import Course, Plan


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def live(self) -> "EnrolmentQuerySet":
        """Those that give a right to study: open or completed, not revoked."""
        return self.exclude(state=Enrolment.State.REVOKED)


class Enrolment(models.Model):
    """A person's right to study one plan. One row per person and plan, for ever.

    `source` tells what opened it; learning knows no money, so the number is only text.
    `earned_*` are totals that only grow, kept by the ledger in the transaction of a course's
    completion.
    """

    class State(models.TextChoices):
        OPEN = "open", "学习中"
        COMPLETED = "completed", "已结业"
        REVOKED = "revoked", "已撤销"

    class Source(models.TextChoices):
        ORDER = "order", "订单"
        CODE = "code", "激活码"
        VOUCHER = "voucher", "缴费凭证"
        STAFF = "staff", "工作人员"

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="enrolments",
        verbose_name="学员",
    )
    plan = models.ForeignKey(
        Plan, models.PROTECT, related_name="enrolments", verbose_name="培训计划"
    )
    state = models.CharField("状态", max_length=12, choices=State, default=State.OPEN)
    source = models.CharField("来源", max_length=12, choices=Source)
    source_number = models.CharField("来源编号", max_length=40, blank=True)
    opened_at = models.DateTimeField("开通时间")
    completed_at = models.DateTimeField("结业时间", null=True, blank=True)
    compulsory_earned = models.PositiveSmallIntegerField("已得必修学分", default=0)
    elective_earned = models.PositiveSmallIntegerField("已得选修学分", default=0)
    percent = models.PositiveSmallIntegerField("计划完成度", default=0)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = "学习计划开通"
        verbose_name_plural = "学习计划开通"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "plan"], name="enrolment_once_per_plan"
            ),
            models.CheckConstraint(
                name="enrolment_completed_has_time",
                condition=~models.Q(state="completed")
                | models.Q(completed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.plan}"

    @property
    def credits_earned(self) -> int:
        return self.compulsory_earned + self.elective_earned

    @property
    def is_live(self) -> bool:
        return self.state != self.State.REVOKED

    @property
    def is_completed(self) -> bool:
        return self.state == self.State.COMPLETED


class FurtherRight(models.Model):
    """Another right to an enrolment that was open already: a second order, a code, staff.

    The enrolment itself names the first. When that one goes, the oldest of these takes its
    place, so that taking back one of two never ends what the other gives.
    """

    enrolment = models.ForeignKey(
        Enrolment,
        models.CASCADE,
        related_name="further_rights",
        verbose_name="学习计划",
    )
    source = models.CharField("来源", max_length=12, choices=Enrolment.Source)
    source_number = models.CharField("来源编号", max_length=40, blank=True)
    given_at = models.DateTimeField("取得时间")

    class Meta:
        verbose_name = "其他开通依据"
        verbose_name_plural = "其他开通依据"
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "source", "source_number"],
                name="further_right_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.source_number}"


class CourseCompletion(models.Model):
    """That every chapter of a course was finished; the credits are copied as they were then."""

    enrolment = models.ForeignKey(
        Enrolment,
        models.CASCADE,
        related_name="course_completions",
        verbose_name="学习计划",
    )
    course = models.ForeignKey(
        Course, models.PROTECT, related_name="completions", verbose_name="课程"
    )
    credits = models.PositiveSmallIntegerField("学分")
    is_compulsory = models.BooleanField("必修")
    completed_at = models.DateTimeField("完成时间")

    class Meta:
        verbose_name = "课程完成"
        verbose_name_plural = "课程完成"
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "course"], name="completion_once_per_course"
            )
        ]

    def __str__(self) -> str:
        return f"{self.enrolment} {self.course}"
