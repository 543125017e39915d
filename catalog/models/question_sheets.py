"""Sheets of questions between upload and import."""

from django.conf import settings
from django.db import models

from portal.lib.codes import random_code


class QuestionSheet(models.Model):
    """A sheet that a member of the staff uploaded and has not imported yet; one per person.

    `rows` are [[line, {column: text}], …] as typed: what is wrong with them is found anew
    whenever they are looked at, since courses change meanwhile.
    """

    uploaded_by = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="+",
        verbose_name="上传人",
    )
    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
    uploaded_at = models.DateTimeField("上传时间")
    rows = models.JSONField("题目")

    class Meta:
        verbose_name = "待导入题目"
        verbose_name_plural = "待导入题目"

    def __str__(self) -> str:
        return self.code
