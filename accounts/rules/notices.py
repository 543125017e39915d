"""The notices people agree to, by version; every version stays readable.

A new version is a new entry at the end and a new template; what somebody agreed to earlier
is still shown as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

PRIVACY = "privacy"
SENSITIVE = "sensitive"


@dataclass(frozen=True)
class Notice:
    """One version of one notice and the template with its words."""

    kind: str
    version: str
    title: str
    valid_from: date
    template: str


_ALL = (
    Notice(
        PRIVACY,
        "2026-01",
        "隐私政策",
        date(2026, 1, 1),
        "accounts/notices/privacy_2026_01.html",
    ),
    Notice(
        SENSITIVE,
        "2026-01",
        "敏感个人信息处理同意书",
        date(2026, 1, 1),
        "accounts/notices/sensitive_2026_01.html",
    ),
    Notice(
        PRIVACY,
        "2026-11",
        "隐私政策",
        date(2026, 11, 26),
        "accounts/notices/privacy_2026_11.html",
    ),
)
NOTICES: Mapping[tuple[str, str], Notice] = {
    (notice.kind, notice.version): notice for notice in _ALL
}
# The later entry wins: the version that is agreed to today.
CURRENT: Mapping[str, Notice] = {notice.kind: notice for notice in _ALL}
