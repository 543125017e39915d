"""What the other settings are decided by: where the portal stands, and with what."""

import sys
from functools import partial
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from portal.embedded import read_secret

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

PRODUCTION = env.bool("PORTAL_PRODUCTION", default=False)
TESTING = "pytest" in sys.modules
VAR_DIR = Path(env.str("PORTAL_VAR", default=str(BASE_DIR / "var")))
SECRETS_DIR = VAR_DIR / "secrets"
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
secret = partial(read_secret, env, folder=None if PRODUCTION else SECRETS_DIR)
DEBUG = env.bool("DEBUG", default=False)
REDIS_URL = env.str("REDIS_URL", default="")
# Gateways that are played on this machine.
SANDBOX = env.bool("PORTAL_SANDBOX", default=not PRODUCTION)
SANDBOX_PORT = env.int("SANDBOX_PORT", default=8010)
SANDBOX_URL = f"http://127.0.0.1:{SANDBOX_PORT}"
SANDBOX_DIR = VAR_DIR / "sandbox"

Gateways = dict[str, tuple[str, str]]


def choose_gateways(known: Gateways, names: list[str]) -> Gateways:
    """Return the named gateways in their order, all of them when none is named."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ImproperlyConfigured(
            f"PAYMENT_GATEWAYS names {unknown[0]}; known are {', '.join(known)}"
        )
    return {name: known[name] for name in names or known}
