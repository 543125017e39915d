"""The accounts the simulators know, and the settings under which none of them is real."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portal.sandbox.alipay import AlipayAccount
from portal.sandbox.server import DEFAULT_FACTOR, SandboxConfig, SandboxError
from portal.sandbox.unionpay import UnionPayAccount
from portal.sandbox.wechat import WeChatAccount
from portal.sandbox.wechat_pay_signatures import WeChatPayAccount
from portal.sandbox.wire import is_loopback

# For each vendor: its settings, the address in them, the key files in them that have to be
# the sandbox's own.
VENDORS = (
    ("ALIPAY", "gateway", ("app_private_key_file", "alipay_public_key_file")),
    (
        "UNIONPAY",
        "gateway",
        ("merchant_key_file", "root_certificate_file", "middle_certificate_file"),
    ),
    (
        "WECHAT_PAY",
        "gateway",
        ("merchant_key_file", "public_key_file", "api_v3_key_file"),
    ),
)


def read_config(
    settings: Any, *, notice_factor: float = DEFAULT_FACTOR
) -> SandboxConfig:
    """Return what the portal's settings say about the sandbox."""
    alipay, unionpay = settings.ALIPAY, settings.UNIONPAY
    wechat, pay = settings.WECHAT, settings.WECHAT_PAY
    return SandboxConfig(
        folder=Path(settings.SANDBOX_DIR),
        alipay=AlipayAccount(alipay["app_id"], alipay["seller_id"]),
        unionpay=UnionPayAccount(
            unionpay["merchant_id"], unionpay["merchant_key_password"]
        ),
        wechat=WeChatAccount(wechat["app_id"], wechat["app_secret"]),
        wechat_pay=WeChatPayAccount(
            app_id=pay["app_id"],
            merchant_id=pay["merchant_id"],
            merchant_serial=pay["merchant_serial"],
            public_key_id=pay["public_key_id"],
        ),
        notice_factor=notice_factor,
    )


def refuse_real_accounts(settings: Any) -> None:
    """Raise `SandboxError` where real money could be near."""
    if settings.PRODUCTION or not settings.SANDBOX:
        raise SandboxError("the sandbox does not run in production")
    for vendor, address, files in VENDORS:
        config = getattr(settings, vendor)
        if not is_loopback(urlsplit(config[address]).hostname or ""):
            name = f"{vendor}_{address}".upper()
            raise SandboxError(f"{name} is a real gateway: no sandbox beside it")
        for file in files:
            if not Path(config[file]).is_relative_to(settings.SANDBOX_DIR):
                raise SandboxError(
                    f"the keys configured for {vendor} are not the sandbox's own"
                )
