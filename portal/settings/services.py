"""Whom the portal talks to: messages, gateways, WeChat."""

from portal.settings.environment import (
    PRODUCTION,
    SANDBOX,
    SANDBOX_DIR,
    SANDBOX_URL,
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
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="dummymail://")
vars().update(EMAIL_CONFIG)
# A worker waits no longer for a mail server; the outbox tries again.
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="no-reply@localhost")

# --- Payments ----------------------------------------------------------------------------
ORDER_LIFETIME_MINUTES = env.int("ORDER_LIFETIME_MINUTES", default=30)
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
PAYMENT_GATEWAYS = {"alipay": ("支付宝", "orders.payments.alipay.build_gateway")}

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
