"""Settings, all from the environment.

With nothing set the portal runs embedded: SQLite, local files, a file broker, sandbox
gateways, secrets made at the first start under `PORTAL_VAR`. `PORTAL_PRODUCTION=true` takes
every default with a secret or a sandbox away; what is missing then stops the start.
"""

import sys
from functools import partial
from pathlib import Path

import environ

from portal.csp import POLICY
from portal.embedded import read_secret
from portal.logs import logging_config
from portal.sweeps import SWEEPS

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

PRODUCTION = env.bool("PORTAL_PRODUCTION", default=False)
TESTING = "pytest" in sys.modules
VAR_DIR = Path(env.str("PORTAL_VAR", default=str(BASE_DIR / "var")))
SECRETS_DIR = VAR_DIR / "secrets"
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
secret = partial(read_secret, env, folder=None if PRODUCTION else SECRETS_DIR)

# --- Core --------------------------------------------------------------------------------
SECRET_KEY = secret("SECRET_KEY")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = (
    env.list("ALLOWED_HOSTS")
    if PRODUCTION
    else env.list("ALLOWED_HOSTS", default=["*"])
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[SITE_URL])
ADMIN_PATH = env.str("ADMIN_PATH", default="staff/")
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "accounts",
    "catalog",
    "learning",
    "orders",
    "certificates",
    "invoices",
    "portal.content",
    "portal.support",
]

MIDDLEWARE = [
    "portal.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.site",
            ],
        },
    }
]

# --- Database ----------------------------------------------------------------------------
if PRODUCTION:
    DATABASES = {"default": env.db("DATABASE_URL")}
else:
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    DATABASES = {
        "default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR}/portal.sqlite3")
    }
_database = DATABASES["default"]
if "sqlite" in _database["ENGINE"]:
    _database["OPTIONS"] = {
        # A writer that starts as a reader may fail with "database is locked" whatever the
        # timeout; IMMEDIATE takes the write lock at BEGIN and waits for it.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "PRAGMA cache_size=-32000; PRAGMA mmap_size=134217728;"
        ),
    }
    _database["CONN_MAX_AGE"] = None
else:
    _database["CONN_HEALTH_CHECKS"] = True
    # Threads of the web server come and go; a pool keeps connections, a thread would lose them.
    _database["OPTIONS"] = {} if TESTING else {"pool": {"min_size": 1, "max_size": 16}}
    _database["CONN_MAX_AGE"] = 0

# --- Cache, sessions ---------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "portal",
        }
    }
else:
    # Shared by the web server and the worker of one machine, unlike local memory.
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": VAR_DIR / "cache",
        }
    }
# Parts of pages that depend on nothing but the values in their key, or on nothing at all
# (the frame): kept by each process, where finding them costs less than drawing them.
CACHES["template_fragments"] = {
    "BACKEND": (
        "django.core.cache.backends.dummy.DummyCache"
        if DEBUG
        else "django.core.cache.backends.locmem.LocMemCache"
    ),
    "OPTIONS": {"MAX_ENTRIES": 5000},
}
# Sessions live in the database; Redis spares a query, a file would not be quicker.
SESSION_ENGINE = (
    f"django.contrib.sessions.backends.{'cached_db' if REDIS_URL else 'db'}"
)
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Passwords and login -----------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["accounts.backends.PersonBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.rules.passwords.LengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.rules.passwords.OwnDataValidator"},
    {"NAME": "accounts.rules.passwords.StaffLengthValidator"},
]
# Of accounts opened from a list: the rule (accounts/rules/first_passwords.py), and for how
# long it opens 首次登录.
FIRST_PASSWORD_RULE = env.str("FIRST_PASSWORD_RULE", default="edu_last_six")
FIRST_LOGIN_DAYS = env.int("FIRST_LOGIN_DAYS", default=30)
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "home"

# Personal data at rest: AES-256-GCM keys as "id:base64,id:base64" (the first encrypts, all
# decrypt) and, apart, the HMAC key of the blind index.
FIELD_KEYS = env.str("FIELD_KEYS", default="") or f"k1:{secret('FIELD_KEY')}"
INDEX_KEY = secret("INDEX_KEY")

# --- Security ----------------------------------------------------------------------------
X_FRAME_OPTIONS = "SAMEORIGIN"
# It asks for DENY; the certificate's page shows its PDF in a frame of our own.
SILENCED_SYSTEM_CHECKS = ["security.W019"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "portal.errors.csrf_failure"
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
# How many reverse proxies in front append to X-Forwarded-For; 0 believes the socket only.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
CONTENT_SECURITY_POLICY = POLICY

# --- Files -------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
if not PRODUCTION:
    # Empty, but WhiteNoise warns where it is missing.
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "portal.finders.FrontEndFinder",
]
NODE_MODULES = Path(env.str("NODE_MODULES", default=str(BASE_DIR / "node_modules")))
# Never served by an address of their own: views check who asks.
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
# Embedded: served straight from the finders, so no collectstatic is needed to start.
WHITENOISE_USE_FINDERS = not PRODUCTION
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# nginx hands out the videos (X-Accel-Redirect) when this names its internal location.
VIDEO_ACCEL_LOCATION = env.str("VIDEO_ACCEL_LOCATION", default="")

# --- Celery ------------------------------------------------------------------------------
BROKER_FOLDER = VAR_DIR / "broker"
CELERY_BROKER_URL = REDIS_URL or "file-broker://localhost"
CELERY_TASK_ALWAYS_EAGER = TESTING
CELERY_TASK_EAGER_PROPAGATES = TESTING
CELERY_TIMEZONE = TIME_ZONE
SWEEP_SECONDS = env.int("SWEEP_SECONDS", default=10)
CELERY_BEAT_SCHEDULE = {
    name: {"task": name, "schedule": SWEEP_SECONDS * factor}
    for name, factor in SWEEPS.items()
}

# --- Sandbox: gateways and message box of the embedded default ---------------------------
SANDBOX = env.bool("PORTAL_SANDBOX", default=not PRODUCTION)
SANDBOX_PORT = env.int("SANDBOX_PORT", default=8010)
SANDBOX_URL = f"http://127.0.0.1:{SANDBOX_PORT}"
SANDBOX_DIR = VAR_DIR / "sandbox"
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
    # Ours=theirs:value+value,… as accounts/rules/sms_templates.py reads them.
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

# --- API ---------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "重庆人社培训网 API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
}

LOGGING_CONFIG = None
logging_config(level=env.str("LOG_LEVEL", default="INFO"), readable=not PRODUCTION)
