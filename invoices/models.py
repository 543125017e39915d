from datetime import datetime

from django.db import models

from orders.models import InvoiceRequest, Order


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def live(self) -> "InvoiceQuerySet":
        """Blue invoices that stand: one for each order."""
        return self.filter(kind=Invoice.Kind.BLUE).exclude(state=Invoice.State.REVERSED)

    def due(self, now: datetime) -> "InvoiceQuerySet":
        """Invoices whose provider is to be asked now."""
        return self.filter(
            models.Q(due_at__isnull=True) | models.Q(due_at__lte=now),
            state__in=[Invoice.State.REQUESTED, Invoice.State.ISSUING],
        )


class Invoice(models.Model):
    """One electronic invoice (数电票) as it was asked for and as the provider issued it.

    Never edited after issue: a correction is a red invoice that points to the blue one, and
    a new blue one. One live blue invoice per order.
    """

    class Kind(models.TextChoices):
        BLUE = "blue", "蓝字发票"
        RED = "red", "红字发票"

    class State(models.TextChoices):
        REQUESTED = "requested", "已申请"
        ISSUING = "issuing", "开具中"
        ISSUED = "issued", "已开具"
        FAILED = "failed", "开具失败"
        REVERSED = "reversed", "已红冲"

    request_number = models.CharField("申请编号", max_length=20, unique=True)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="invoices", verbose_name="订单"
    )
    kind = models.CharField("类别", max_length=4, choices=Kind, default=Kind.BLUE)
    corrects = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
        verbose_name="所更正的发票",
    )
    state = models.CharField(
        "状态", max_length=10, choices=State, default=State.REQUESTED
    )
    buyer_kind = models.CharField(
        "抬头类型", max_length=12, choices=InvoiceRequest.Buyer
    )
    title = models.CharField("发票抬头", max_length=120)
    credit_code = models.CharField("统一社会信用代码", max_length=20, blank=True)
    email = models.EmailField("接收邮箱", blank=True)
    seller_name = models.CharField("销售方", max_length=120, blank=True)
    seller_credit_code = models.CharField(
        "销售方统一社会信用代码", max_length=20, blank=True
    )
    amount_fen = models.PositiveIntegerField("价税合计（分）")
    tax_fen = models.PositiveIntegerField("税额（分）", default=0)
    tax_rate_permille = models.PositiveSmallIntegerField("税率（‰）", default=0)
    item_name = models.CharField("项目名称", max_length=80)
    remark = models.CharField("备注", max_length=200, blank=True)
    # NULL until issued: unlike empty texts, NULLs do not collide.
    number = models.CharField(
        "发票号码", max_length=20, null=True, blank=True, unique=True
    )
    requested_at = models.DateTimeField("申请时间")
    issued_at = models.DateTimeField("开具时间", null=True, blank=True)
    # When the provider is asked next; moved ahead while a worker is busy with it.
    due_at = models.DateTimeField("下次开具", null=True, blank=True)
    tries = models.PositiveSmallIntegerField("尝试次数", default=0)
    failure = models.CharField("失败原因", max_length=200, blank=True)
    # The provider said no for good: nothing was issued, so it may be asked for anew.
    is_refused = models.BooleanField("开票服务已拒绝", default=False)
    file = models.FileField("PDF", max_length=200, blank=True)
    xml = models.FileField("XML", max_length=200, blank=True)
    is_sample = models.BooleanField("样票", default=False)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = "发票"
        verbose_name_plural = "发票"
        permissions = [("retry_invoice", "可重新开具发票")]
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                condition=models.Q(
                    kind="blue", state__in=["requested", "issuing", "issued", "failed"]
                ),
                name="invoice_one_live_per_order",
            ),
            models.CheckConstraint(
                name="invoice_issued_has_number",
                condition=~models.Q(state__in=["issued", "reversed"])
                | models.Q(number__isnull=False, issued_at__isnull=False),
            ),
            models.CheckConstraint(
                name="invoice_tax_within_amount",
                condition=models.Q(tax_fen__lte=models.F("amount_fen")),
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="invoice_due")]

    def __str__(self) -> str:
        return self.number or self.request_number

    @property
    def net_fen(self) -> int:
        """The amount without tax."""
        return self.amount_fen - self.tax_fen
