import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from django.db import models

from accounts.models.files import PrivateFile
from accounts.models.organisations import Unit
from accounts.models.people import User
from accounts.personal_data import EncryptedColumns, cipher
from portal.lib.codes import random_code
from portal.lib.masks import mask_digits, mask_id_number, mask_phone


@dataclass(frozen=True)
class ListedPerson:
    """Who stands in a row: normalised where it could be read, empty where it could not.

    `typed` are the cells as they stood in the sheet, kept only for rows with problems, for
    the error file. `problems` and `hints` are pairs of a column and a text; both may repeat
    what was typed, so they lie inside the ciphertext too.
    """

    name: str
    id_number: str
    phone: str
    gender: str = ""
    remark: str = ""
    typed: Sequence[str] = ()
    problems: Sequence[Sequence[str]] = ()
    hints: Sequence[Sequence[str]] = ()

    @property
    def shown_name(self) -> str:
        """The name; in a sheet whose columns slipped a number may stand in its place."""
        return mask_digits(self.name or (self.typed[0] if self.typed else ""))

    @property
    def masked_id_number(self) -> str:
        return mask_id_number(self.id_number or (self.typed[1] if self.typed else ""))

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone or (self.typed[2] if self.typed else ""))


class RegistrationList(models.Model):
    """A list of people whom a unit wants registered (附件2), from the file to the reply.

    The counts stay for ever; the rows, the file and whom to answer are forgotten 90 days
    after the end. The lease says that a worker is at it and until when it is to be believed.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", "等待检查"
        CHECKING = "checking", "正在检查"
        CHECKED = "checked", "待提交"
        SUBMITTED = "submitted", "待审核"
        APPROVED = "approved", "已通过"
        CREATING = "creating", "正在开户"
        DONE = "done", "已完成"
        REFUSED = "refused", "文件无法读取"
        RETURNED = "returned", "已退回"
        WITHDRAWN = "withdrawn", "已撤回"

    class Channel(models.TextChoices):
        UPLOAD = "upload", "经办人上传"
        MAIL = "mail", "来信代传"

    # What a worker is to do something about, and what has come to its end.
    TO_CHECK = (State.UPLOADED, State.CHECKING)
    TO_CREATE = (State.APPROVED, State.CREATING)
    ENDED = (State.DONE, State.REFUSED, State.RETURNED, State.WITHDRAWN)

    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
    unit = models.ForeignKey(
        Unit, models.PROTECT, related_name="lists", verbose_name="单位"
    )
    channel = models.CharField("来源", max_length=8, choices=Channel)
    state = models.CharField(
        "状态", max_length=12, choices=State, default=State.UPLOADED
    )
    replaces = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="replaced_by",
        verbose_name="更正自",
    )
    file = models.ForeignKey(
        PrivateFile,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="名单文件",
    )
    error_file = models.ForeignKey(
        PrivateFile,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="错误文件",
    )
    result_file = models.ForeignKey(
        PrivateFile,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="结果文件",
    )
    # What the sheet says above its rows, and the address the reply goes to.
    head_cipher = models.BinaryField("表头密文", default=bytes)
    reply_mail_cipher = models.BinaryField("回复邮箱密文", default=bytes)
    form = models.CharField("表样", max_length=20, blank=True)

    row_count = models.PositiveIntegerField("行数", default=0)
    checked_count = models.PositiveIntegerField("已检查", default=0)
    valid_count = models.PositiveIntegerField("正确", default=0)
    known_count = models.PositiveIntegerField("已有账号", default=0)
    conflict_count = models.PositiveIntegerField("与已有账号不一致", default=0)
    hidden_count = models.PositiveIntegerField("隐藏行", default=0)
    new_count = models.PositiveIntegerField("新开户", default=0)
    linked_count = models.PositiveIntegerField("已关联", default=0)
    failed_count = models.PositiveIntegerField("未成功", default=0)

    uploaded_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name="上传人"
    )
    uploaded_at = models.DateTimeField("上传时间")
    # When the letter came in that staff uploaded; of coordinators' lists the submission.
    received_at = models.DateTimeField("收到时间", null=True, blank=True)
    checked_at = models.DateTimeField("检查完成时间", null=True, blank=True)
    submitted_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="提交人",
    )
    submitted_at = models.DateTimeField("提交时间", null=True, blank=True)
    leaves_out_invalid = models.BooleanField("先登记正确的", default=False)
    due_date = models.DateField("办理时限", null=True, blank=True)
    due_is_certain = models.BooleanField("办理时限已按日历核定", default=True)
    decided_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="审核人",
    )
    decided_at = models.DateTimeField("审核时间", null=True, blank=True)
    reason = models.CharField("原因", max_length=300, blank=True)
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)
    forgotten_at = models.DateTimeField("清除时间", null=True, blank=True)

    lease_until = models.DateTimeField("处理占用至", null=True, blank=True)
    # How often a worker began on it: a file that kills workers is refused in the end.
    tries = models.PositiveSmallIntegerField("处理次数", default=0)

    encrypted_columns: ClassVar[EncryptedColumns] = {
        "head_cipher": lambda row: row.context_of("head"),
        "reply_mail_cipher": lambda row: row.context_of("reply_mail"),
    }

    class Meta:
        verbose_name = "注册名单"
        verbose_name_plural = "注册名单"
        permissions = [("decide_registrationlist", "可审核注册名单")]
        indexes = [
            models.Index(fields=["unit", "uploaded_at"], name="list_by_unit"),
            models.Index(fields=["state", "due_date"], name="list_by_state"),
            models.Index(
                fields=["uploaded_by", "uploaded_at"], name="list_by_uploader"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.code}"

    @property
    def invalid_count(self) -> int:
        return self.row_count - self.valid_count

    @property
    def handled_count(self) -> int:
        """Rows that creation is through with."""
        return self.new_count + self.linked_count + self.failed_count

    @property
    def percent(self) -> int:
        """How far the present or last work of a worker has come."""
        if self.state in self.TO_CHECK:
            return 100 * self.checked_count // max(self.row_count, 1)
        if self.state in self.TO_CREATE:
            return 100 * self.handled_count // max(self.valid_count, 1)
        return 100

    @property
    def is_at_work(self) -> bool:
        """Whether a worker has to do something about it: pages ask again by themselves."""
        return self.state in (*self.TO_CHECK, *self.TO_CREATE)

    @property
    def answer_column(self) -> str:
        """The file that tells whoever handed it in how it stands; empty when there is none."""
        if self.forgotten_at is not None:
            return ""
        if self.state == self.State.DONE:
            return "result_file"
        return "error_file" if self.checked_at and self.invalid_count else ""

    @property
    def may_be_withdrawn(self) -> bool:
        return self.state in (*self.TO_CHECK, self.State.CHECKED, self.State.SUBMITTED)

    @property
    def may_be_corrected(self) -> bool:
        """Whether a corrected file may take its place."""
        return self.state in (
            self.State.CHECKED,
            self.State.REFUSED,
            self.State.RETURNED,
        )

    def is_overdue(self, *, today: date) -> bool:
        return (
            self.state == self.State.SUBMITTED
            and self.due_date is not None
            and self.due_date < today
        )

    def context_of(self, column: str) -> str:
        return f"accounts.registrationlist.{column}:{self.code}"

    def store_head(self, head: Mapping[str, str]) -> None:
        self.head_cipher = cipher().encrypt(
            json.dumps(dict(head), ensure_ascii=False), context=self.context_of("head")
        )

    def store_reply_mail(self, address: str) -> None:
        self.reply_mail_cipher = (
            cipher().encrypt(address, context=self.context_of("reply_mail"))
            if address
            else b""
        )

    @property
    def head(self) -> dict[str, str]:
        """The sheet's head: district, contact, unit_name, phone, credit_code, order_number."""
        if not self.head_cipher:
            return {}
        head: dict[str, str] = json.loads(
            cipher().decrypt(self.head_cipher, context=self.context_of("head"))
        )
        return head

    @property
    def reply_mail(self) -> str:
        if not self.reply_mail_cipher:
            return ""
        return cipher().decrypt(
            self.reply_mail_cipher, context=self.context_of("reply_mail")
        )


class ListRow(models.Model):
    """One line of a list and what became of it; the person's data only encrypted.

    The indexes find the same person in other lists and among the accounts.
    """

    class Outcome(models.TextChoices):
        WAITING = "waiting", "待开户"
        INVALID = "invalid", "有问题"
        NEW = "new", "新开户"
        LINKED = "linked", "已有账号，已关联"
        FAILED = "failed", "未成功"

    registration_list = models.ForeignKey(
        RegistrationList, models.CASCADE, related_name="rows", verbose_name="名单"
    )
    line = models.PositiveIntegerField("行号")
    data_cipher = models.BinaryField("内容密文")
    number_index = models.CharField("证件号码索引", max_length=64, blank=True)
    phone_index = models.CharField("手机号码索引", max_length=64, blank=True)
    id_kind = models.CharField("证件类型", max_length=16, blank=True)
    # The row's person has an account already under this name: it is linked, not failed.
    is_known = models.BooleanField("已有账号", default=False)
    # Which part of it contradicts an account: staff read it, coordinators one word for all.
    conflict = models.CharField("不一致", max_length=12, blank=True)
    outcome = models.CharField("结果", max_length=8, choices=Outcome)
    person = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="账号",
    )
    ended_at = models.DateTimeField("处理时间", null=True, blank=True)

    encrypted_columns: ClassVar[EncryptedColumns] = {
        "data_cipher": lambda row: row.context
    }

    class Meta:
        verbose_name = "名单行"
        verbose_name_plural = "名单行"
        constraints = [
            models.UniqueConstraint(
                fields=["registration_list", "line"], name="list_row_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["registration_list", "outcome", "line"],
                name="list_row_by_outcome",
            )
        ]

    def __str__(self) -> str:
        return f"第{self.line}行"

    @property
    def context(self) -> str:
        return f"accounts.listrow.data:{self.registration_list_id}:{self.line}"

    def store_listed(self, listed: ListedPerson) -> None:
        """Encrypt the row's person; saving is the caller's."""
        content = json.dumps(vars(listed), ensure_ascii=False)
        self.data_cipher = cipher().encrypt(content, context=self.context)

    @property
    def listed(self) -> ListedPerson:
        return ListedPerson(
            **json.loads(cipher().decrypt(self.data_cipher, context=self.context))
        )

    @property
    def is_valid(self) -> bool:
        return self.outcome != self.Outcome.INVALID
