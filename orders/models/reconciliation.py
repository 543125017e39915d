from django.conf import settings
from django.db import models

from orders.models.payment import PaymentAttempt
from orders.payments.registry import name_gateway


class BillDay(models.Model):
    """The bill of one gateway for one day, and what comparing it with our books gave.

    The day is Beijing's. Figures are of the last reading; reading again replaces them.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "待下载"
        READ = "read", "已对账"

    gateway = models.CharField("支付方式", max_length=16)
    day = models.DateField("账单日")
    state = models.CharField("状态", max_length=8, choices=State, default=State.WAITING)
    created_at = models.DateTimeField("创建时间")
    tried_at = models.DateTimeField("上次下载", null=True)
    read_at = models.DateTimeField("对账时间", null=True)
    # Why the last try brought no bill.
    problem = models.CharField("未完成原因", max_length=200, blank=True)
    their_payments = models.PositiveIntegerField("渠道收款笔数", default=0)
    their_paid_fen = models.PositiveBigIntegerField("渠道收款（分）", default=0)
    their_refunds = models.PositiveIntegerField("渠道退款笔数", default=0)
    their_refunded_fen = models.PositiveBigIntegerField("渠道退款（分）", default=0)
    our_payments = models.PositiveIntegerField("本站收款笔数", default=0)
    our_paid_fen = models.PositiveBigIntegerField("本站收款（分）", default=0)
    our_refunds = models.PositiveIntegerField("本站退款笔数", default=0)
    our_refunded_fen = models.PositiveBigIntegerField("本站退款（分）", default=0)
    found_payments = models.PositiveIntegerField("由账单补记笔数", default=0)

    class Meta:
        verbose_name = "对账单"
        verbose_name_plural = "对账单"
        permissions = [("run_billday", "可发起对账")]
        constraints = [
            models.UniqueConstraint(fields=["gateway", "day"], name="bill_day_once"),
            models.CheckConstraint(
                name="bill_day_read_has_time",
                condition=~models.Q(state="read") | models.Q(read_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{name_gateway(self.gateway)} {self.day}"


class BillEntry(models.Model):
    """One line of a gateway's bill as it was read; `refund_number` is empty for a payment."""

    bill = models.ForeignKey(
        BillDay, models.PROTECT, related_name="entries", verbose_name="对账单"
    )
    position = models.PositiveIntegerField("行号")
    attempt_number = models.CharField("支付编号", max_length=64)
    refund_number = models.CharField("退款编号", max_length=64, blank=True)
    gateway_number = models.CharField("渠道交易号", max_length=64, blank=True)
    amount_fen = models.PositiveBigIntegerField("金额（分）")
    at = models.DateTimeField("渠道时间", null=True)

    class Meta:
        verbose_name = "账单明细"
        verbose_name_plural = "账单明细"
        constraints = [
            models.UniqueConstraint(
                fields=["bill", "position"], name="bill_entry_once_per_position"
            )
        ]
        indexes = [
            models.Index(fields=["attempt_number"], name="bill_entry_by_attempt")
        ]

    def __str__(self) -> str:
        return f"{self.bill} {self.position}"


class BillDifference(models.Model):
    """What a bill and our books disagree about. Finance staff say what came of it."""

    class Kind(models.TextChoices):
        OURS_ONLY = "ours_only", "仅本站有"
        THEIRS_ONLY = "theirs_only", "仅渠道有"
        AMOUNT = "amount", "金额不一致"

    class Subject(models.TextChoices):
        PAYMENT = "payment", "收款"
        REFUND = "refund", "退款"

    class State(models.TextChoices):
        OPEN = "open", "待处理"
        RESOLVED = "resolved", "已处理"
        VANISHED = "vanished", "已自动核平"

    bill = models.ForeignKey(
        BillDay, models.PROTECT, related_name="differences", verbose_name="对账单"
    )
    subject = models.CharField("类别", max_length=8, choices=Subject)
    kind = models.CharField("差异", max_length=12, choices=Kind)
    attempt_number = models.CharField("支付编号", max_length=64)
    refund_number = models.CharField("退款编号", max_length=64, blank=True)
    attempt = models.ForeignKey(
        PaymentAttempt,
        models.PROTECT,
        null=True,
        related_name="bill_differences",
        verbose_name="支付记录",
    )
    our_fen = models.PositiveBigIntegerField("本站金额（分）", null=True)
    their_fen = models.PositiveBigIntegerField("渠道金额（分）", null=True)
    state = models.CharField("状态", max_length=8, choices=State, default=State.OPEN)
    found_at = models.DateTimeField("发现时间")
    resolved_at = models.DateTimeField("处理时间", null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="处理人",
    )
    resolution = models.CharField("处理说明", max_length=200, blank=True)

    class Meta:
        verbose_name = "对账差异"
        verbose_name_plural = "对账差异"
        constraints = [
            models.UniqueConstraint(
                fields=["bill", "subject", "kind", "attempt_number", "refund_number"],
                name="bill_difference_once",
            ),
            models.CheckConstraint(
                name="bill_difference_resolved_has_reason",
                condition=~models.Q(state="resolved")
                | models.Q(resolved_at__isnull=False) & ~models.Q(resolution=""),
            ),
        ]
        indexes = [models.Index(fields=["state"], name="bill_difference_open")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.attempt_number}"
