"""Yearly plans (学习计划), what they cost and which courses they hold."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from catalog.models.courses import Course, FieldOfStudy
from catalog.rules import plan_price_fen
from catalog.rules.years import LONGEST_CODE


class Subject(models.TextChoices):
    GENERAL = "general", "公需科目"
    PROFESSIONAL = "professional", "专业科目"


class PlanQuerySet(models.QuerySet["Plan"]):
    def published(self) -> "PlanQuerySet":
        return self.filter(is_published=True)

    def priced(self, day: date) -> "PlanQuerySet":
        """Plans with what they cost on `day`, a date in Chongqing; a unit price of 0 where
        no price is set."""
        prices = PlanPrice.objects.filter(plan=OuterRef("pk")).of_day(day)
        return self.annotate(
            pricing=Coalesce(
                Subquery(prices.values("pricing")[:1]), models.Value(Pricing.FLAT)
            ),
            unit_price_fen=Coalesce(Subquery(prices.values("unit_price_fen")[:1]), 0),
        )


class Pricing(models.TextChoices):
    PER_HOUR = "per_hour", "按学时"
    FLAT = "flat", "按计划"


class Plan(models.Model):
    """A yearly plan (学习计划): one year × one subject, sold as a whole.

    What it costs depends on the day (`PlanPrice`): only plans read with
    `Plan.objects.priced(day)` have `pricing`, `unit_price_fen` and `price_fen`.
    """

    class Entry(models.IntegerChoices):
        ONE = 1, "入口一（红色封面）"
        TWO = 2, "入口二（蓝色封面）"

    class Speed(models.IntegerChoices):
        """In hundredths of the normal speed."""

        NORMAL = 100, "1 倍"
        QUARTER_MORE = 125, "1.25 倍"
        HALF_MORE = 150, "1.5 倍"
        DOUBLE = 200, "2 倍"

    Pricing = Pricing
    pricing: str
    unit_price_fen: int

    code = models.SlugField("计划编号", max_length=LONGEST_CODE, unique=True)
    year = models.PositiveSmallIntegerField("年度")
    subject = models.CharField("科目", max_length=16, choices=Subject)
    field = models.CharField("领域", max_length=16, choices=FieldOfStudy, blank=True)
    entry = models.PositiveSmallIntegerField("入口", choices=Entry, default=Entry.ONE)
    title = models.CharField("计划名称", max_length=80)
    summary = models.TextField("培训说明", blank=True)
    hours = models.PositiveSmallIntegerField("学时")
    required_credits = models.PositiveSmallIntegerField("要求学分")
    compulsory_credits = models.PositiveSmallIntegerField("其中必修学分", default=0)
    elective_credits = models.PositiveSmallIntegerField("其中选修学分", default=0)
    training_start = models.DateField("培训开始")
    training_end = models.DateField("培训结束（含）")
    sale_start = models.DateField("报名开始")
    sale_end = models.DateField("报名结束（含）")
    # 2020 sold to units by codes; 2026 by lists of ID numbers. The plan says which it does.
    sells_codes = models.BooleanField("可购买激活码", default=False)
    # A past year that who paid for it on a former platform studies for nothing.
    accepts_claims = models.BooleanField("受理缴费凭证", default=False)
    # Of what was learnt before; what is new always plays at the normal speed.
    fastest_speed = models.PositiveSmallIntegerField(
        "复习最快倍速", choices=Speed, default=Speed.NORMAL
    )
    is_published = models.BooleanField("已发布", default=False)
    courses: "models.ManyToManyField[Course, PlanCourse]" = models.ManyToManyField(
        Course, through="PlanCourse", related_name="plans", verbose_name="课程"
    )

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = "培训计划"
        verbose_name_plural = "培训计划"
        constraints = [
            models.CheckConstraint(
                name="plan_training_period",
                violation_error_message="培训结束日期不能早于培训开始日期",
                condition=models.Q(training_end__gte=models.F("training_start")),
            ),
            models.CheckConstraint(
                name="plan_sale_window",
                violation_error_message="报名结束日期不能早于报名开始日期",
                condition=models.Q(sale_end__gte=models.F("sale_start")),
            ),
            models.CheckConstraint(
                name="plan_required_credits",
                violation_error_message="必修与选修学分之和不能超过要求学分",
                condition=models.Q(
                    required_credits__gte=models.F("compulsory_credits")
                    + models.F("elective_credits")
                ),
            ),
        ]
        indexes = [models.Index(fields=["subject", "year"], name="plan_by_subject")]

    def __str__(self) -> str:
        return self.title

    @property
    def price_fen(self) -> int:
        """The price of the whole plan in fen, on the day it was read for."""
        return plan_price_fen(
            per_hour=self.pricing == self.Pricing.PER_HOUR,
            unit_price_fen=self.unit_price_fen,
            hours=self.hours,
        )

    def is_on_sale(self, day: date) -> bool:
        return self.is_published and self.sale_start <= day <= self.sale_end

    def is_open_for_study(self, day: date) -> bool:
        return self.training_start <= day <= self.training_end


class PlanPriceQuerySet(models.QuerySet["PlanPrice"]):
    """Rows are added and read; the database refuses to change them as well."""

    def of_day(self, day: date) -> "PlanPriceQuerySet":
        """Those in force on `day`, the one that counts first."""
        return self.filter(valid_from__lte=day).order_by("-valid_from", "-pk")

    def update(self, **kwargs: object) -> int:
        raise TypeError("prices are never changed: a new row takes their place")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("prices are never deleted: a new row takes their place")


class PlanPrice(models.Model):
    """What a plan costs from a day (Asia/Shanghai) on. Append-only.

    The price of a day is the row with the latest `valid_from` up to it; of two for the same
    day the later entry, which is how a price that was announced is taken back.
    """

    plan = models.ForeignKey(
        Plan, models.PROTECT, related_name="prices", verbose_name="培训计划"
    )
    valid_from = models.DateField("执行日期")
    pricing = models.CharField("计价方式", max_length=10, choices=Pricing)
    unit_price_fen = models.PositiveIntegerField("单价（分）")
    reason = models.CharField("说明", max_length=200)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="设定人",
    )
    set_at = models.DateTimeField("设定时间")

    objects = PlanPriceQuerySet.as_manager()

    class Meta:
        verbose_name = "计划价格"
        verbose_name_plural = "计划价格"
        constraints = [
            models.CheckConstraint(
                name="price_above_zero", condition=models.Q(unit_price_fen__gt=0)
            )
        ]
        indexes = [models.Index(fields=["plan", "valid_from"], name="price_by_day")]

    def __str__(self) -> str:
        return f"{self.valid_from:%Y-%m-%d}起"


class PlanCourse(models.Model):
    """A course in a plan; compulsory (必修) and elective (选修) credits are counted apart."""

    class Kind(models.TextChoices):
        COMPULSORY = "compulsory", "必修"
        ELECTIVE = "elective", "选修"

    plan = models.ForeignKey(
        Plan, models.CASCADE, related_name="plan_courses", verbose_name="培训计划"
    )
    course = models.ForeignKey(
        Course, models.PROTECT, related_name="plan_courses", verbose_name="课程"
    )
    kind = models.CharField("类别", max_length=12, choices=Kind, default=Kind.ELECTIVE)
    position = models.PositiveSmallIntegerField("排序", default=0)

    class Meta:
        verbose_name = "计划课程"
        verbose_name_plural = "计划课程"
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "course"],
                name="course_once_in_plan",
                violation_error_message="同一计划内课程不能重复",
            )
        ]

    def __str__(self) -> str:
        return str(self.course)
