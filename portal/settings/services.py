"""Whom the portal talks to: messages, gateways, WeChat."""

import environ

from portal.settings.environment import (
    PRODUCTION,
    SANDBOX,
    SANDBOX_DIR,
    SANDBOX_URL,
    choose_gateways,
    env,
    secret,
)

# --- Messages ---------------------------------------------------------------------------
MESSAGE_BOX = env.bool("PORTAL_MESSAGE_BOX", default=not PRODUCTION)
# Empty: messages are written and wait an hour for a provider, then count as failed.
SMS_PROVIDER = env.str(
    "SMS_PROVIDER",
    default="" if PRODUCTION else "accounts.services.messages.MessageBoxProvider",
)
# 腾讯云短信, for SMS_PROVIDER=accounts.providers.tencent_sms.TencentSmsProvider.
TENCENT_SMS = {
    "secret_id": env.str("TENCENT_SMS_SECRET_ID", default=""),
    "secret_key": env.str("TENCENT_SMS_SECRET_KEY", default=""),
    "app_id": env.str("TENCENT_SMS_APP_ID", default=""),
    "sign_name": env.str("TENCENT_SMS_SIGN_NAME", default=""),
    "region": env.str("TENCENT_SMS_REGION", default="ap-guangzhou"),
    # Ours=theirs:value+value,… as accounts/providers/sms_templates.py reads them.
    "templates": env.str("TENCENT_SMS_TEMPLATES", default=""),
    "protocol": env.str("TENCENT_SMS_PROTOCOL", default="https"),
    "endpoint": env.str("TENCENT_SMS_ENDPOINT", default="sms.tencentcloudapi.com"),
}
# All SMS of one hour, whoever asks: what a flood of requests can cost at most. Notices leave
# a fifth of it to codes.
SMS_HOURLY_CAP = env.int("SMS_HOURLY_CAP", default=5000)
# "smtp+tls://user:password@host:587". Empty: mails go to the message box, where that is on,
# else they wait like SMS.
_mail = environ.Env.email_url_config(env.str("EMAIL_URL", default="") or "dummymail://")
MAIL_SERVER = not _mail["EMAIL_BACKEND"].endswith(".dummy.EmailBackend")
vars().update(_mail)
# A worker waits no longer for a mail server; the outbox tries again.
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="") or "no-reply@localhost"

# --- WeChat service account --------------------------------------------------------------
WECHAT = {
    "app_id": env.str("WECHAT_APP_ID", default="wx0000000000000001" if SANDBOX else ""),
    "app_secret": (
        secret("WECHAT_APP_SECRET")
        if not PRODUCTION or env.str("WECHAT_APP_ID", default="")
        else ""
    ),
    "api_base": env.str(
        "WECHAT_API_BASE",
        default=SANDBOX_URL if SANDBOX else "https://api.weixin.qq.com",
    ),
    "oauth_base": env.str(
        "WECHAT_OAUTH_BASE",
        default=SANDBOX_URL if SANDBOX else "https://open.weixin.qq.com",
    ),
}

# --- Payments ----------------------------------------------------------------------------
ORDER_LIFETIME_MINUTES = env.int("ORDER_LIFETIME_MINUTES", default=30)
# Activation codes of one order; the largest units have thousands of people.
CODES_PER_ORDER = env.int("CODES_PER_ORDER", default=5000)
# A group purchase tells who has an account, and an unpaid order keeps others from buying: what
# one buyer may do in a day, and from when on staff look at whose numbers are anybody's.
GROUP_PURCHASE = {
    "daily_checks": env.int("GROUP_DAILY_CHECKS", default=20),
    "daily_numbers": env.int("GROUP_DAILY_NUMBERS", default=30_000),
    # Of a buyer whom no unit has appointed.
    "daily_numbers_member": env.int("GROUP_DAILY_NUMBERS_MEMBER", default=10_000),
    "daily_unpaid_orders": env.int("GROUP_DAILY_UNPAID_ORDERS", default=5),
    "alarm_numbers": env.int("GROUP_ALARM_NUMBERS", default=50),
    "alarm_percent": env.int("GROUP_ALARM_PERCENT", default=50),
}
# What buyers may have back: whole orders or single seats while nothing was studied. Staff may
# go beyond it, two of them together.
REFUND_POLICY = {
    "buyers_may_ask": env.bool("REFUND_BUYERS_MAY_ASK", default=True),
    "days": env.int("REFUND_DAYS", default=30),
    "by_seat": env.bool("REFUND_BY_SEAT", default=True),
    "after_study": env.bool("REFUND_AFTER_STUDY", default=False),
    "needs_approval": env.bool("REFUND_NEEDS_APPROVAL", default=True),
}
# An empty variable, as docker-compose.yml passes it on, is like one that is not set.
ALIPAY = {
    "gateway": env.str("ALIPAY_GATEWAY", default="")
    or (
        f"{SANDBOX_URL}/gateway.do"
        if SANDBOX
        else "https://openapi.alipay.com/gateway.do"
    ),
    "app_id": env.str("ALIPAY_APP_ID", default="")
    or ("2021000000000001" if SANDBOX else ""),
    "seller_id": env.str("ALIPAY_SELLER_ID", default="")
    or ("2088000000000001" if SANDBOX else ""),
    # PEM files; the sandbox makes its own pairs.
    "app_private_key_file": env.str(
        "ALIPAY_APP_PRIVATE_KEY_FILE",
        default=str(SANDBOX_DIR / "alipay_app_private.pem"),
    ),
    "alipay_public_key_file": env.str(
        "ALIPAY_PUBLIC_KEY_FILE",
        default=str(SANDBOX_DIR / "alipay_gateway_public.pem"),
    ),
    # Certificate mode, in place of the public key: all three or none.
    "app_certificate_file": env.str("ALIPAY_APP_CERTIFICATE_FILE", default=""),
    "alipay_certificate_file": env.str("ALIPAY_CERTIFICATE_FILE", default=""),
    "alipay_root_file": env.str("ALIPAY_ROOT_CERTIFICATE_FILE", default=""),
    "timeout_seconds": env.int("ALIPAY_TIMEOUT_SECONDS", default=8),
}
WECHAT_PAY = {
    "gateway": env.str("WECHAT_PAY_GATEWAY", default="")
    or (SANDBOX_URL if SANDBOX else "https://api.mch.weixin.qq.com"),
    # The service account: WeChat's own browser pays by the openid it hands out.
    "app_id": env.str("WECHAT_PAY_APP_ID", default="") or WECHAT["app_id"],
    "merchant_id": env.str("WECHAT_PAY_MERCHANT_ID", default="")
    or ("1900000001" if SANDBOX else ""),
    # Of the merchant's own API certificate, hexadecimal.
    "merchant_serial": env.str("WECHAT_PAY_MERCHANT_SERIAL", default="")
    or ("5157F09EFDC096DE15EBE81A47057A7232F1B8E1" if SANDBOX else ""),
    "merchant_key_file": env.str(
        "WECHAT_PAY_MERCHANT_KEY_FILE",
        default=str(SANDBOX_DIR / "wechat_pay_merchant_private.pem"),
    ),
    # 32 characters; they open what notifications carry.
    "api_v3_key_file": env.str(
        "WECHAT_PAY_API_V3_KEY_FILE",
        default=str(SANDBOX_DIR / "wechat_pay_api_v3_key.txt"),
    ),
    # Public-key mode: PUB_KEY_ID_… and its PEM file.
    "public_key_id": env.str("WECHAT_PAY_PUBLIC_KEY_ID", default="")
    or ("PUB_KEY_ID_0119000000012026112600000000000001" if SANDBOX else ""),
    "public_key_file": env.str(
        "WECHAT_PAY_PUBLIC_KEY_FILE",
        default=str(SANDBOX_DIR / "wechat_pay_platform_public.pem"),
    ),
    # Certificate mode of older merchants, in place of the public key: a folder that keeps
    # WeChat's certificates; empty at first, they are fetched into it.
    "certificate_dir": env.str("WECHAT_PAY_CERTIFICATE_DIR", default=""),
    "timeout_seconds": env.int("WECHAT_PAY_TIMEOUT_SECONDS", default=8),
}
UNIONPAY = {
    "gateway": env.str("UNIONPAY_GATEWAY", default="")
    or (SANDBOX_URL if SANDBOX else "https://gateway.95516.com"),
    "file_url": env.str("UNIONPAY_FILE_URL", default="")
    or (
        f"{SANDBOX_URL}/unionpay/file" if SANDBOX else "https://filedownload.95516.com/"
    ),
    "merchant_id": env.str("UNIONPAY_MERCHANT_ID", default="")
    or ("777290000000001" if SANDBOX else ""),
    # A .pfx file with its password, and the two certificates of UnionPay's authority.
    "merchant_key_file": env.str("UNIONPAY_MERCHANT_KEY_FILE", default="")
    or str(SANDBOX_DIR / "unionpay_merchant.pfx"),
    "merchant_key_password": (
        secret("UNIONPAY_MERCHANT_KEY_PASSWORD")
        if not PRODUCTION or env.str("UNIONPAY_MERCHANT_ID", default="")
        else ""
    ),
    "root_certificate_file": env.str("UNIONPAY_ROOT_CERTIFICATE_FILE", default="")
    or str(SANDBOX_DIR / "unionpay_root.pem"),
    "middle_certificate_file": env.str("UNIONPAY_MIDDLE_CERTIFICATE_FILE", default="")
    or str(SANDBOX_DIR / "unionpay_middle.pem"),
    # UnionPay's test gateway signs under another name.
    "accepts_test_signer": env.bool("UNIONPAY_TEST_SIGNER", default=False),
    "timeout_seconds": env.int("UNIONPAY_TIMEOUT_SECONDS", default=8),
    # `txnTime` has to be "now" when the buyer arrives; how much later is not documented.
    "restart_minutes": env.int("UNIONPAY_RESTART_MINUTES", default=5),
}
# What buyers are offered, in this order; named in the variable, separated by commas.
_KNOWN_GATEWAYS = {
    "alipay": ("支付宝", "orders.payments.alipay.build_gateway"),
    "wechat": ("微信支付", "orders.payments.wechat_pay.build_gateway"),
    "unionpay": ("银联支付", "orders.payments.unionpay.build_gateway"),
}
PAYMENT_GATEWAYS = choose_gateways(
    _KNOWN_GATEWAYS, env.list("PAYMENT_GATEWAYS", default=[])
)
