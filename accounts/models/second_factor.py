from typing import ClassVar

from django.db import models
from django_otp.models import Device

from accounts.models.people import User
from accounts.personal_data import EncryptedColumns, cipher


class StaffDevice(Device):
    """The authenticator app of a member of the staff: second factor of the staff site.

    A device of django-otp, so its middleware and `is_verified()` work with it, but not its
    TOTPDevice: that one keeps the secret in clear, and a copy of the database would then be
    worth as much as every phone of the staff. A row is written once its first code was right.
    """

    # One for each person; `objects` and the other columns are those of django-otp.
    user = models.OneToOneField(
        User, models.CASCADE, related_name="staff_device", verbose_name="工作人员"
    )
    name = models.CharField("名称", max_length=64, default="身份验证器")
    confirmed = models.BooleanField("已启用", default=True)
    secret_cipher = models.BinaryField("密钥密文")
    # The newest step of time a code was accepted for: no code opens twice.
    last_step = models.BigIntegerField("最近验证步数", default=-1)
    enrolled_at = models.DateTimeField("绑定时间")
    last_used_at = models.DateTimeField("最近使用", null=True, blank=True)

    encrypted_columns: ClassVar[EncryptedColumns] = {
        "secret_cipher": lambda device: device.context,
    }

    class Meta:
        verbose_name = "两步验证设备"
        verbose_name_plural = "两步验证设备"
        permissions = [("reset_staffdevice", "可重置工作人员的两步验证")]

    def __str__(self) -> str:
        return f"{self.user}的身份验证器"

    def store_secret(self, secret: bytes) -> None:
        self.secret_cipher = cipher().encrypt_bytes(secret, context=self.context)

    @property
    def secret(self) -> bytes:
        return cipher().decrypt_bytes(self.secret_cipher, context=self.context)

    @property
    def context(self) -> str:
        """The place the secret is bound to."""
        return f"accounts.staff_device.secret:{self.user.code}"


class RecoveryCode(models.Model):
    """A code for the day the phone is lost: shown once, kept as a keyed hash, used once."""

    device = models.ForeignKey(
        StaffDevice,
        models.CASCADE,
        related_name="recovery_codes",
        verbose_name="设备",
    )
    code_hash = models.CharField("摘要", max_length=64)
    used_at = models.DateTimeField("使用时间", null=True, blank=True)

    class Meta:
        verbose_name = "恢复码"
        verbose_name_plural = "恢复码"
        constraints = [
            models.UniqueConstraint(
                fields=["device", "code_hash"], name="recovery_code_once"
            )
        ]

    def __str__(self) -> str:
        return "恢复码"
