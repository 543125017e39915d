from django.conf import settings
from django.db import models

from orders.models.order import Order, OrderLine


class PaymentAttempt(models.Model):
    """One try to pay an order at one gateway under one number.

    Another gateway, amount or expiry is another attempt. `paid` is final. `received_fen` is
    what the gateway has taken for us, `refunded_fen` what of it went back; the difference is
    ours to account for. Of all attempts of an order at most one `pays_order`: what came by
    another one goes back.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "等待支付"
        PAID = "paid", "已支付"
        CLOSED = "closed", "已关闭"
        REVIEW = "review", "人工核对"

    number = models.CharField("支付编号", max_length=20, unique=True)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="attempts", verbose_name="订单"
    )
    gateway = models.CharField("支付方式", max_length=16)
    # The merchant the money was asked for; the configured one may change later.
    seller = models.CharField("收款商户号", max_length=32, blank=True)
    amount_fen = models.PositiveIntegerField("金额（分）")
    subject = models.CharField("标题", max_length=120)
    state = models.CharField("状态", max_length=8, choices=State, default=State.WAITING)
    created_at = models.DateTimeField("发起时间")
    expires_at = models.DateTimeField("支付截止")
    polled_at = models.DateTimeField("上次查询", null=True, blank=True)
    paid_at = models.DateTimeField("支付时间", null=True, blank=True)
    closed_at = models.DateTimeField("关闭时间", null=True, blank=True)
    gateway_number = models.CharField("渠道交易号", max_length=64, blank=True)
    # None: nothing has come, or the gateway named no amount.
    received_fen = models.PositiveIntegerField("到账金额（分）", null=True, blank=True)
    refunded_fen = models.PositiveIntegerField("已退金额（分）", default=0)
    pays_order = models.BooleanField("用于支付订单", default=False)

    class Meta:
        verbose_name = "支付记录"
        verbose_name_plural = "支付记录"
        constraints = [
            models.CheckConstraint(
                name="attempt_paid_has_time",
                condition=~models.Q(state="paid") | models.Q(paid_at__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=models.Q(pays_order=True),
                name="attempt_one_pays_order",
            ),
            models.CheckConstraint(
                name="attempt_refunds_no_more_than_received",
                condition=models.Q(refunded_fen=0)
                | models.Q(refunded_fen__lte=models.F("received_fen")),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "polled_at"], name="attempt_polling"),
            models.Index(fields=["state", "expires_at"], name="attempt_ending"),
            # For the bill of a day.
            models.Index(fields=["gateway", "paid_at"], name="attempt_by_day"),
        ]

    def __str__(self) -> str:
        return self.number


class GatewayMessage(models.Model):
    """Something a gateway said, raw, with the verdict on its signature. Append-only but for
    the verdict and the time of processing."""

    class Source(models.TextChoices):
        NOTIFICATION = "notification", "异步通知"
        QUERY = "query", "主动查询"
        RETURN = "return", "页面返回"
        BILL = "bill", "渠道账单"
        REFUND = "refund", "退款应答"

    class Verdict(models.TextChoices):
        VERIFIED = "verified", "验签通过"
        REJECTED = "rejected", "验签失败"

    class State(models.TextChoices):
        WAITING = "waiting", "待处理"
        DONE = "done", "已处理"
        IGNORED = "ignored", "不处理"

    gateway = models.CharField("支付方式", max_length=16)
    source = models.CharField("来源", max_length=16, choices=Source)
    attempt = models.ForeignKey(
        PaymentAttempt,
        models.PROTECT,
        null=True,
        related_name="messages",
        verbose_name="支付记录",
    )
    event_id = models.CharField("通知编号", max_length=80, blank=True)
    headers = models.JSONField("报文头", default=dict)
    body = models.TextField("报文", blank=True)
    verdict = models.CharField("验签", max_length=10, choices=Verdict)
    reason = models.CharField("说明", max_length=200, blank=True)
    report = models.JSONField("解析结果", null=True)
    state = models.CharField("状态", max_length=8, choices=State)
    received_at = models.DateTimeField("收到时间")
    processed_at = models.DateTimeField("处理时间", null=True)

    class Meta:
        verbose_name = "渠道报文"
        verbose_name_plural = "渠道报文"
        indexes = [
            models.Index(fields=["state", "received_at"], name="gateway_message_due")
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.event_id}".strip()


class PaymentException(models.Model):
    """Money or a message that fits no order: finance staff decide, nothing is dropped.

    About one seat of an order when `line` is set: its money was taken, but the person has the
    plan another way. `refund_number` names a refund that we did not make.
    """

    class Kind(models.TextChoices):
        UNKNOWN_ATTEMPT = "unknown_attempt", "无对应支付记录"
        AMOUNT = "amount", "金额不符"
        SELLER = "seller", "收款方不符"
        LATE = "late", "订单关闭后到账"
        DUPLICATE = "duplicate", "重复支付"
        FOREIGN_REFUND = "foreign_refund", "渠道侧退款"

    class State(models.TextChoices):
        OPEN = "open", "待处理"
        RESOLVED = "resolved", "已处理"

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", "予以确认"
        RETURNED = "returned", "退回款项"
        NOTED = "noted", "无需处理"

    kind = models.CharField("类别", max_length=16, choices=Kind)
    gateway = models.CharField("支付方式", max_length=16)
    attempt_number = models.CharField("支付编号", max_length=64)
    attempt = models.ForeignKey(
        PaymentAttempt,
        models.PROTECT,
        null=True,
        related_name="exceptions",
        verbose_name="支付记录",
    )
    message = models.ForeignKey(
        GatewayMessage,
        models.PROTECT,
        null=True,
        related_name="exceptions",
        verbose_name="渠道报文",
    )
    line = models.ForeignKey(
        OrderLine,
        models.PROTECT,
        null=True,
        related_name="exceptions",
        verbose_name="订单明细",
    )
    refund_number = models.CharField("渠道退款编号", max_length=64, blank=True)
    amount_fen = models.PositiveIntegerField("金额（分）", null=True)
    state = models.CharField("状态", max_length=8, choices=State, default=State.OPEN)
    raised_at = models.DateTimeField("发现时间")
    resolved_at = models.DateTimeField("处理时间", null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="处理人",
    )
    outcome = models.CharField("处理方式", max_length=10, choices=Outcome, blank=True)
    resolution = models.CharField("处理说明", max_length=200, blank=True)

    class Meta:
        verbose_name = "支付异常"
        verbose_name_plural = "支付异常"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "gateway", "attempt_number", "refund_number"],
                condition=models.Q(state="open", line__isnull=True),
                name="exception_open_once",
            ),
            models.UniqueConstraint(
                fields=["line"],
                condition=models.Q(state="open"),
                name="exception_open_once_per_line",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.attempt_number}"
