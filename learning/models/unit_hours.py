"""Professional hours that a work unit records: what people learnt away from the portal."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.models import Unit
from portal.lib.codes import random_code


class UnitHoursQuerySet(models.QuerySet["UnitHours"]):
    def counted(self) -> "UnitHoursQuerySet":
        """Those that count towards the yearly duty."""
        return self.filter(state__in=UnitHours.COUNTED)


class UnitHours(models.Model):
    """Hours of 专业科目 that a unit recorded and answers for; the district checks samples.

    What was recorded is never edited: a mistake is withdrawn and recorded anew, and each step
    stands in `UnitHoursEvent`. `state_reason` is the reason of the latest one.
    """

    class Kind(models.TextChoices):
        TRAINING = "training", "培训班、研修班、进修班"
        PRACTICE = "practice", "继续教育实践活动"
        DISTANCE = "distance", "远程教育"
        CONFERENCE = "conference", "学术会议、讲座、访问"
        OTHER = "other", "其他方式"

    class State(models.TextChoices):
        RECORDED = "recorded", "已登记"
        PASSED = "passed", "抽查通过"
        REJECTED = "rejected", "不予认可"
        WITHDRAWN = "withdrawn", "已撤回"

    COUNTED: ClassVar = (State.RECORDED, State.PASSED)

    code = models.CharField("登记编号", max_length=16, unique=True, default=random_code)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="unit_hours",
        verbose_name="学员",
    )
    unit = models.ForeignKey(
        Unit, models.PROTECT, related_name="unit_hours", verbose_name="登记单位"
    )
    year = models.PositiveSmallIntegerField("年度")
    kind = models.CharField("培训形式", max_length=12, choices=Kind)
    content = models.CharField("培训内容", max_length=80)
    organiser = models.CharField("举办单位或地点", max_length=80)
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期（含）")
    hours = models.PositiveSmallIntegerField("学时")
    result = models.CharField("考核结果", max_length=40)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name="登记人",
    )
    recorded_at = models.DateTimeField("登记时间")
    state = models.CharField(
        "状态", max_length=12, choices=State, default=State.RECORDED
    )
    state_reason = models.CharField("说明", max_length=120, blank=True)

    objects = UnitHoursQuerySet.as_manager()

    class Meta:
        verbose_name = "单位登记学时"
        verbose_name_plural = "单位登记学时"
        permissions = [("inspect_unithours", "抽查单位登记的学时")]
        constraints = [
            models.CheckConstraint(
                name="unit_hours_above_zero", condition=models.Q(hours__gt=0)
            ),
            models.CheckConstraint(
                name="unit_hours_within_their_year",
                condition=models.Q(
                    ends_on__gte=models.F("starts_on"),
                    starts_on__year=models.F("year"),
                    ends_on__year=models.F("year"),
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["person", "year"], name="unit_hours_of_person"),
            models.Index(fields=["unit", "year"], name="unit_hours_of_unit"),
        ]

    def __str__(self) -> str:
        return self.content

    @property
    def is_counted(self) -> bool:
        return self.state in self.COUNTED


class UnitHoursEvent(models.Model):
    """Who recorded, withdrew or checked hours, and why. Append-only."""

    record = models.ForeignKey(
        UnitHours, models.PROTECT, related_name="events", verbose_name="单位登记学时"
    )
    state = models.CharField("状态", max_length=12, choices=UnitHours.State)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name="操作人",
    )
    at = models.DateTimeField("时间")
    reason = models.CharField("说明", max_length=120, blank=True)

    class Meta:
        verbose_name = "单位登记学时记录"
        verbose_name_plural = "办理记录"

    def __str__(self) -> str:
        return f"{self.get_state_display()} {self.at:%Y-%m-%d}"
