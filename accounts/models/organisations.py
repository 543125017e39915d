from datetime import date, datetime

from django.db import models
from django.utils import timezone

from portal.lib.codes import random_code


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
    """A work unit (工作单位) below a region; `code` is its name in addresses."""

    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
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
        indexes = [
            # PostgreSQL answers LIKE 'x%' from an index of this kind only.
            models.Index(
                fields=["name"],
                name="unit_by_beginning",
                opclasses=["varchar_pattern_ops"],
            )
        ]

    def __str__(self) -> str:
        return self.name


class UnitMember(models.Model):
    """That a person belongs to a unit, from when until when.

    Ended rows stay: they say for whom a unit once bought and registered. A person may belong
    to several units at a time; the profile names the one that prints on certificates.
    """

    class Source(models.TextChoices):
        REGISTERED = "registered", "本人注册"
        LIST = "list", "单位名单"
        INVITED = "invited", "受邀担任经办人"
        PROFILE = "profile", "本人填写"

    unit = models.ForeignKey(
        Unit, models.PROTECT, related_name="members", verbose_name="单位"
    )
    person = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        related_name="memberships",
        verbose_name="人员",
    )
    source = models.CharField("来源", max_length=16, choices=Source)
    joined_at = models.DateTimeField("加入时间")
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)

    class Meta:
        verbose_name = "单位人员"
        verbose_name_plural = "单位人员"
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "person"],
                condition=models.Q(ended_at__isnull=True),
                name="unitmember_once_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.person}"


class UnitAppointment(models.Model):
    """A person whom a unit appointed to act for it (单位指定专人).

    Written by `accounts.services.coordinators` alone, which keeps `User.is_coordinator`.
    """

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


class CoordinatorInvitation(models.Model):
    """A coordinator's invitation by SMS to act for the unit as well.

    The token of the link is kept as a keyed hash, the phone as index and mask: the row tells
    nobody the number, and nobody whether the number has an account.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "待接受"
        ACCEPTED = "accepted", "已接受"
        DECLINED = "declined", "已谢绝"
        WITHDRAWN = "withdrawn", "已撤回"

    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
    unit = models.ForeignKey(
        Unit, models.PROTECT, related_name="invitations", verbose_name="单位"
    )
    invited_by = models.ForeignKey(
        "accounts.User", models.PROTECT, related_name="+", verbose_name="邀请人"
    )
    phone_index = models.CharField("手机号码索引", max_length=64)
    phone_mask = models.CharField("手机号码", max_length=11)
    token_hash = models.CharField("链接摘要", max_length=64, unique=True)
    state = models.CharField(
        "状态", max_length=16, choices=State, default=State.WAITING
    )
    created_at = models.DateTimeField("邀请时间")
    expires_at = models.DateTimeField("失效时间")
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    # Who accepted; declining needs no account.
    person = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="接受人",
    )

    class Meta:
        verbose_name = "经办人邀请"
        verbose_name_plural = "经办人邀请"
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "phone_index"],
                condition=models.Q(state="waiting"),
                name="coordinatorinvitation_one_waits",
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.phone_mask}"

    def is_open(self, *, now: datetime) -> bool:
        """Whether it can still be answered."""
        return self.state == self.State.WAITING and now < self.expires_at


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
