"""The words of every message the accounts send; providers get template and values too."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MessageText:
    """`text` has places for values; `holds_code` ones are never shown to staff."""

    title: str
    text: str
    subject: str = ""
    holds_code: bool = False

    def render(self, values: Mapping[str, str]) -> str:
        return self.text.format_map(values)


_IGNORE = "如非本人操作，请忽略本短信，不要将验证码告诉他人。"

TEMPLATES: Mapping[str, MessageText] = {
    "code_register": MessageText(
        "注册验证码",
        "您正在注册账号，验证码{code}，5分钟内有效。" + _IGNORE,
        holds_code=True,
    ),
    "code_login": MessageText(
        "登录验证码",
        "您正在登录，验证码{code}，5分钟内有效。" + _IGNORE,
        holds_code=True,
    ),
    "code_reset": MessageText(
        "重置密码验证码",
        "您正在重置密码，验证码{code}，5分钟内有效。" + _IGNORE,
        holds_code=True,
    ),
    "code_activate": MessageText(
        "首次登录验证码",
        "您正在首次登录，验证码{code}，5分钟内有效。" + _IGNORE,
        holds_code=True,
    ),
    "code_old_phone": MessageText(
        "更换手机号码验证码",
        "您正在更换账号的手机号码，验证码{code}，5分钟内有效。"
        "如非本人操作，请勿告诉他人并尽快修改密码。",
        holds_code=True,
    ),
    "code_new_phone": MessageText(
        "新手机号码验证码",
        "您正在将账号的手机号码更换为本号码，验证码{code}，5分钟内有效。" + _IGNORE,
        holds_code=True,
    ),
    "code_close": MessageText(
        "注销账号验证码",
        "您正在注销账号，注销后无法恢复，验证码{code}，5分钟内有效。"
        "如非本人操作，请勿告诉他人并尽快修改密码。",
        holds_code=True,
    ),
    "already_registered": MessageText(
        "已注册提醒",
        "该手机号码已注册账号，无需再次注册，请直接登录（由单位统一注册的请使用首次登录）；"
        "忘记密码可在登录页重置。如非本人操作，请忽略本短信。",
    ),
    "phone_changed_old": MessageText(
        "手机号码更换提醒",
        "您的账号已更换为新的手机号码{phone}，本号码不能再用于登录。"
        "如非本人操作，请立即联系在线客服。",
    ),
    "phone_changed_new": MessageText(
        "手机号码更换提醒",
        "本号码已成为您账号的手机号码，今后请用本号码登录和接收验证码。"
        "如非本人操作，请联系在线客服。",
    ),
    "account_closed": MessageText(
        "账号注销提醒",
        "您的账号已注销，手机号码和证件号码可重新注册。如非本人操作，请立即联系在线客服。",
    ),
    "password_changed": MessageText(
        "密码修改提醒",
        "您的账号密码已修改。如非本人操作，请立即重置密码并联系在线客服。",
    ),
    "invoice_issued": MessageText(
        "发票开具通知",
        "您为订单{order}申请的电子发票已开具，发票号码{number}。请登录后查看和下载：{address}",
        subject="电子发票已开具",
    ),
}
