"""When a login ends by itself, and the words in which its browser hears of an end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# How often the use of a session is written down. Until then it counts as seen at the last
# writing, so an idle session ends up to this much early and never late.
SEEN_EVERY = timedelta(minutes=5)

IDLE = "idle"
EXPIRED = "expired"


@dataclass(frozen=True)
class SessionLimits:
    """How long a login may lie unused, and how long it lasts at all."""

    idle: timedelta
    total: timedelta


def find_natural_end(
    *,
    started_at: datetime,
    last_seen_at: datetime,
    limits: SessionLimits,
    now: datetime,
) -> str:
    """`IDLE` or `EXPIRED` where time has ended the session, otherwise empty."""
    if now - started_at >= limits.total:
        return EXPIRED
    if now - last_seen_at >= limits.idle:
        return IDLE
    return ""


def is_use_due(*, last_seen_at: datetime, now: datetime) -> bool:
    """Whether the use of a session is to be written down again."""
    return now - last_seen_at >= SEEN_EVERY


_BACK = "如非本人操作，请立即修改密码。"
_TEXTS = {
    "replaced": "您的账号于 {moment} 在另一台设备（{device}）登录，本机已退出。"
    + _BACK,
    "removed": "您已于 {moment} 在另一台设备（{device}）上退出本机的登录。" + _BACK,
    "password": "您的密码已于 {moment} 修改，请使用新密码登录。",
    "idle": "您已较长时间未操作，为保护账号安全，本机已自动退出，请重新登录。",
    "expired": "本次登录时间已较长，为保护账号安全，请重新登录。",
    "staff": "您的登录已于 {moment} 由管理人员退出，请重新登录。",
}
OTHERWISE = "登录已失效，请重新登录。"


def explain_end(reason: str, *, ended_at: datetime, device: str) -> str:
    """What the old browser is told; `ended_at` is local time, `device` where it came from."""
    moment = f"{ended_at.month}月{ended_at.day}日 {ended_at:%H:%M}"
    text = _TEXTS.get(reason, OTHERWISE)
    return text.format(moment=moment, device=device or "未知设备")
