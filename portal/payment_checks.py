"""System checks of the payment gateways: offered to buyers means ready for their money."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Error

# How WeChat names its public keys.
PUBLIC_KEY_MARK = "PUB_KEY_ID_"
# Of Alipay's certificate mode: variable and key in `settings.ALIPAY`.
ALIPAY_CERTIFICATES = {
    "ALIPAY_APP_CERTIFICATE_FILE": "app_certificate_file",
    "ALIPAY_CERTIFICATE_FILE": "alipay_certificate_file",
    "ALIPAY_ROOT_CERTIFICATE_FILE": "alipay_root_file",
}


def check_payments() -> list[CheckMessage]:
    """Each gateway of `settings.PAYMENT_GATEWAYS` has the merchant's own account and keys,
    and is reached safely."""
    return [message for code in settings.PAYMENT_GATEWAYS for message in CHECKS[code]()]


def check_alipay() -> list[CheckMessage]:
    alipay = settings.ALIPAY
    own = alipay["app_id"] and alipay["seller_id"]
    files = [alipay["app_private_key_file"]]
    if not any(alipay[name] for name in ALIPAY_CERTIFICATES.values()):
        # Key mode. Whoever can read the sandbox's folder could speak for Alipay.
        files.append(alipay["alipay_public_key_file"])
    safe = alipay["gateway"].startswith("https://")
    if own and safe and all(map(is_own_file, files)):
        return check_alipay_certificates()
    return [
        Error(
            "支付宝商户尚未配置，学员无法在线支付",
            hint="Set ALIPAY_APP_ID, ALIPAY_SELLER_ID and the key files, or leave alipay "
            "out of PAYMENT_GATEWAYS; see docs/payments.md.",
            id="portal.E011",
        )
    ]


def check_alipay_certificates() -> list[CheckMessage]:
    """Certificate mode wants three files; with one missing it would silently be key mode."""
    missing = [
        variable
        for variable, name in ALIPAY_CERTIFICATES.items()
        if not settings.ALIPAY[name]
    ]
    if len(missing) in (0, len(ALIPAY_CERTIFICATES)):
        return []
    return [
        Error(
            "支付宝证书模式的配置不完整",
            hint=f"Set {', '.join(missing)} as well, or none of the three.",
            id="portal.E030",
        )
    ]


def check_wechat_pay() -> list[CheckMessage]:
    pay = settings.WECHAT_PAY
    own = all(pay[name] for name in ("app_id", "merchant_id", "merchant_serial"))
    files = [pay["merchant_key_file"], pay["api_v3_key_file"]]
    if pay["certificate_dir"]:
        files.append(pay["certificate_dir"])
    else:
        own = own and pay["public_key_id"].startswith(PUBLIC_KEY_MARK)
        files.append(pay["public_key_file"])
    safe = pay["gateway"].startswith("https://")
    if own and safe and all(map(is_own_file, files)):
        return []
    return [
        Error(
            "微信支付商户尚未配置，学员无法使用微信支付",
            hint="Set WECHAT_PAY_MERCHANT_ID, WECHAT_PAY_MERCHANT_SERIAL, the key files "
            "and WECHAT_PAY_PUBLIC_KEY_ID or WECHAT_PAY_CERTIFICATE_DIR, or leave wechat "
            "out of PAYMENT_GATEWAYS; see docs/payments.md.",
            id="portal.E021",
        )
    ]


def check_unionpay() -> list[CheckMessage]:
    unionpay = settings.UNIONPAY
    names = ("merchant_key_file", "root_certificate_file", "middle_certificate_file")
    missing = [name for name in names if not is_own_file(unionpay[name])]
    missing += [
        name for name in ("merchant_id", "merchant_key_password") if not unionpay[name]
    ]
    missing += [
        name
        for name in ("gateway", "file_url")
        if not unionpay[name].startswith("https://")
    ]
    found: list[CheckMessage] = []
    if missing:
        variables = ", ".join(f"UNIONPAY_{name}".upper() for name in sorted(missing))
        found.append(
            Error(
                "银联商户尚未配置，学员无法使用银联支付",
                hint=f"Set {variables}, or leave unionpay out of PAYMENT_GATEWAYS; see "
                "docs/payments.md.",
                id="portal.E031",
            )
        )
    if unionpay["accepts_test_signer"]:
        found.append(
            Error(
                "银联测试环境的签名不得用于生产环境",
                hint="Remove UNIONPAY_TEST_SIGNER.",
                id="portal.E032",
            )
        )
    return found


def is_own_file(path: str) -> bool:
    """Is a file named, and not one that the sandbox has made?"""
    return bool(path) and not Path(path).is_relative_to(settings.SANDBOX_DIR)


CHECKS: dict[str, Callable[[], list[CheckMessage]]] = {
    "alipay": check_alipay,
    "wechat": check_wechat_pay,
    "unionpay": check_unionpay,
}
