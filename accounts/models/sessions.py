from dataclasses import dataclass
from datetime import datetime

from django.db import models

from accounts.models.people import User
from portal.lib.codes import random_code


@dataclass(frozen=True)
class LiveSession:
    """What the check of each request needs of a session that has not ended."""

    pk: int
    started_at: datetime
    last_seen_at: datetime


class PersonSession(models.Model):
    """One login in one browser or app, from its beginning to its end.

    Django's own session carries `code`, and nothing here leads to Django's key: the key
    changes with the password, the code does not. A session counts as live while its
    row has no end, so ending it needs no access to Django's session store, whichever it is.
    An app holds a token instead, of which only `token_hash` is kept.
    """

    class EndReason(models.TextChoices):
        LOGOUT = "logout", "主动退出"
        REPLACED = "replaced", "在其他设备登录"
        REMOVED = "removed", "本人在其他设备上退出"
        PASSWORD = "password", "密码已修改"
        IDLE = "idle", "长时间未操作"
        EXPIRED = "expired", "登录时间过长"
        ACCOUNT = "account", "账号状态变更"
        STAFF = "staff", "由管理人员退出"

    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
    person = models.ForeignKey(
        User, models.CASCADE, related_name="sessions", verbose_name="用户"
    )
    # SHA-256 of a login token, None for browsers.
    token_hash = models.CharField(
        "令牌摘要", max_length=64, unique=True, null=True, blank=True, editable=False
    )
    device = models.CharField("设备", max_length=60)
    address = models.CharField("来源地址", max_length=45, blank=True)
    started_at = models.DateTimeField("登录时间")
    # Written at most once in five minutes.
    last_seen_at = models.DateTimeField("最近使用")
    ended_at = models.DateTimeField("退出时间", null=True, blank=True)
    end_reason = models.CharField(
        "退出原因", max_length=16, choices=EndReason, blank=True
    )
    # The session that took this one's place or sent it away: named to the old browser.
    ended_from = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="由此登录结束",
    )

    class Meta:
        verbose_name = "登录会话"
        verbose_name_plural = "登录会话"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, end_reason="")
                | (models.Q(ended_at__isnull=False) & ~models.Q(end_reason="")),
                name="login_end_has_reason",
            )
        ]
        indexes = [
            # Joined to the account by every request of everybody who is logged in.
            models.Index(
                fields=["person"],
                condition=models.Q(ended_at__isnull=True),
                name="login_live",
            ),
            models.Index(fields=["ended_at"], name="login_by_end"),
            models.Index(fields=["last_seen_at"], name="login_by_use"),
        ]

    def __str__(self) -> str:
        return f"{self.device} {self.started_at:%Y-%m-%d}"
