from typing import ClassVar

from django.db import models

from accounts.models.decisions import DecidedPaper, DecisionStep
from accounts.models.files import PrivateFile
from accounts.models.people import User
from accounts.rules import requests as rules
from accounts.rules.decisions import WAITING


class PersonRequest(DecidedPaper):
    """Something a person asks the centre for, with proof pictures, decided by staff.

    What is asked for goes with the proofs when the decision is old.
    """

    class Kind(models.TextChoices):
        PHONE_LOST = rules.PHONE_LOST, "手机号码变更（无法接收短信）"
        NAME_CHANGE = rules.NAME_CHANGE, "姓名变更"
        NUMBER_CHANGE = rules.NUMBER_CHANGE, "证件号码变更"
        APPOINTMENT = rules.APPOINTMENT, "单位经办人申请"

    place: ClassVar[str] = "accounts.person_request"

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
    files = models.ManyToManyField(
        PrivateFile, blank=True, related_name="requests", verbose_name="证明材料"
    )

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
                condition=models.Q(state__in=WAITING),
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
    def by_two(self) -> bool:
        return self.kind in rules.DECIDED_BY_TWO


class RequestEvent(DecisionStep):
    """One step of a request."""

    request = models.ForeignKey(
        PersonRequest, models.CASCADE, related_name="events", verbose_name="申请"
    )

    class Meta:
        verbose_name = "申请记录"
        verbose_name_plural = "申请记录"
