"""The service account's menu: 继续教育 as the official manuals have it, 我的学习, 服务."""

from typing import Any
from urllib.parse import urlencode

# Title, and titles with the portal's pages; WeChat takes three by five of them.
_MENU = (
    (
        "继续教育",
        (
            ("公需科目", "/plans/?subject=general"),
            ("专业科目", "/plans/?subject=professional"),
            ("通知公告", "/notices/"),
        ),
    ),
    (
        "我的学习",
        (
            ("课程培训", "/training/"),
            ("我的证书", "/certificates/"),
            ("我的订单", "/orders/"),
            ("我的发票", "/invoices/"),
            ("个人信息", "/accounts/profile/"),
        ),
    ),
    (
        "服务",
        (("帮助中心", "/help/"), ("证书查验", "/verify/"), ("在线客服", "/support/")),
    ),
)
# Pages for everybody: nobody has to log in to read them.
_OPEN_PAGES = ("/notices/", "/help/", "/verify/")


def build_menu(*, site_url: str, login_path: str) -> dict[str, Any]:
    """The menu as WeChat's menu/create wants it.

    Entries of a person's own lead through the login at `login_path`, which asks WeChat who
    it is and comes back.
    """
    return {
        "button": [
            {
                "name": title,
                "sub_button": [
                    {
                        "type": "view",
                        "name": name,
                        "url": site_url + _entry(path, login_path),
                    }
                    for name, path in entries
                ],
            }
            for title, entries in _MENU
        ]
    }


def _entry(path: str, login_path: str) -> str:
    if path in _OPEN_PAGES:
        return path
    return f"{login_path}?{urlencode({'next': path})}"
