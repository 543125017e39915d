from datetime import datetime
from typing import ClassVar

from django.db import models

from accounts.models.people import User
from accounts.personal_data import EncryptedColumns
from portal.lib.codes import random_code


class PrivateFile(models.Model):
    """A file about people: a registration list, a proof, an export.

    Encrypted in the storage, bound to the row by its `code`, and gone after `expires_at`.
    Nobody gets one by its address: views ask who may have it and answer with an attachment.
    """

    class Purpose(models.TextChoices):
        LIST = "list", "注册名单"
        RESULT = "result", "结果文件"
        ERRORS = "errors", "错误文件"
        PROOF = "proof", "证明材料"
        EXPORT = "export", "数据导出"
        CODES = "codes", "激活码人员"
        GROUP = "group", "团购名单"

    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
    purpose = models.CharField("用途", max_length=8, choices=Purpose)
    owner = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="private_files",
        verbose_name="所有人",
    )
    name = models.CharField("文件名", max_length=120)
    content_type = models.CharField("类型", max_length=100)
    size = models.PositiveIntegerField("大小（字节）")
    file = models.FileField("密文", upload_to="private/%Y/%m/", max_length=120)
    created_at = models.DateTimeField("创建时间")
    expires_at = models.DateTimeField("删除时间", null=True, blank=True)

    encrypted_files: ClassVar[EncryptedColumns] = {"file": lambda file: file.context}

    class Meta:
        verbose_name = "私密文件"
        verbose_name_plural = "私密文件"
        indexes = [models.Index(fields=["expires_at"], name="private_file_by_end")]

    def __str__(self) -> str:
        return self.name

    def is_available(self, *, now: datetime) -> bool:
        """Whether it may still be fetched; what is over is deleted a little later."""
        return self.expires_at is None or self.expires_at > now

    @property
    def context(self) -> str:
        """The place the ciphertext is bound to."""
        return f"accounts.private_file:{self.code}"
