"""Sample data of the embedded default: synthetic people, plans, courses and papers.

Birth years lie before 1905 and phones start at 199 0000 0000, so nobody real is met.
"""

from typing import NamedTuple


class Login(NamedTuple):
    """A sample account as it is shown to whoever starts the portal."""

    role: str
    login: str
    password: str


PASSWORD = "peixun-demo-2026"

LOGINS = [
    Login("学员", "19900000001", PASSWORD),
    Login("单位经办人", "19900000002", PASSWORD),
    Login("工作人员（管理后台）", "zhongxin", PASSWORD),
    Login("复核人员（管理后台）", "shenhe", PASSWORD),
]
