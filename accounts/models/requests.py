import json
from collections.abc import Mapping
from typing import ClassVar

from django.db import models

from accounts.models.files import PrivateFile
from accounts.models.people import User
from accounts.personal_data import EncryptedColumns, cipher
from accounts.rules import requests as rules
from portal.lib.codes import random_code


class PersonRequest(models.Model):
    """Something a person asks the centre for, with proof pictures, decided by staff.

    What is asked for holds numbers and names, so it is ciphertext, and it goes with the
    proofs when the decision is old. `version` grows with every step: staff decide on what
    they have seen, or not at all.
    """

    class Kind(models.TextChoices):
        PHONE_LOST = rules.PHONE_LOST, "手机号码变更（无法接收短信）"
        NAME_CHANGE = rules.NAME_CHANGE, "姓名变更"
        NUMBER_CHANGE = rules.NUMBER_CHANGE, "证件号码变更"
        APPOINTMENT = rules.APPOINTMENT, "单位经办人申请"

    class State(models.TextChoices):
        OPEN = rules.OPEN, "待审核"
        FIRST_APPROVED = rules.FIRST_APPROVED, "待复核"
        APPROVED = rules.APPROVED, "已通过"
        RETURNED = rules.RETURNED, "已退回"
        REFUSED = rules.REFUSED, "未通过"
        WITHDRAWN = rules.WITHDRAWN, "已撤回"

    code = models.CharField("受理编号", max_length=16, unique=True, default=random_code)
    kind = models.CharField("事项", max_length=16, choices=Kind)
    # Of a lost phone: whoever staff find to be meant, at the first approval.
    person = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="requests",
        verbose_name="学员",
    )
    filed_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="提交人",
    )
    wanted_cipher = models.BinaryField("申请内容密文")
    files = models.ManyToManyField(
        PrivateFile, blank=True, related_name="requests", verbose_name="证明材料"
    )
    state = models.CharField("状态", max_length=16, choices=State, default=State.OPEN)
    version = models.PositiveIntegerField("版本", default=1)
    filed_at = models.DateTimeField("提交时间")
    due_date = models.DateField("办理期限")
    first_decider = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="初审人",
    )
    second_decider = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="复核人",
    )
    decided_at = models.DateTimeField("办结时间", null=True, blank=True)

    encrypted_columns: ClassVar[EncryptedColumns] = {
        "wanted_cipher": lambda request: request.context,
    }

    class Meta:
        verbose_name = "业务申请"
        verbose_name_plural = "业务申请"
        permissions = [
            ("decide_personrequest", "可审批业务申请"),
            ("decide_identity", "可审批姓名、证件号码变更"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind"],
                condition=models.Q(state__in=rules.WAITING),
                name="request_open_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(first_decider=models.F("second_decider")),
                name="request_two_deciders",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_date"], name="request_by_due_date"),
            models.Index(fields=["decided_at"], name="request_by_decision"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.code}"

    @property
    def context(self) -> str:
        """The place the ciphertext is bound to."""
        return f"accounts.person_request.wanted:{self.code}"

    def store_wanted(self, wanted: Mapping[str, str]) -> None:
        """Put what is asked for into its column; saving is the caller's."""
        self.wanted_cipher = cipher().encrypt(
            json.dumps(dict(wanted), ensure_ascii=False), context=self.context
        )

    @property
    def wanted(self) -> dict[str, str]:
        """What is asked for, by names that depend on the kind; empty once it was forgotten."""
        if not self.wanted_cipher:
            return {}
        wanted: dict[str, str] = json.loads(
            cipher().decrypt(self.wanted_cipher, context=self.context)
        )
        return wanted

    @property
    def is_waiting(self) -> bool:
        return self.state in rules.WAITING

    @property
    def standing(self) -> rules.Standing:
        return rules.Standing(
            kind=self.kind,
            state=self.state,
            person=self.person_id,
            filed_by=self.filed_by_id,
            first_decider=self.first_decider_id,
        )


class RequestEvent(models.Model):
    """One step of a request. The person reads what happened and why, never who decided."""

    class Kind(models.TextChoices):
        FILED = "filed", "提交申请"
        RESENT = "resent", "重新提交"
        FIRST_APPROVED = rules.FIRST_APPROVED, "初审通过，等待复核"
        APPROVED = rules.APPROVED, "审核通过"
        RETURNED = rules.RETURNED, "退回补充"
        REFUSED = rules.REFUSED, "审核未通过"
        WITHDRAWN = rules.WITHDRAWN, "本人撤回"

    request = models.ForeignKey(
        PersonRequest, models.CASCADE, related_name="events", verbose_name="申请"
    )
    kind = models.CharField("步骤", max_length=16, choices=Kind)
    reason = models.CharField("说明", max_length=300, blank=True)
    actor = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="操作人",
    )
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = "申请记录"
        verbose_name_plural = "申请记录"

    def __str__(self) -> str:
        return self.get_kind_display()
