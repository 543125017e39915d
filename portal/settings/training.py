"""What the training centre decides: papers, learning, words, the API."""

from portal.settings.environment import (
    PRODUCTION,
    env,
)

# --- Certificates and invoices -----------------------------------------------------------
CERTIFICATE_ISSUER = env.str("CERTIFICATE_ISSUER", default="重庆市人力资源开发服务中心")
CERTIFICATE_FULL_ID_NUMBER = env.bool("CERTIFICATE_FULL_ID_NUMBER", default=False)
# Words under the seal's star and its registered number; the latter only where there is one.
SEAL_BOTTOM_WORDS = env.str("SEAL_BOTTOM_WORDS", default="继续教育专用章")
SEAL_CODE = env.str("SEAL_CODE", default="" if PRODUCTION else "5000000000000")
# PEM files of the organisation's electronic seal. Embedded and all three empty: a sample
# root and certificate are made under VAR_DIR/keys at first use.
SEAL_KEY_FILE, SEAL_CERTIFICATE_FILE, SEAL_ROOTS_FILE = (
    env.str(name) if PRODUCTION else env.str(name, default="")
    for name in ("SEAL_KEY_FILE", "SEAL_CERTIFICATE_FILE", "SEAL_ROOTS_FILE")
)
# What the public verification page shows of a name: `欧**国`, or all of it.
VERIFY_FULL_NAME = env.bool("VERIFY_FULL_NAME", default=False)
# Serves characters of names that the papers' main font lacks; used where it is installed.
RARE_FONT_FILE = env.str(
    "RARE_FONT_FILE", default="/usr/share/fonts/truetype/babelstone/BabelStoneHan.ttf"
)
# Empty: requests are taken and wait. The sample provider is refused by `check --deploy`.
INVOICE_PROVIDER = env.str(
    "INVOICE_PROVIDER",
    default="" if PRODUCTION else "invoices.providers.embedded.SampleInvoiceProvider",
)
INVOICE_SELLER = {
    "name": env.str("INVOICE_SELLER_NAME", default="重庆市人力资源开发服务中心"),
    # The sample's has the right form and is nobody's.
    "credit_code": env.str(
        "INVOICE_SELLER_CREDIT_CODE", default="" if PRODUCTION else "12500000000000000A"
    ),
    "taxpayer": env.str("INVOICE_SELLER_TAXPAYER", default="general"),
}
INVOICE_ITEM = "*非学历教育服务*培训费"
# Taxpayer, in force from, rate in permille, source. A new rate is a new line.
INVOICE_TAX_RATES = (
    ("general", "2016-05-01", 60, "财税〔2016〕36号"),
    ("small", "2016-05-01", 30, "财税〔2016〕36号"),
    ("small", "2023-01-01", 10, "财政部 税务总局公告2023年第19号"),
    ("small", "2028-01-01", 30, "财政部 税务总局公告2023年第19号"),
)

# --- Learning (learning.md; seconds) -----------------------------------------------------
LEARNING = {
    "beat_seconds": env.int("LEARNING_BEAT_SECONDS", default=10),
    "prompt_after_seconds": (
        env.int("LEARNING_PROMPT_MIN_SECONDS", default=240),
        env.int("LEARNING_PROMPT_MAX_SECONDS", default=540),
    ),
    # A person's very first question; 0: drawn like every other. The sample chapters last a
    # quarter of a minute, so by the normal interval a demonstration would never see one.
    "first_prompt_seconds": env.int(
        "LEARNING_FIRST_PROMPT_SECONDS", default=0 if PRODUCTION else 20
    ),
    "prompt_answer_seconds": env.int("LEARNING_PROMPT_ANSWER_SECONDS", default=60),
    "prompt_hold_seconds": env.int("LEARNING_PROMPT_HOLD_SECONDS", default=60),
    # How far a session's position and the server's clock may drift apart on a slow line.
    "tolerance_seconds": env.int("LEARNING_TOLERANCE_SECONDS", default=5),
    # A session without a beat for so long is closed; the player opens another by itself.
    "idle_seconds": env.int("LEARNING_IDLE_SECONDS", default=900),
    # How long after a stretch that did not count the learner may appeal it.
    "appeal_days": env.int("LEARNING_APPEAL_DAYS", default=30),
}

# The hours a year asks for (渝人社办〔2022〕321号); the local law once said fewer.
YEARLY_DUTY_HOURS = {
    "general": env.int("DUTY_GENERAL_HOURS", default=30),
    "professional": env.int("DUTY_PROFESSIONAL_HOURS", default=60),
}

# --- What visitors read ------------------------------------------------------------------
PORTAL_NAME = env.str("PORTAL_NAME", default="重庆人社培训网")
PORTAL_ORGANISER = env.str("PORTAL_ORGANISER", default="重庆市人力资源开发服务中心")
PORTAL_FILING = env.str("PORTAL_FILING", default="")
PORTAL_SERVICE_PHONE = env.str("PORTAL_SERVICE_PHONE", default="400-023-9229")

# Browsers keep the page for being offline; false removes it from all of them.
SERVICE_WORKER = env.bool("SERVICE_WORKER", default=True)

# --- API ---------------------------------------------------------------------------------
REST_FRAMEWORK = {
    # A token that was sent decides before a cookie does.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.AppAuthentication",
        "portal.lib.api_login.LoginAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.lib.api_parsing.SafeJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.lib.api_errors.answer_problem",
    # Of one person. A page that waits for a payment asks 20 times a minute.
    "DEFAULT_THROTTLE_RATES": {
        "api_read": env.str("API_READ_RATE", default="120/min"),
        "api_write": env.str("API_WRITE_RATE", default="20/min"),
        "api_study": env.str("API_STUDY_RATE", default="120/min"),
    },
}
SPECTACULAR_SETTINGS = {
    "TITLE": "重庆人社培训网 API",
    "DESCRIPTION": (
        "供手机页面和应用使用。以应用的令牌或浏览器的登录会话识别本人，只能读写本人的数据；"
        "他人的对象一律回答 404。金额单位为分，时间带时区。"
        "错误按 RFC 9457 以 application/problem+json 返回，程序据 code 判断。"
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "OrderStateCode": "orders.models.Order.State",
        "OrderKindCode": "orders.models.Order.Kind",
        "InvoiceBuyerCode": "orders.models.InvoiceRequest.Buyer",
        "EnrolmentStateCode": "learning.models.Enrolment.State",
        "CourseKindCode": "catalog.models.PlanCourse.Kind",
        "RefusalCode": "learning.models.RefusedTime.Reason",
        "CertificateStateCode": "certificates.models.Certificate.State",
        "PaperStateCode": "certificates.models.CertificateIssue.State",
    },
}
