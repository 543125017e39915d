"""Who gets in and how: logins, keys, headers."""

from portal.captcha import CAPTCHA
from portal.csp import build_policy
from portal.login_settings import read_session_limits
from portal.settings.environment import (
    PRODUCTION,
    env,
    secret,
)
from portal.settings.stores import STORAGE_ORIGIN

# --- Passwords and login -----------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["accounts.backends.PersonBackend"]
# One hash at a time in each process, and a page that says so to those beyond a few.
PASSWORD_HASHERS = [
    "portal.lib.password_hashing.WorkerArgon2Hasher",
    "portal.lib.password_hashing.WorkerPBKDF2Hasher",
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
vars().update(CAPTCHA)
# A login ends when it lay idle or lasted too long; a new one ends those beyond so many.
SESSION_LIMITS = read_session_limits(env)
SESSIONS_AT_A_TIME = env.int("SESSIONS_AT_A_TIME", default=1)
# The staff site: a code of an authenticator app, a password younger than this, and requests
# from these networks only ("10.1.0.0/16"; none named: from everywhere).
STAFF_TOTP = env.bool("STAFF_TOTP", default=PRODUCTION)
STAFF_PASSWORD_DAYS = env.int("STAFF_PASSWORD_DAYS", default=90)
STAFF_ADDRESSES = env.list("STAFF_ADDRESSES", default=[])
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
CONTENT_SECURITY_POLICY = build_policy(STORAGE_ORIGIN)
