import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import PrivateFile
from accounts.personal_data import EncryptedColumns, blind_index, cipher
from catalog.models import Plan
from orders.models.order import OrderLine
from orders.rules import format_secret, make_code_number, mask_secret
from portal.lib.codes import random_code
from portal.lib.masks import mask_digits, mask_id_number, mask_phone


def secret_index(secret: str) -> str:
    """The blind index under which a code is found."""
    return blind_index().of("activation_code", secret)


class ActivationCode(models.Model):
    """A right to study one plan that belongs to nobody yet (激活码).

    The secret lies encrypted, for its owner's printing, and is found by its blind index: a
    copy of the database opens nothing. `number` names the row and opens nothing either. The
    owner is who paid, the person who was given or used it.
    """

    class State(models.TextChoices):
        UNUSED = "unused", "未使用"
        GIVEN = "given", "已赠送"
        USED = "used", "已使用"
        VOID = "void", "已作废"

    number = models.CharField(
        "编号", max_length=16, unique=True, default=make_code_number
    )
    line = models.ForeignKey(
        OrderLine, models.PROTECT, related_name="codes", verbose_name="订单明细"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="owned_codes",
        verbose_name="购买人",
    )
    plan = models.ForeignKey(
        Plan, models.PROTECT, related_name="activation_codes", verbose_name="学习计划"
    )
    secret_cipher = models.BinaryField("激活码密文")
    secret_index = models.CharField("激活码索引", max_length=64, unique=True)
    state = models.CharField("状态", max_length=8, choices=State, default=State.UNUSED)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="activation_codes",
        verbose_name="学员",
    )
    issued_at = models.DateTimeField("生成时间")
    # Of a code on paper, which may be in somebody's hand already: given and voided last.
    printed_at = models.DateTimeField("打印时间", null=True, blank=True)
    given_at = models.DateTimeField("赠送时间", null=True, blank=True)
    used_at = models.DateTimeField("使用时间", null=True, blank=True)
    voided_at = models.DateTimeField("作废时间", null=True, blank=True)
    # The refund it was voided for.
    voided_for = models.CharField("作废依据", max_length=32, blank=True)

    encrypted_columns: ClassVar[EncryptedColumns] = {
        "secret_cipher": lambda code: code.context
    }

    class Meta:
        verbose_name = "激活码"
        verbose_name_plural = "激活码"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "plan"],
                condition=Q(state__in=["given", "used"]),
                name="code_once_per_person_and_plan",
            ),
            models.CheckConstraint(
                name="code_state_has_its_facts",
                condition=Q(
                    state="unused",
                    person__isnull=True,
                    given_at__isnull=True,
                    used_at__isnull=True,
                    voided_at__isnull=True,
                )
                | Q(
                    state="given",
                    person__isnull=False,
                    given_at__isnull=False,
                    used_at__isnull=True,
                    voided_at__isnull=True,
                )
                | Q(
                    state="used",
                    person__isnull=False,
                    used_at__isnull=False,
                    voided_at__isnull=True,
                )
                | Q(
                    state="void",
                    person__isnull=True,
                    given_at__isnull=True,
                    used_at__isnull=True,
                    voided_at__isnull=False,
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "plan", "state"], name="code_by_owner"),
            models.Index(fields=["line", "state"], name="code_by_line"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def context(self) -> str:
        """The place the ciphertext is bound to."""
        return f"orders.activationcode.secret:{self.number}"

    def store_secret(self, secret: str) -> None:
        """Put a secret into its two columns; saving is the caller's."""
        self.secret_cipher = cipher().encrypt(secret, context=self.context)
        self.secret_index = secret_index(secret)

    @property
    def secret(self) -> str:
        return cipher().decrypt(self.secret_cipher, context=self.context)

    @property
    def written_secret(self) -> str:
        """In groups, as it is printed for its owner."""
        return format_secret(self.secret)

    @property
    def masked_secret(self) -> str:
        return mask_secret(self.secret)


@dataclass(frozen=True)
class ImportedPerson:
    """Who stands in a row, as typed; numbers are shown masked only."""

    name: str
    account: str

    @property
    def shown_name(self) -> str:
        return mask_digits(self.name)

    @property
    def masked_account(self) -> str:
        """A user name is no secret of its holder's, but may be a phone all the same."""
        if len(self.account) >= 15:
            return mask_id_number(self.account)
        digits = sum(character.isdigit() for character in self.account)
        return mask_phone(self.account) if digits >= 7 else self.account


class CodeImport(models.Model):
    """A sheet of people who are to be given codes of one plan (导入人员).

    Checked by a worker, confirmed by the owner, handed out by a worker. The lease says that
    a worker is at it and until when it is to be believed.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", "等待检查"
        CHECKING = "checking", "正在检查"
        CHECKED = "checked", "待确认"
        CONFIRMED = "confirmed", "等待赠送"
        GIVING = "giving", "正在赠送"
        DONE = "done", "已完成"
        REFUSED = "refused", "文件无法读取"
        DROPPED = "dropped", "已放弃"

    TO_CHECK = (State.UPLOADED, State.CHECKING)
    TO_GIVE = (State.CONFIRMED, State.GIVING)
    ENDED = (State.DONE, State.REFUSED, State.DROPPED)

    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="code_imports",
        verbose_name="导入人",
    )
    plan = models.ForeignKey(
        Plan, models.PROTECT, related_name="code_imports", verbose_name="学习计划"
    )
    state = models.CharField(
        "状态", max_length=10, choices=State, default=State.UPLOADED
    )
    file = models.ForeignKey(
        PrivateFile,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="人员文件",
    )
    error_file = models.ForeignKey(
        PrivateFile,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="错误文件",
    )
    row_count = models.PositiveIntegerField("行数", default=0)
    checked_count = models.PositiveIntegerField("已检查", default=0)
    valid_count = models.PositiveIntegerField("可赠送", default=0)
    given_count = models.PositiveIntegerField("已赠送", default=0)
    failed_count = models.PositiveIntegerField("未赠送", default=0)
    reason = models.CharField("原因", max_length=300, blank=True)
    uploaded_at = models.DateTimeField("上传时间")
    checked_at = models.DateTimeField("检查完成时间", null=True, blank=True)
    confirmed_at = models.DateTimeField("确认时间", null=True, blank=True)
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)
    forgotten_at = models.DateTimeField("清除时间", null=True, blank=True)
    lease_until = models.DateTimeField("处理占用至", null=True, blank=True)
    tries = models.PositiveSmallIntegerField("处理次数", default=0)

    class Meta:
        verbose_name = "激活码人员导入"
        verbose_name_plural = "激活码人员导入"
        indexes = [
            models.Index(
                fields=["owner", "plan", "uploaded_at"], name="code_import_by_owner"
            ),
            models.Index(fields=["state", "uploaded_at"], name="code_import_by_state"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_at_work(self) -> bool:
        """Whether a worker has to do something about it: pages ask again by themselves."""
        return self.state in (*self.TO_CHECK, *self.TO_GIVE)

    @property
    def invalid_count(self) -> int:
        return self.checked_count - self.valid_count

    @property
    def handled_count(self) -> int:
        return self.given_count + self.failed_count

    @property
    def has_errors(self) -> bool:
        """Whether an error file can be made: rows that were not, or cannot be, given to."""
        has_any = self.invalid_count > 0 or self.failed_count > 0
        is_told = self.state in (self.State.CHECKED, *self.ENDED)
        return has_any and is_told and self.forgotten_at is None

    def has_error_file(self, now: datetime) -> bool:
        return self.error_file is not None and self.error_file.is_available(now=now)


class CodeImportRow(models.Model):
    """One line of a sheet and what became of it; what was typed only encrypted."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", "可赠送"
        INVALID = "invalid", "不能赠送"
        GIVEN = "given", "已赠送"
        FAILED = "failed", "未赠送"

    code_import = models.ForeignKey(
        CodeImport, models.CASCADE, related_name="rows", verbose_name="导入"
    )
    line = models.PositiveIntegerField("行号")
    data_cipher = models.BinaryField("内容密文")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="学员",
    )
    outcome = models.CharField("结果", max_length=8, choices=Outcome)
    problem = models.CharField("原因", max_length=120, blank=True)

    encrypted_columns: ClassVar[EncryptedColumns] = {
        "data_cipher": lambda row: row.context
    }

    class Meta:
        verbose_name = "激活码导入行"
        verbose_name_plural = "激活码导入行"
        constraints = [
            models.UniqueConstraint(
                fields=["code_import", "line"], name="code_import_row_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["code_import", "outcome", "line"], name="code_row_by_outcome"
            )
        ]

    def __str__(self) -> str:
        return f"第{self.line}行"

    @property
    def context(self) -> str:
        return f"orders.codeimportrow.data:{self.code_import_id}:{self.line}"

    def store_typed(self, typed: ImportedPerson) -> None:
        """Encrypt what was typed; saving is the caller's."""
        content = json.dumps([typed.name, typed.account], ensure_ascii=False)
        self.data_cipher = cipher().encrypt(content, context=self.context)

    @property
    def typed(self) -> ImportedPerson:
        parts: Sequence[str] = json.loads(
            cipher().decrypt(self.data_cipher, context=self.context)
        )
        return ImportedPerson(*parts)
