from django.conf import settings
from django.db import models

from orders.models.order import Order, OrderLine
from orders.models.payment import PaymentAttempt, PaymentException


class Refund(models.Model):
    """Money of one attempt that shall go back, from the wish to the end.

    With lines it takes back what an order delivered; without, it returns money that was of
    no use (an exception), or notes what went back at the vendor's console.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", "待审批"
        APPROVED = "approved", "退款中"
        DONE = "done", "已退款"
        FAILED = "failed", "退款未成功"
        REFUSED = "refused", "未通过"
        CANCELLED = "cancelled", "已撤销"

    class Origin(models.TextChoices):
        BUYER = "buyer", "购买人申请"
        STAFF = "staff", "工作人员发起"
        EXCEPTION = "exception", "支付异常退回"
        GATEWAY = "gateway", "渠道侧退款"

    number = models.CharField("退款单号", max_length=20, unique=True)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="refunds", verbose_name="订单"
    )
    attempt = models.ForeignKey(
        PaymentAttempt, models.PROTECT, related_name="refunds", verbose_name="支付记录"
    )
    exception = models.OneToOneField(
        PaymentException,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="refund",
        verbose_name="支付异常",
    )
    origin = models.CharField("来源", max_length=10, choices=Origin)
    state = models.CharField(
        "状态", max_length=10, choices=State, default=State.REQUESTED
    )
    amount_fen = models.PositiveIntegerField("退款金额（分）")
    reason = models.CharField("退款原因", max_length=200)
    # Against the policy: proposed by one member of the staff, approved by another.
    is_override = models.BooleanField("超出退款规则", default=False)
    override_reason = models.CharField("超规则理由", max_length=200, blank=True)
    # Paid back by other means than the gateway, as staff noted.
    is_manual = models.BooleanField("线下退回", default=False)
    requested_at = models.DateTimeField("申请时间")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="申请人",
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="超规则提出人",
    )
    decided_at = models.DateTimeField("审批时间", null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="审批人",
    )
    decision = models.CharField("审批说明", max_length=200, blank=True)
    finished_at = models.DateTimeField("完成时间", null=True)
    # When the gateway is asked next; moved ahead while a worker is busy with it.
    due_at = models.DateTimeField("下次处理", null=True)
    rounds = models.PositiveIntegerField("处理次数", default=0)

    class Meta:
        verbose_name = "退款"
        verbose_name_plural = "退款"
        permissions = [
            ("decide_refund", "可审批和发起退款"),
            ("override_refund", "可超出退款规则退款"),
        ]
        constraints = [
            models.CheckConstraint(
                name="refund_amount_positive", condition=models.Q(amount_fen__gte=1)
            ),
            models.CheckConstraint(
                name="refund_done_has_time",
                condition=~models.Q(state="done") | models.Q(finished_at__isnull=False),
            ),
            models.CheckConstraint(
                name="refund_override_by_two",
                condition=models.Q(is_override=False)
                | models.Q(decided_by__isnull=True)
                | models.Q(state__in=["refused", "cancelled"])
                | ~models.Q(decided_by=models.F("proposed_by")),
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="refund_due")]

    def __str__(self) -> str:
        return self.number


class RefundLine(models.Model):
    """A seat whose money goes back, or `quantity` activation codes of a line.

    Of one line there is at most one live refund.
    """

    refund = models.ForeignKey(
        Refund, models.PROTECT, related_name="lines", verbose_name="退款"
    )
    line = models.ForeignKey(
        OrderLine, models.PROTECT, related_name="refund_lines", verbose_name="订单明细"
    )
    quantity = models.PositiveIntegerField("数量", default=1)
    amount_fen = models.PositiveIntegerField("退款金额（分）")
    # False once the refund was refused or cancelled, or has taken a part of the codes only:
    # the line may be asked for anew.
    is_live = models.BooleanField("有效", default=True)

    class Meta:
        verbose_name = "退款明细"
        verbose_name_plural = "退款明细"
        constraints = [
            models.UniqueConstraint(
                fields=["line"],
                condition=models.Q(is_live=True),
                name="refund_line_live_once",
            ),
            models.CheckConstraint(
                name="refund_line_quantity_positive",
                condition=models.Q(quantity__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.refund} {self.line}"


class RefundTry(models.Model):
    """One number under which a gateway was asked for a refund.

    It stays the same over every repetition; only a definite failure is followed by another
    number. `unknown` is a state: the gateway is asked what has become of it.
    """

    class State(models.TextChoices):
        SENDING = "sending", "发送中"
        UNKNOWN = "unknown", "结果未知"
        DONE = "done", "已退款"
        FAILED = "failed", "失败"

    refund = models.ForeignKey(
        Refund, models.PROTECT, related_name="tries", verbose_name="退款"
    )
    number = models.CharField("退款编号", max_length=64)
    gateway = models.CharField("支付方式", max_length=16)
    state = models.CharField("状态", max_length=8, choices=State, default=State.SENDING)
    created_at = models.DateTimeField("发起时间")
    asked_at = models.DateTimeField("上次发送", null=True)
    finished_at = models.DateTimeField("结束时间", null=True)
    failure = models.CharField("失败原因", max_length=200, blank=True)

    class Meta:
        verbose_name = "渠道退款"
        verbose_name_plural = "渠道退款"
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "number"], name="refund_try_number_once"
            ),
            models.UniqueConstraint(
                fields=["refund"],
                condition=models.Q(state__in=["sending", "unknown", "done"]),
                name="refund_try_one_live",
            ),
        ]

    def __str__(self) -> str:
        return self.number
