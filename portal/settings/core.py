"""Applications, middleware, templates, logs."""

from pathlib import Path

import django

from portal.logs import logging_config
from portal.settings.environment import (
    BASE_DIR,
    PRODUCTION,
    SITE_URL,
    env,
    secret,
)

# --- Core --------------------------------------------------------------------------------
SECRET_KEY = secret("SECRET_KEY")
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
# Django's own words win: an app that translates the same sentence changes it for everybody.
LOCALE_PATHS = [Path(django.__file__).parent / "conf" / "locale"]

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
    "captcha",
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
    "accounts.middleware.StaffAddressMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "portal.middleware.RefuseNulMiddleware",
    "portal.errors.MethodPageMiddleware",
    "portal.errors.BusyPageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.PersonSessionMiddleware",
    "django_otp.middleware.OTPMiddleware",
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

LOGGING_CONFIG = None
logging_config(level=env.str("LOG_LEVEL", default="INFO"), readable=not PRODUCTION)
