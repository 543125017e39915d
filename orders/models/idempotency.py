from django.conf import settings
from django.db import models

from orders.models.order import Order


class IdempotencyKey(models.Model):
    """That an app has asked for an order under a key of its own: asked again, it gets the same.

    Both indexes are keyed hashes: what was asked for may hold a name or a taxpayer number.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name="下单人",
    )
    key_index = models.CharField("请求键", max_length=64)
    body_index = models.CharField("请求内容", max_length=64)
    # Empty only within the transaction that places the order.
    order = models.ForeignKey(
        Order, models.PROTECT, null=True, related_name="+", verbose_name="订单"
    )
    expires_at = models.DateTimeField("失效时间")

    class Meta:
        verbose_name = "下单请求"
        verbose_name_plural = "下单请求"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "key_index"], name="idempotency_key_once"
            )
        ]
        indexes = [models.Index(fields=["expires_at"], name="idempotency_key_by_end")]

    def __str__(self) -> str:
        return f"{self.order}"
