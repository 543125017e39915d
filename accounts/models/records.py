from typing import ClassVar

from django.db import models

from accounts.models.people import User
from accounts.personal_data import EncryptedColumns, cipher
from portal.lib.codes import random_code


class Consent(models.Model):
    """That a person agreed to one version of one notice, when and from where.

    个人信息保护法, articles 14 and 29: consent is given for a stated purpose, and apart for
    sensitive data.
    """

    class Kind(models.TextChoices):
        PRIVACY = "privacy", "隐私政策"
        SENSITIVE = "sensitive", "敏感个人信息处理"
        TERMS = "terms", "用户协议"

    person = models.ForeignKey(
        User, models.CASCADE, related_name="consents", verbose_name="学员"
    )
    kind = models.CharField("类别", max_length=16, choices=Kind)
    version = models.CharField("版本", max_length=16)
    given_at = models.DateTimeField("同意时间")
    address = models.GenericIPAddressField("来源地址", null=True)
    channel = models.CharField("渠道", max_length=16, default="web")

    class Meta:
        verbose_name = "同意记录"
        verbose_name_plural = "同意记录"

    def __str__(self) -> str:
        return f"{self.person} {self.get_kind_display()} {self.version}"


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Rows are added and read, nothing else; the database refuses the same by triggers."""

    def update(self, **kwargs: object) -> int:
        raise TypeError("audit entries are never changed")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("audit entries are never deleted")


class AuditEntry(models.Model):
    """Who did what to what. Append-only; each row carries the hash of the one before."""

    position = models.PositiveBigIntegerField("序号", unique=True)
    at = models.DateTimeField("时间")
    actor = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name="操作人"
    )
    action = models.CharField("操作", max_length=60)
    target = models.CharField("对象", max_length=80)
    detail = models.JSONField("说明", default=dict)
    previous_hash = models.CharField("前一条摘要", max_length=64, unique=True)
    hash = models.CharField("摘要", max_length=64, unique=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "审计记录"
        verbose_name_plural = "审计记录"
        indexes = [
            models.Index(fields=["target", "position"], name="audit_by_target"),
            models.Index(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"


class AuditHead(models.Model):
    """The end of the chain: one row, locked by whoever appends.

    It makes writers queue, so the chain never forks, and tells a chain cut off at its end
    from a complete one.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    position = models.PositiveBigIntegerField("最后序号", default=0)
    hash = models.CharField("最后摘要", max_length=64)

    class Meta:
        verbose_name = "审计链末端"
        verbose_name_plural = "审计链末端"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="audit_head_is_one")
        ]

    def __str__(self) -> str:
        return f"{self.position}"


class IntegrityRecordQuerySet(models.QuerySet["IntegrityRecord"]):
    """Like audit entries: added and read. Only the rotation of keys writes a text anew."""

    def update(self, **kwargs: object) -> int:
        raise TypeError("integrity records are never changed")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("integrity records are never deleted")


class IntegrityRecord(models.Model):
    """An entry of a person's integrity record (诚信档案). Append-only.

    `source` is what it comes from, as the audit names it (`claim:CODE`): one entry of a kind
    for each. The text holds names and numbers, so it is ciphertext.
    """

    class Kind(models.TextChoices):
        COMMITMENT = "commitment", "缴费承诺"
        CHEATING = "cheating", "学习作弊"

    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
    person = models.ForeignKey(
        User,
        models.PROTECT,
        related_name="integrity_records",
        verbose_name="学员",
    )
    kind = models.CharField("类别", max_length=16, choices=Kind)
    text_cipher = models.BinaryField("内容密文")
    source = models.CharField("来源", max_length=80)
    recorded_at = models.DateTimeField("记入时间")
    recorded_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="记入人",
    )

    objects = IntegrityRecordQuerySet.as_manager()

    encrypted_columns: ClassVar[EncryptedColumns] = {
        "text_cipher": lambda record: record.context,
    }

    class Meta:
        verbose_name = "诚信档案"
        verbose_name_plural = "诚信档案"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "source"], name="integrity_once_per_source"
            )
        ]
        indexes = [
            models.Index(fields=["person", "recorded_at"], name="integrity_by_person")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.code}"

    @property
    def context(self) -> str:
        """The place the ciphertext is bound to."""
        return f"accounts.integrity_record.text:{self.code}"

    def store_text(self, text: str) -> None:
        """Put the text into its column; saving is the caller's."""
        self.text_cipher = cipher().encrypt(text, context=self.context)

    @property
    def text(self) -> str:
        return cipher().decrypt(self.text_cipher, context=self.context)
