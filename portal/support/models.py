from django.conf import settings
from django.db import models

from portal.lib.codes import random_code


class Conversation(models.Model):
    """A visitor's conversation with customer service (在线客服), found by person or browser."""

    class State(models.TextChoices):
        OPEN = "open", "待回复"
        ANSWERED = "answered", "已回复"
        CLOSED = "closed", "已结束"

    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="conversations",
        verbose_name="学员",
    )
    topic = models.CharField("咨询内容", max_length=60)
    state = models.CharField("状态", max_length=10, choices=State, default=State.OPEN)
    started_at = models.DateTimeField("开始时间")
    updated_at = models.DateTimeField("最近时间")

    class Meta:
        verbose_name = "客服会话"
        verbose_name_plural = "客服会话"

    def __str__(self) -> str:
        return self.topic


class ConversationMessage(models.Model):
    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="messages", verbose_name="会话"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    from_staff = models.BooleanField("客服", default=False)
    text = models.CharField("内容", max_length=1000)
    sent_at = models.DateTimeField("时间")

    class Meta:
        verbose_name = "会话消息"
        verbose_name_plural = "会话消息"

    def __str__(self) -> str:
        return self.text[:30]
