from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.models import PrivateFile
from accounts.models.decisions import DecidedPaper, DecisionStep
from accounts.rules.decisions import UNFINISHED
from catalog.models import Plan


class Claim(DecidedPaper):
    """That somebody paid for a past year on a former platform, proved or promised.

    Two members of the staff look at it, none of them the one who entered it. Approved, it
    opens that year's plan for nothing.
    """

    class Kind(models.TextChoices):
        VOUCHER = "voucher", "缴费凭证"
        COMMITMENT = "commitment", "缴费承诺书"

    place: ClassVar[str] = "orders.claim"

    kind = models.CharField("类别", max_length=12, choices=Kind)
    plan = models.ForeignKey(
        Plan, models.PROTECT, related_name="claims", verbose_name="补学计划"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="claims",
        verbose_name="学员",
    )
    files = models.ManyToManyField(
        PrivateFile, blank=True, related_name="claims", verbose_name="证明材料"
    )

    class Meta:
        verbose_name = "缴费凭证"
        verbose_name_plural = "缴费凭证"
        permissions = [("decide_claim", "可审批缴费凭证")]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "plan"],
                condition=models.Q(state__in=UNFINISHED),
                name="claim_open_once_per_plan",
            ),
            models.CheckConstraint(
                condition=~models.Q(first_decider=models.F("second_decider")),
                name="claim_two_deciders",
            ),
            # Whoever entered it decides nothing, whatever the code believes.
            models.CheckConstraint(
                condition=~models.Q(state__in=["first_approved", "approved"])
                | (
                    ~models.Q(first_decider=models.F("filed_by"))
                    & ~models.Q(second_decider=models.F("filed_by"))
                    & models.Q(first_decider__isnull=False)
                ),
                name="claim_four_eyes",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="approved")
                | models.Q(second_decider__isnull=False),
                name="claim_approved_by_two",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_date"], name="claim_by_due_date"),
            models.Index(fields=["person", "filed_at"], name="claim_by_person"),
            models.Index(fields=["decided_at"], name="claim_by_decision"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.code}"


class ClaimEvent(DecisionStep):
    """One step of a claim."""

    claim = models.ForeignKey(
        Claim, models.CASCADE, related_name="events", verbose_name="凭证"
    )

    class Meta:
        verbose_name = "凭证记录"
        verbose_name_plural = "凭证记录"
