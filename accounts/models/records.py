from django.db import models

from accounts.models.people import User


class Consent(models.Model):
    """That a person agreed to one version of one notice, when and from where (个人信息保护法 14, 29)."""

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


class AuditEntry(models.Model):
    """Who did what to what. Append-only; each row carries the hash of the one before."""

    at = models.DateTimeField("时间")
    actor = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name="操作人"
    )
    action = models.CharField("操作", max_length=60)
    target = models.CharField("对象", max_length=80)
    detail = models.JSONField("说明", default=dict)
    previous_hash = models.CharField("前一条摘要", max_length=64)
    hash = models.CharField("摘要", max_length=64, unique=True)

    class Meta:
        verbose_name = "审计记录"
        verbose_name_plural = "审计记录"

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
