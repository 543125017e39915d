import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models

from accounts.models.files import PrivateFile
from accounts.personal_data import EncryptedColumns, cipher
from accounts.rules.message_texts import TEMPLATES
from portal.lib.codes import random_code


class VerificationCode(models.Model):
    """A code sent to a phone for one purpose and one browser; only its hash is kept."""

    class Purpose(models.TextChoices):
        REGISTER = "register", "注册"
        LOGIN = "login", "登录"
        RESET = "reset", "重置密码"
        ACTIVATE = "activate", "首次登录"
        # For somebody whose account has another phone: to file a request and to look it up.
        REQUEST = "request", "手机号码变更申请"
        OLD_PHONE = "old_phone", "验证原手机号码"
        NEW_PHONE = "new_phone", "更换手机号码"
        CLOSE = "close", "注销账号"
        SIGN = "sign", "签署文书"

    phone_index = models.CharField("手机号码索引", max_length=64)
    purpose = models.CharField("用途", max_length=16, choices=Purpose)
    browser = models.CharField("浏览器", max_length=64)
    address_index = models.CharField("来源地址索引", max_length=64)
    code_hash = models.CharField("验证码摘要", max_length=64)
    tries_left = models.PositiveSmallIntegerField("剩余次数")
    sent_at = models.DateTimeField("发送时间")
    expires_at = models.DateTimeField("失效时间")
    used_at = models.DateTimeField("使用时间", null=True, blank=True)

    class Meta:
        verbose_name = "验证码"
        verbose_name_plural = "验证码"
        indexes = [
            models.Index(fields=["phone_index", "sent_at"], name="code_by_phone"),
            models.Index(fields=["address_index", "sent_at"], name="code_by_address"),
            models.Index(fields=["sent_at"], name="code_by_time"),
        ]

    def __str__(self) -> str:
        return self.get_purpose_display()


def encode_content(text: str, values: Mapping[str, str]) -> str:
    """The words and values of a message as its row keeps them."""
    return json.dumps({"text": text, "values": dict(values)}, ensure_ascii=False)


class Message(models.Model):
    """The outbox: one message to one person, written with what causes it, sent by a task."""

    class Channel(models.TextChoices):
        SMS = "sms", "短信"
        MAIL = "mail", "电子邮件"
        WECHAT = "wechat", "微信模板消息"

    class State(models.TextChoices):
        WAITING = "waiting", "待发送"
        SENT = "sent", "已发送"
        FAILED = "failed", "发送失败"
        # Written like the others, so that nobody can tell from the time an answer takes.
        WITHHELD = "withheld", "无需发送"

    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
    channel = models.CharField("渠道", max_length=8, choices=Channel)
    template = models.CharField("模板", max_length=40)
    # Codes are sent first: five minutes later they are worth nothing.
    is_code = models.BooleanField("验证码", default=False)
    recipient_cipher = models.BinaryField("接收方密文")
    recipient_mask = models.CharField("接收方", max_length=60)
    text_cipher = models.BinaryField("内容密文")
    state = models.CharField("状态", max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField("尝试次数", default=0)
    created_at = models.DateTimeField("创建时间")
    due_at = models.DateTimeField("下次发送时间")
    # A code that comes late is worse than none: it would be sent beside a newer one.
    expires_at = models.DateTimeField("过时不发", null=True, blank=True)
    sent_at = models.DateTimeField("实际发送时间", null=True, blank=True)
    error = models.CharField("失败原因", max_length=200, blank=True)
    attachment = models.ForeignKey(
        PrivateFile,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="附件",
    )

    encrypted_columns: ClassVar[EncryptedColumns] = {
        "recipient_cipher": lambda message: message.context_of("recipient"),
        "text_cipher": lambda message: message.context_of("text"),
    }

    class Meta:
        verbose_name = "消息"
        verbose_name_plural = "消息"
        permissions = [("retry_message", "可重新发送消息")]
        indexes = [
            models.Index(fields=["state", "is_code", "due_at"], name="message_due"),
            # The messages of the last hour, for the cap.
            models.Index(fields=["sent_at"], name="message_by_sending"),
            # Recipients are encrypted: the mask narrows down who got what.
            models.Index(fields=["recipient_mask"], name="message_by_mask"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.recipient_mask}"

    def context_of(self, column: str) -> str:
        return f"accounts.message.{column}:{self.code}"

    def store_recipient(self, recipient: str) -> None:
        self.recipient_cipher = cipher().encrypt(
            recipient, context=self.context_of("recipient")
        )

    def store_content(self, text: str, values: Mapping[str, str]) -> None:
        self.store_encoded(encode_content(text, values))

    def store_encoded(self, content: str) -> None:
        """Encrypt what `encode_content` made, once for many messages with the same words."""
        self.text_cipher = cipher().encrypt(content, context=self.context_of("text"))

    @property
    def recipient(self) -> str:
        return cipher().decrypt(
            self.recipient_cipher, context=self.context_of("recipient")
        )

    @property
    def subject(self) -> str:
        """What a mail is about; SMS have none."""
        return TEMPLATES[self.template].subject

    @property
    def text(self) -> str:
        """The words as they are sent; empty once they were forgotten."""
        return str(self._content["text"]) if self.text_cipher else ""

    @property
    def values(self) -> dict[str, str]:
        """What the template's places are filled with, for providers that send by template."""
        values: dict[str, str] = self._content["values"]
        return values

    @property
    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(
            cipher().decrypt(self.text_cipher, context=self.context_of("text"))
        )
        return content
