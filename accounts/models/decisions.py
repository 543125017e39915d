"""What requests of people have in common with whatever else staff decide on proofs."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models

from accounts.models.people import User
from accounts.personal_data import EncryptedColumns, cipher
from accounts.rules import decisions as rules
from portal.lib.codes import random_code


class DecidedPaper(models.Model):
    """Something a person hands in, with files, for staff to decide by a promised day.

    What it says holds numbers and names, so it is ciphertext. `version` grows with every
    step: staff decide on what they have seen, or not at all.
    """

    class State(models.TextChoices):
        OPEN = rules.OPEN, "待审核"
        FIRST_APPROVED = rules.FIRST_APPROVED, "待复核"
        APPROVED = rules.APPROVED, "已通过"
        RETURNED = rules.RETURNED, "已退回"
        REFUSED = rules.REFUSED, "未通过"
        WITHDRAWN = rules.WITHDRAWN, "已撤回"

    # The table's name in the context that a ciphertext is bound to.
    place: ClassVar[str]
    # A relation to `PrivateFile` that each kind declares for itself.
    files: Any

    code = models.CharField("受理编号", max_length=16, unique=True, default=random_code)
    filed_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="提交人",
    )
    wanted_cipher = models.BinaryField("申请内容密文")
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
        "wanted_cipher": lambda paper: paper.context,
    }

    class Meta:
        abstract = True

    @property
    def context(self) -> str:
        """The place the ciphertext is bound to."""
        return f"{self.place}.wanted:{self.code}"

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
    def by_two(self) -> bool:
        """Whether two members of the staff have to approve it."""
        return True

    @property
    def standing(self) -> rules.Standing:
        return rules.Standing(
            state=self.state,
            by_two=self.by_two,
            person=getattr(self, "person_id", None),
            filed_by=self.filed_by_id,
            first_decider=self.first_decider_id,
        )


class DecisionStep(models.Model):
    """One step of such a paper. The person reads what happened and why, never who decided."""

    class Kind(models.TextChoices):
        FILED = "filed", "提交申请"
        RESENT = "resent", "重新提交"
        FIRST_APPROVED = rules.FIRST_APPROVED, "初审通过，等待复核"
        APPROVED = rules.APPROVED, "审核通过"
        RETURNED = rules.RETURNED, "退回补充"
        REFUSED = rules.REFUSED, "审核未通过"
        WITHDRAWN = rules.WITHDRAWN, "本人撤回"

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
        abstract = True

    def __str__(self) -> str:
        return self.get_kind_display()
