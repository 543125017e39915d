from datetime import date

from django.db import models
from django.utils import timezone


class RegionQuerySet(models.QuerySet["Region"]):
    def valid_on(self, day: date) -> "RegionQuerySet":
        return self.filter(
            models.Q(valid_from__isnull=True) | models.Q(valid_from__lte=day),
            models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=day),
        )


class Region(models.Model):
    """A district, county or city-level group of the organisation tree (组织机构).

    Rows are never deleted: what an old certificate printed must stay explainable after a
    district was merged. Validity dates say what may be chosen today.
    """

    class Kind(models.TextChoices):
        DISTRICT = "district", "区县"
        SPECIAL_AREA = "special_area", "开发区"
        SYSTEM = "system", "市级部门与大型企业"

    code = models.CharField("代码", max_length=12, unique=True)
    name = models.CharField("名称", max_length=60)
    kind = models.CharField("类别", max_length=16, choices=Kind)
    position = models.PositiveSmallIntegerField("排序", default=0)
    valid_from = models.DateField("生效日期", null=True, blank=True)
    valid_until = models.DateField("失效日期（不含）", null=True, blank=True)
    successor = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name="并入"
    )

    objects = RegionQuerySet.as_manager()

    class Meta:
        verbose_name = "区县与系统"
        verbose_name_plural = "区县与系统"

    def __str__(self) -> str:
        return self.name


class Unit(models.Model):
    """A work unit (工作单位) below a region."""

    name = models.CharField("单位全称", max_length=120)
    region = models.ForeignKey(
        Region, models.PROTECT, related_name="units", verbose_name="所属区县"
    )
    credit_code = models.CharField(
        "统一社会信用代码", max_length=18, null=True, blank=True, unique=True
    )
    is_active = models.BooleanField("启用", default=True)
    created_at = models.DateTimeField("登记时间", default=timezone.now)

    class Meta:
        verbose_name = "工作单位"
        verbose_name_plural = "工作单位"
        constraints = [
            models.UniqueConstraint(
                fields=["region", "name"], name="unit_name_in_region"
            )
        ]

    def __str__(self) -> str:
        return self.name


class UnitAppointment(models.Model):
    """A person whom a unit appointed to act for it (单位指定专人)."""

    unit = models.ForeignKey(
        Unit, models.PROTECT, related_name="appointments", verbose_name="单位"
    )
    person = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        related_name="appointments",
        verbose_name="经办人",
    )
    appointed_at = models.DateTimeField("指定时间", default=timezone.now)
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)

    class Meta:
        verbose_name = "单位经办人"
        verbose_name_plural = "单位经办人"
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "person"],
                condition=models.Q(ended_at__isnull=True),
                name="appointment_once_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.person}"


class SupervisedRegion(models.Model):
    """A region whose people and units a district supervisor (区县督导) may look at."""

    person = models.ForeignKey(
        "accounts.User",
        models.CASCADE,
        related_name="supervised_regions",
        verbose_name="督导人员",
    )
    region = models.ForeignKey(
        Region, models.PROTECT, related_name="+", verbose_name="督导区县"
    )

    class Meta:
        verbose_name = "督导区县"
        verbose_name_plural = "督导区县"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "region"], name="supervised_region_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.region}"
