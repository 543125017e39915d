from django.conf import settings
from django.db import models

from accounts.models import Unit
from catalog.models import Plan


class Order(models.Model):
    """What somebody buys. Paid only by settlement, never by a return page.

    `unit` is the one the buyer acts for, as it was when the order was placed. Of a paid
    order a part may go back: `refunded_fen` adds that up, and only when everything has gone
    back is the state `refunded`.
    """

    class Kind(models.TextChoices):
        PERSONAL = "personal", "个人购买"
        GROUP = "group", "团体购买"
        CODES = "codes", "激活码购买"

    class State(models.TextChoices):
        PENDING = "pending", "待支付"
        PAID = "paid", "已支付"
        CANCELLED = "cancelled", "已取消"
        EXPIRED = "expired", "已过期"
        REFUNDED = "refunded", "已退款"

    number = models.CharField("订单编号", max_length=20, unique=True)
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="orders",
        verbose_name="下单人",
    )
    unit = models.ForeignKey(
        Unit,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name="单位",
    )
    kind = models.CharField("购买方式", max_length=10, choices=Kind)
    state = models.CharField(
        "状态", max_length=10, choices=State, default=State.PENDING
    )
    total_fen = models.PositiveIntegerField("金额（分）")
    refunded_fen = models.PositiveIntegerField("已退金额（分）", default=0)
    created_at = models.DateTimeField("下单时间")
    expires_at = models.DateTimeField("支付截止")
    paid_at = models.DateTimeField("支付时间", null=True, blank=True)
    closed_at = models.DateTimeField("关闭时间", null=True, blank=True)

    class Meta:
        verbose_name = "订单"
        verbose_name_plural = "订单"
        permissions = [("export_order", "可导出订单")]
        constraints = [
            models.CheckConstraint(
                name="order_paid_has_time",
                condition=~models.Q(state__in=["paid", "refunded"])
                | models.Q(paid_at__isnull=False),
            ),
            models.CheckConstraint(
                name="order_refunds_no_more_than_paid",
                condition=models.Q(refunded_fen__lte=models.F("total_fen")),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "expires_at"], name="order_expiry"),
            models.Index(fields=["buyer", "created_at"], name="order_by_buyer"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """One plan for one person; title, year and price are copied as they were sold.

    A person's live line for a plan is unique: nobody is charged twice for the same thing.
    Activation codes have no person yet: one line stands for `quantity` of them. `price_fen`
    is always the price of one.
    """

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="lines", verbose_name="订单"
    )
    plan = models.ForeignKey(
        Plan, models.PROTECT, related_name="order_lines", verbose_name="学习计划"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="order_lines",
        verbose_name="学员",
    )
    quantity = models.PositiveIntegerField("数量", default=1)
    plan_title = models.CharField("计划名称", max_length=80)
    plan_year = models.PositiveSmallIntegerField("年度")
    hours = models.PositiveSmallIntegerField("学时")
    price_fen = models.PositiveIntegerField("价格（分）")
    # True while the order waits or is paid; the lines of a closed order, and a line whose
    # money went back, let the plan go.
    is_live = models.BooleanField("有效", default=True)
    refunded_at = models.DateTimeField("退款时间", null=True, blank=True)

    class Meta:
        verbose_name = "订单明细"
        verbose_name_plural = "订单明细"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "plan"],
                condition=models.Q(is_live=True),
                name="line_live_once_per_plan",
            ),
            models.CheckConstraint(
                name="line_of_a_person_is_one",
                condition=models.Q(person__isnull=True) | models.Q(quantity=1),
            ),
            models.CheckConstraint(
                name="line_quantity_positive", condition=models.Q(quantity__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_title} {self.person or ''}".rstrip()


class OrderEvent(models.Model):
    """The trace of an order, as its page shows it."""

    class Kind(models.TextChoices):
        PLACED = "placed", "订单已提交"
        ATTEMPT_STARTED = "attempt_started", "前往支付"
        NOTIFIED = "notified", "收到支付通知"
        QUERIED = "queried", "查询支付结果"
        PAID = "paid", "支付成功"
        ENROLLED = "enrolled", "学习已开通"
        CANCELLED = "cancelled", "订单已取消"
        EXPIRED = "expired", "订单已过期"
        EXCEPTION = "exception", "转人工处理"
        CODES_ISSUED = "codes_issued", "激活码已生成"
        REFUND_ASKED = "refund_asked", "申请退款"
        REFUND_STARTED = "refund_started", "退款已发起"
        REFUNDED = "refunded", "退款成功"
        REFUND_FAILED = "refund_failed", "退款未成功"
        REFUND_REFUSED = "refund_refused", "退款申请未通过"
        REFUND_CANCELLED = "refund_cancelled", "退款已撤销"

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="events", verbose_name="订单"
    )
    kind = models.CharField("事项", max_length=16, choices=Kind)
    at = models.DateTimeField("时间")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="操作人",
    )
    detail = models.CharField("说明", max_length=200, blank=True)

    class Meta:
        verbose_name = "订单轨迹"
        verbose_name_plural = "订单轨迹"
        indexes = [models.Index(fields=["order", "at"], name="event_by_order")]

    def __str__(self) -> str:
        return self.get_kind_display()


class InvoiceRequest(models.Model):
    """That the buyer wants an invoice, and made out to whom. The invoices app pulls it."""

    class Buyer(models.TextChoices):
        ENTERPRISE = "enterprise", "企业"
        INSTITUTION = "institution", "事业单位及其他"
        PERSON = "person", "个人"

    order = models.OneToOneField(
        Order, models.PROTECT, related_name="invoice_request", verbose_name="订单"
    )
    buyer_kind = models.CharField("抬头类型", max_length=12, choices=Buyer)
    title = models.CharField("发票抬头", max_length=120)
    credit_code = models.CharField("统一社会信用代码", max_length=20, blank=True)
    email = models.EmailField("接收邮箱", blank=True)
    requested_at = models.DateTimeField("申请时间")

    class Meta:
        verbose_name = "开票申请"
        verbose_name_plural = "开票申请"

    def __str__(self) -> str:
        return self.title
