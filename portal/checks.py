"""System checks: what must not go live, said with an id and a way out.

`check --deploy` runs the checks of production; the check of the front-end files runs always.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connection

from accounts.providers.sms_templates import read_templates
from accounts.rules.first_passwords import RULES
from accounts.rules.message_texts import TEMPLATES
from portal.finders import FILES
from portal.lib.addresses import is_within
from portal.payment_checks import check_payments

FRONT_END_PACKAGES = (
    "bootstrap",
    "bootstrap-icons",
    "htmx.org",
    "video.js",
    # The fonts of certificates and invoices.
    "@expo-google-fonts/noto-serif-sc",
)
# AES-256 and HMAC-SHA-256 want 32 bytes; Django's own advice for SECRET_KEY is 50 characters,
# which 32 random bytes in base64 do not reach but exceed in strength.
KEY_BYTES = 32
SECRET_KEY_LENGTH = 43

Apps = Sequence[AppConfig] | None
Check = Callable[[], list[CheckMessage]]


@register(Tags.staticfiles)
def check_front_end(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """portal.E001: the front-end packages lie in `node_modules` or are already collected."""
    if (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        return []
    missing = [name for name in FILES if not (settings.NODE_MODULES / name).is_file()]
    if not missing:
        return []
    packages = sorted({name.partition("/")[0] for name in missing})
    return [
        Error(
            f"前端组件尚未安装：{'、'.join(packages)}",
            hint="请运行 script/bootstrap",
            id="portal.E001",
        )
    ]


@register(Tags.security)
def check_first_password_rule(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """portal.E020: the rule of the first password is one that the accounts know."""
    if settings.FIRST_PASSWORD_RULE in RULES:
        return []
    return [
        Error(
            "FIRST_PASSWORD_RULE 无效，学员将无法首次登录",
            hint=f"Set it to one of: {', '.join(RULES)}.",
            id="portal.E020",
        )
    ]


@register(Tags.security, deploy=True)
def check_production(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """portal.E002 and on: nothing of the embedded default is left in production."""
    checks: tuple[Check, ...] = (
        check_sandbox,
        check_secrets,
        check_staff_site,
        check_addresses,
        check_payments,
        check_sms,
        check_mail,
        check_services,
    )
    return [message for check in checks for message in check()]


def check_sandbox() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.SANDBOX:
        found.append(
            Error(
                "支付与微信模拟网关不得用于生产环境",
                hint="Remove PORTAL_SANDBOX and set PORTAL_PRODUCTION=true.",
                id="portal.E002",
            )
        )
    if settings.MESSAGE_BOX:
        found.append(
            Error(
                "演示用短信收件箱不得用于生产环境:任何人都能读到验证码",
                hint="Remove PORTAL_MESSAGE_BOX and set SMS_PROVIDER.",
                id="portal.E003",
            )
        )
    if settings.SMS_PROVIDER.endswith(".MessageBoxProvider"):
        found.append(
            Error(
                "演示用短信服务不得用于生产环境",
                hint="Set SMS_PROVIDER to a class that hands texts to an operator.",
                id="portal.E012",
            )
        )
    if settings.INVOICE_PROVIDER.startswith("invoices.providers.embedded."):
        found.append(
            Error(
                "样票开具服务不得用于生产环境",
                hint="Set INVOICE_PROVIDER, or leave it empty: requests then wait.",
                id="portal.E010",
            )
        )
    return found


def check_secrets() -> list[CheckMessage]:
    """Each secret is strong, and no secret serves two purposes."""
    found: list[CheckMessage] = []
    keys = [text.partition(":")[2] for text in settings.FIELD_KEYS.split(",")]
    if len(settings.SECRET_KEY) < SECRET_KEY_LENGTH:
        found.append(Error("SECRET_KEY 缺失或过短", id="portal.E004"))
    if not all(is_key(key) for key in keys):
        found.append(
            Error(
                "FIELD_KEYS 缺失或无效",
                hint='Write "id:base64" with 32 random bytes, newest first.',
                id="portal.E005",
            )
        )
    if not is_key(settings.INDEX_KEY):
        found.append(Error("INDEX_KEY 缺失或无效", id="portal.E006"))
    if len({settings.SECRET_KEY, settings.INDEX_KEY, *keys}) < len(keys) + 2:
        found.append(Error("同一密钥被用于多个用途", id="portal.E007"))
    return found


def check_staff_site() -> list[CheckMessage]:
    """The staff site asks for a second factor, and its list of networks can be read."""
    found: list[CheckMessage] = []
    if not settings.STAFF_TOTP:
        found.append(
            Error(
                "管理后台未启用两步验证",
                hint="Remove STAFF_TOTP=false; every member of the staff binds an app.",
                id="portal.E013",
            )
        )
    try:
        is_within("", settings.STAFF_ADDRESSES)
    except ValueError as error:
        found.append(
            Error(
                "STAFF_ADDRESSES 中有无法识别的地址",
                hint=f"Write networks such as 10.1.0.0/16: {error}",
                id="portal.E014",
            )
        )
    return found


def check_addresses() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        found.append(Error("ALLOWED_HOSTS 不得为 *", id="portal.E008"))
    if not settings.SITE_URL.startswith("https://"):
        found.append(
            Error("SITE_URL 必须以 https:// 开头", id="portal.E009"),
        )
    return found


def check_sms() -> list[CheckMessage]:
    """Whether SMS can go out: without a provider nobody can register or log in by code."""
    if not settings.SMS_PROVIDER:
        return [
            Warning(
                "尚未配置短信服务，验证码无法发送",
                hint="Set SMS_PROVIDER; see docs/operations.md.",
                id="portal.W003",
            )
        ]
    if settings.SMS_PROVIDER.endswith(".TencentSmsProvider"):
        return check_tencent_sms()
    return []


def check_mail() -> list[CheckMessage]:
    """Whether mails can go out, from an address that servers take them from."""
    if not settings.MAIL_SERVER:
        return [
            Warning(
                "尚未配置邮件服务，名单办理回复等邮件无法发送",
                hint="Set EMAIL_URL=smtp+tls://user:password@host:587.",
                id="portal.W005",
            )
        ]
    if settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        return [
            Warning(
                "发件人地址无效，邮件将被拒收",
                hint="Set DEFAULT_FROM_EMAIL to an address of your own.",
                id="portal.W006",
            )
        ]
    return []


def check_tencent_sms() -> list[CheckMessage]:
    config = settings.TENCENT_SMS
    needed = ("secret_id", "secret_key", "app_id", "sign_name", "templates")
    empty = [f"TENCENT_SMS_{key.upper()}" for key in needed if not config[key]]
    if empty:
        return [
            Error(
                "腾讯云短信配置不完整", hint="Set " + ", ".join(empty), id="portal.E016"
            )
        ]
    if find_spec("tencentcloud") is None:
        return [
            Error(
                "腾讯云短信组件尚未安装",
                hint="Install requirements/sms.txt.",
                id="portal.E017",
            )
        ]
    try:
        known = set(read_templates(config["templates"]))
    except ValueError as error:
        return [Error("腾讯云短信模板配置有误", hint=str(error), id="portal.E018")]
    if unknown := known - set(TEMPLATES):
        names = ", ".join(sorted(unknown))
        return [Error("腾讯云短信模板配置有误", hint=names, id="portal.E018")]
    # Those with a subject go out by mail.
    sms = {name for name, text in TEMPLATES.items() if not text.subject}
    missing = sorted(sms - known)
    if not missing:
        return []
    return [
        Warning(
            "部分短信没有对应的腾讯云模板，将不能发送",
            hint="Add to TENCENT_SMS_TEMPLATES: " + ", ".join(missing),
            id="portal.W004",
        )
    ]


def check_services() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if connection.vendor == "sqlite":
        found.append(
            Warning(
                "生产环境正在使用嵌入式数据库 SQLite",
                hint="Set DATABASE_URL=postgres://...",
                id="portal.W001",
            )
        )
    if not settings.REDIS_URL:
        found.append(
            Warning(
                "生产环境正在使用本机文件作为缓存和消息队列",
                hint="Set REDIS_URL=redis://...",
                id="portal.W002",
            )
        )
    return found


def is_key(text: str) -> bool:
    """Is `text` base64 (either alphabet) of exactly 32 bytes?"""
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == KEY_BYTES
    except binascii.Error:
        return False
