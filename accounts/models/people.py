from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin, UserManager
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models.organisations import Region, Unit
from accounts.personal_data import (
    EncryptedColumns,
    cipher,
    id_number_index,
    phone_index,
)
from portal.lib.codes import random_code
from portal.lib.masks import mask_id_number, mask_phone

if TYPE_CHECKING:
    from accounts.models.sessions import LiveSession


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account: trainee, coordinator or staff.

    ID number and phone are stored encrypted; the index columns find them and keep them
    unique. `code` is the public name of the row and part of the encryption context, so it
    never changes.
    """

    class State(models.TextChoices):
        PENDING = "pending", "待激活"
        ACTIVE = "active", "正常"
        CLOSED = "closed", "已注销"

    class IdKind(models.TextChoices):
        ID_CARD = "id_card", "居民身份证"
        FOREIGN_PR = "foreign_pr", "外国人永久居留身份证"

    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
    username = models.CharField("用户名", max_length=40, unique=True)
    name = models.CharField("姓名", max_length=40)
    id_kind = models.CharField(
        "证件类型", max_length=16, choices=IdKind, default=IdKind.ID_CARD
    )
    # Null and not empty where there is none: staff have no ID number, and each column is unique.
    id_number_cipher = models.BinaryField("证件号码密文", null=True)
    id_number_index = models.CharField(  # noqa: DJ001
        "证件号码索引", max_length=64, null=True, unique=True
    )
    # Of a closed account: its number is free for another account, and still found by staff.
    former_id_number_index = models.CharField(
        "原证件号码索引", max_length=64, blank=True, db_index=True
    )
    phone_cipher = models.BinaryField("手机号码密文", null=True)
    phone_index = models.CharField(  # noqa: DJ001
        "手机号码索引", max_length=64, null=True, unique=True
    )
    email = models.EmailField("电子邮箱", blank=True)
    state = models.CharField(
        "账号状态", max_length=16, choices=State, default=State.ACTIVE
    )
    # Of a pending account: until when the first password opens the page of 首次登录.
    pending_until = models.DateTimeField("首次登录截止", null=True, blank=True)
    is_staff = models.BooleanField("工作人员", default=False)
    # Whether the person has a live appointment: decides, without a query on every page,
    # whether 单位工作台 is offered. What may be done there is asked of the appointments.
    is_coordinator = models.BooleanField("经办人", default=False)
    is_active = models.BooleanField("可登录", default=True)
    date_joined = models.DateTimeField("注册时间", default=timezone.now)
    # Null where only a hash was ever stored (registration): as old as the account. Of staff:
    # the password was never chosen by the person as one of the staff.
    password_changed_at = models.DateTimeField("密码修改时间", null=True, blank=True)

    # By code, on an account that `accounts.backends` read for a request; not a column.
    live_sessions: "Mapping[str, LiveSession]" = MappingProxyType({})

    encrypted_columns: ClassVar[EncryptedColumns] = {
        "id_number_cipher": lambda user: user.context_of("id_number"),
        "phone_cipher": lambda user: user.context_of("phone"),
    }
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        verbose_name = "用户"
        verbose_name_plural = "用户"
        permissions = [("unmask_personal_data", "可查看完整证件号码与手机号码")]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    def context_of(self, column: str) -> str:
        """The place a ciphertext is bound to: table, column and row."""
        return f"accounts.user.{column}:{self.code}"

    @property
    def id_number(self) -> str:
        if self.id_number_cipher is None:
            return ""
        return cipher().decrypt(
            self.id_number_cipher, context=self.context_of("id_number")
        )

    @property
    def phone(self) -> str:
        if self.phone_cipher is None:
            return ""
        return cipher().decrypt(self.phone_cipher, context=self.context_of("phone"))

    @property
    def masked_id_number(self) -> str:
        return mask_id_number(self.id_number)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)

    def store_id_number(self, number: str) -> None:
        """Put a normalised ID number into its two columns; saving is the caller's."""
        self.id_number_cipher = cipher().encrypt(
            number, context=self.context_of("id_number")
        )
        self.id_number_index = id_number_index(number)

    def store_phone(self, phone: str) -> None:
        """Put a normalised phone of 11 digits into its two columns; saving is the caller's."""
        self.phone_cipher = cipher().encrypt(phone, context=self.context_of("phone"))
        self.phone_index = phone_index(phone)

    def set_password(self, raw_password: str | None) -> None:
        """Every change of a password passes here; staff must change theirs in time."""
        super().set_password(raw_password)
        self.password_changed_at = timezone.now()

    def password_age(self, *, now: datetime) -> timedelta:
        return now - (self.password_changed_at or self.date_joined)

    @property
    def has_given_password(self) -> bool:
        """Staff whose password a colleague knows, or who chose it as a trainee.

        Superusers are made at the server's console, by whoever will use them.
        """
        return (
            self.is_staff and not self.is_superuser and self.password_changed_at is None
        )

    @property
    def may_log_in(self) -> bool:
        """Pending accounts never get a session, closed ones no longer."""
        return self.is_active and self.state == self.State.ACTIVE

    def awaits_first_login(self, now: datetime) -> bool:
        """Whether the first password opens the page of 首次登录."""
        return (
            self.is_active
            and self.state == self.State.PENDING
            and self.pending_until is not None
            and self.pending_until > now
        )

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        # Django's own, over the phone as well: whoever gets the account another phone, the
        # owner or staff, ends the sessions that were begun under the old one.
        return salted_hmac(
            "accounts.models.User.get_session_auth_hash",
            f"{self.password}:{self.phone_index or ''}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()

    def clean(self) -> None:
        # AbstractBaseUser normalises the user name; e-mail stays as typed.
        self.username = self.normalize_username(self.username)

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Half-width and lower case: nobody remembers how a name was capitalised."""
        return super().normalize_username(username).strip().lower()

    def email_user(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("mail goes through the outbox: accounts.services.messages")


class Profile(models.Model):
    """What prints on certificates beside the name; the person keeps it up to date."""

    class Education(models.TextChoices):
        SECONDARY = "secondary", "中专及以下"
        COLLEGE = "college", "大专"
        BACHELOR = "bachelor", "本科"
        MASTER = "master", "硕士研究生"
        DOCTOR = "doctor", "博士研究生"

    person = models.OneToOneField(
        User,
        models.CASCADE,
        primary_key=True,
        related_name="profile",
        verbose_name="学员",
    )
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="组织机构（区县）",
    )
    unit = models.ForeignKey(
        Unit,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="profiles",
        verbose_name="组织机构（单位）",
    )
    unit_name = models.CharField("工作单位", max_length=120, blank=True)
    series = models.CharField("专业序列", max_length=2, blank=True)
    level = models.CharField("专业级别", max_length=16, blank=True)
    education = models.CharField("学历", max_length=16, choices=Education, blank=True)
    updated_at = models.DateTimeField("更新时间")

    class Meta:
        verbose_name = "个人信息"
        verbose_name_plural = "个人信息"

    def __str__(self) -> str:
        return f"{self.person}的个人信息"


class WeChatLink(models.Model):
    """The WeChat account of a person at our service account."""

    person = models.OneToOneField(
        User, models.CASCADE, related_name="wechat_link", verbose_name="学员"
    )
    openid = models.CharField("OpenID", max_length=64, unique=True)
    linked_at = models.DateTimeField("绑定时间")

    class Meta:
        verbose_name = "微信绑定"
        verbose_name_plural = "微信绑定"

    def __str__(self) -> str:
        return f"{self.person}的微信"
