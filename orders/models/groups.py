import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.models import PrivateFile, Unit
from accounts.personal_data import EncryptedColumns, cipher
from catalog.models import Plan
from orders.models.order import Order
from portal.lib.codes import random_code
from portal.lib.masks import mask_id_number


@dataclass(frozen=True)
class GroupPerson:
    """Who stands in a row: normalised where it could be read, else as typed.

    `problems` and `hints` may repeat what was typed, so they lie in the ciphertext too.
    """

    number: str
    name: str
    typed_number: str = ""
    typed_name: str = ""
    problems: Sequence[str] = ()
    hints: Sequence[str] = ()

    @property
    def shown_number(self) -> str:
        return mask_id_number(self.number or self.typed_number)

    @property
    def shown_name(self) -> str:
        return self.name or self.typed_name


class GroupCheck(models.Model):
    """People for whom somebody wants to buy a plan, from the pasting to the order.

    Rows and files are forgotten a day after they were given (`kept_until`); the counts stay,
    for the limits and for staff. The lease says that a worker is at it, and until when it is
    to be believed.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "等待验证"
        CHECKING = "checking", "正在验证"
        CHECKED = "checked", "已验证"
        ORDERED = "ordered", "已下单"
        REFUSED = "refused", "无法读取"
        REPLACED = "replaced", "已更正"

    class Alarm(models.TextChoices):
        NONE = "none", "无"
        OPEN = "open", "待核查"
        SEEN = "seen", "已核查"

    TO_CHECK = (State.WAITING, State.CHECKING)

    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
    plan = models.ForeignKey(
        Plan, models.PROTECT, related_name="group_checks", verbose_name="学习计划"
    )
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="group_checks",
        verbose_name="经办人",
    )
    unit = models.ForeignKey(
        Unit, models.PROTECT, related_name="group_checks", verbose_name="单位"
    )
    state = models.CharField(
        "状态", max_length=10, choices=State, default=State.WAITING
    )
    # What was pasted or uploaded, until it has been read.
    file = models.ForeignKey(
        PrivateFile,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="名单文件",
    )
    is_sheet = models.BooleanField("表格上传", default=False)
    replaces = models.OneToOneField(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="replaced_by",
        verbose_name="更正自",
    )
    # Whether the free people of `replaces` are taken over.
    keeps_free = models.BooleanField("保留上次可购买人员", default=False)
    error_file = models.ForeignKey(
        PrivateFile,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="错误文件",
    )
    order = models.OneToOneField(
        Order,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="group_check",
        verbose_name="订单",
    )

    row_count = models.PositiveIntegerField("人数", default=0)
    checked_count = models.PositiveIntegerField("已验证", default=0)
    free_count = models.PositiveIntegerField("可购买", default=0)
    # Numbers that were compared with the accounts, and those of them that got the one reason.
    asked_count = models.PositiveIntegerField("查询号码数", default=0)
    unknown_count = models.PositiveIntegerField("未注册或已购买", default=0)
    # How often what was put right: keys of orders.rules.group_input.TIDIED.
    tidied = models.JSONField("自动更正", default=dict, blank=True)
    reason = models.CharField("原因", max_length=300, blank=True)

    created_at = models.DateTimeField("提交时间")
    checked_at = models.DateTimeField("验证完成时间", null=True, blank=True)
    kept_until = models.DateTimeField("保留至")
    forgotten_at = models.DateTimeField("清除时间", null=True, blank=True)

    alarm = models.CharField(
        "低命中率核查", max_length=4, choices=Alarm, default=Alarm.NONE
    )
    alarm_seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="核查人",
    )
    alarm_seen_at = models.DateTimeField("核查时间", null=True, blank=True)
    alarm_note = models.CharField("核查说明", max_length=200, blank=True)

    lease_until = models.DateTimeField("处理占用至", null=True, blank=True)
    # How often a worker began on it: a file that kills workers is refused in the end.
    tries = models.PositiveSmallIntegerField("处理次数", default=0)

    class Meta:
        verbose_name = "团购名单"
        verbose_name_plural = "团购名单"
        indexes = [
            models.Index(fields=["buyer", "created_at"], name="group_check_by_buyer"),
            models.Index(fields=["state", "created_at"], name="group_check_by_state"),
            models.Index(
                fields=["created_at"],
                name="group_check_alarms",
                condition=models.Q(alarm="open"),
            ),
            models.Index(
                fields=["kept_until"],
                name="group_check_to_forget",
                condition=models.Q(forgotten_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.code}"

    @property
    def bad_count(self) -> int:
        """Rows that cannot be bought for."""
        return self.row_count - self.free_count

    @property
    def percent(self) -> int:
        """How far the worker has come."""
        return 100 * self.checked_count // max(self.row_count, 1)

    @property
    def is_at_work(self) -> bool:
        return self.state in self.TO_CHECK

    @property
    def found_percent(self) -> int:
        """How many of a hundred numbers asked about were anybody's to buy for."""
        known = self.asked_count - self.unknown_count
        return 100 * known // max(self.asked_count, 1)

    def is_kept(self, *, now: datetime) -> bool:
        """Whether its rows and files are still there for the buyer."""
        return self.forgotten_at is None and now < self.kept_until


class GroupRow(models.Model):
    """One person of a check; number and name only encrypted.

    `person` is set only where the row can be bought, so a row tells nothing that its reason
    does not.
    """

    class Outcome(models.TextChoices):
        FREE = "free", "可购买"
        INVALID = "invalid", "填写有误"
        UNAVAILABLE = "unavailable", "未注册或已购买"
        HELD = "held", "已开通"
        ORDERED = "ordered", "已有订单"
        TAKEN = "taken", "刚刚已被购买"

    group_check = models.ForeignKey(
        GroupCheck, models.CASCADE, related_name="rows", verbose_name="名单"
    )
    position = models.PositiveIntegerField("序号")
    line = models.PositiveIntegerField("行号")
    data_cipher = models.BinaryField("内容密文")
    number_index = models.CharField("证件号码索引", max_length=64, blank=True)
    has_name = models.BooleanField("填有姓名", default=False)
    is_kept = models.BooleanField("上次保留", default=False)
    outcome = models.CharField("结果", max_length=12, choices=Outcome)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="账号",
    )

    encrypted_columns: ClassVar[EncryptedColumns] = {
        "data_cipher": lambda row: row.context
    }

    class Meta:
        verbose_name = "团购名单行"
        verbose_name_plural = "团购名单行"
        constraints = [
            models.UniqueConstraint(
                fields=["group_check", "position"], name="group_row_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["group_check", "outcome", "position"],
                name="group_row_by_outcome",
            )
        ]

    def __str__(self) -> str:
        return f"第{self.line}行"

    @property
    def context(self) -> str:
        return f"orders.grouprow.data:{self.group_check_id}:{self.position}"

    def store_given(self, given: GroupPerson) -> None:
        """Encrypt the row's person; saving is the caller's."""
        content = json.dumps(vars(given), ensure_ascii=False)
        self.data_cipher = cipher().encrypt(content, context=self.context)

    @property
    def given(self) -> GroupPerson:
        return GroupPerson(
            **json.loads(cipher().decrypt(self.data_cipher, context=self.context))
        )
