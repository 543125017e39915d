from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.personal_data import EncryptedColumns, cipher
from catalog.models import Subject
from learning.models import Enrolment


class NumberSeries(models.Model):
    """The counter of certificate numbers of one year and subject; locked when it moves."""

    year = models.PositiveSmallIntegerField("年度")
    subject = models.CharField("科目", max_length=16)
    last_number = models.PositiveIntegerField("已用到", default=0)

    class Meta:
        verbose_name = "证书号段"
        verbose_name_plural = "证书号段"
        constraints = [
            models.UniqueConstraint(
                fields=["year", "subject"], name="number_series_per_year"
            )
        ]

    def __str__(self) -> str:
        return f"{self.year} {Subject(self.subject).label} {self.last_number}"


class Certificate(models.Model):
    """The certificate of one completed plan. Its papers are `CertificateIssue` rows."""

    class State(models.TextChoices):
        VALID = "valid", "有效"
        REVOKED = "revoked", "已撤销"

    number = models.CharField("证书编号", max_length=24, unique=True)
    enrolment = models.OneToOneField(
        Enrolment,
        models.PROTECT,
        related_name="certificate",
        verbose_name="学习计划开通",
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="certificates",
        verbose_name="学员",
    )
    state = models.CharField("状态", max_length=8, choices=State, default=State.VALID)
    issued_at = models.DateTimeField("发证时间")
    revoked_at = models.DateTimeField("撤销时间", null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="撤销人",
    )
    revocation_reason = models.CharField("撤销原因", max_length=200, blank=True)

    class Meta:
        verbose_name = "证书"
        verbose_name_plural = "证书"
        permissions = [("revoke_certificate", "可撤销证书")]
        constraints = [
            models.CheckConstraint(
                name="certificate_revoked_has_reason",
                condition=models.Q(state="valid")
                | models.Q(revoked_at__isnull=False) & ~models.Q(revocation_reason=""),
            )
        ]

    def __str__(self) -> str:
        return self.number


class IssueQuerySet(models.QuerySet["CertificateIssue"]):
    def claimable(self, before: datetime) -> "IssueQuerySet":
        """Issues that wait for a worker and were not claimed since `before`."""
        return self.filter(
            models.Q(claimed_at__isnull=True) | models.Q(claimed_at__lte=before),
            state=CertificateIssue.State.WAITING,
        )


class CertificateIssue(models.Model):
    """One version of the paper. What it prints is frozen here and never changes.

    A refresh adds version n + 1 and keeps n. `file` is written once, by the render task.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "制作中"
        READY = "ready", "已签章"
        NEEDS_ATTENTION = "needs_attention", "需人工处理"

    certificate = models.ForeignKey(
        Certificate, models.PROTECT, related_name="issues", verbose_name="证书"
    )
    version = models.PositiveSmallIntegerField("版本")
    token = models.CharField("查验码", max_length=26, unique=True)
    template_version = models.CharField("模板版本", max_length=16)
    # Every printed value as text; the ID number is encrypted apart.
    printed = models.JSONField("打印内容")
    id_number_cipher = models.BinaryField("证件号码密文")
    state = models.CharField(
        "状态", max_length=16, choices=State, default=State.WAITING
    )
    failure = models.CharField("原因", max_length=200, blank=True)
    issued_at = models.DateTimeField("签发时间")
    # Until a while after this moment some worker is busy with it; then the sweep takes over.
    claimed_at = models.DateTimeField("领取时间", null=True, blank=True)
    rendered_at = models.DateTimeField("制作时间", null=True, blank=True)
    file = models.FileField("文件", max_length=200, blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, db_index=True)
    size = models.PositiveIntegerField("大小（字节）", default=0)

    encrypted_columns: ClassVar[EncryptedColumns] = {
        "id_number_cipher": lambda issue: issue.id_number_context
    }

    objects = IssueQuerySet.as_manager()

    class Meta:
        verbose_name = "证书版本"
        verbose_name_plural = "证书版本"
        permissions = [("retry_certificateissue", "可重新制作证书")]
        constraints = [
            models.UniqueConstraint(
                fields=["certificate", "version"], name="issue_version_once"
            ),
            models.CheckConstraint(
                name="issue_ready_has_file",
                condition=~models.Q(state="ready")
                | ~models.Q(file="") & ~models.Q(sha256="") & models.Q(size__gt=0),
            ),
        ]
        indexes = [models.Index(fields=["state", "issued_at"], name="issue_waiting")]

    def __str__(self) -> str:
        return f"{self.certificate} 第{self.version}版"

    @property
    def id_number_context(self) -> str:
        """The place the ciphertext is bound to; the token never changes."""
        return f"certificates.issue.id_number:{self.token}"

    @property
    def id_number(self) -> str:
        return cipher().decrypt(
            bytes(self.id_number_cipher), context=self.id_number_context
        )
