"""Where things are kept: database, cache, sessions, files, the queue."""

from pathlib import Path

from portal.object_storage import read_storage_url
from portal.settings.core import TIME_ZONE
from portal.settings.environment import (
    BASE_DIR,
    DEBUG,
    PRODUCTION,
    REDIS_URL,
    TESTING,
    VAR_DIR,
    env,
)
from portal.sweeps import SWEEPS

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
            # Beyond it, counters of bytes served would be thrown out by chance.
            "OPTIONS": {"MAX_ENTRIES": 3000},
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
# S3-compatible storage in the place of the media folder; browsers play from its origin.
STORAGE_URL = env.str("STORAGE_URL", default="")
STORAGE_ORIGIN = ""
if STORAGE_URL:
    _storage = read_storage_url(STORAGE_URL)
    STORAGES["default"] = _storage.backend
    STORAGE_ORIGIN = _storage.origin
# Embedded: served straight from the finders, so no collectstatic is needed to start.
WHITENOISE_USE_FINDERS = not PRODUCTION
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# Larger uploads lie in the clear in a temporary folder for a moment. Lists (5 MB) and proofs
# (8 MB each) never do; videos have to.
FILE_UPLOAD_MAX_MEMORY_SIZE = 9 * 1024 * 1024
# nginx hands out the videos (X-Accel-Redirect) when this names its internal location; with
# STORAGE_URL the store does.
VIDEO_ACCEL_LOCATION = env.str("VIDEO_ACCEL_LOCATION", default="")

# --- Celery ------------------------------------------------------------------------------
BROKER_FOLDER = VAR_DIR / "broker"
CELERY_BROKER_URL = REDIS_URL or "file-broker://localhost"
CELERY_TASK_ALWAYS_EAGER = TESTING
CELERY_TASK_EAGER_PROPAGATES = TESTING
CELERY_TIMEZONE = TIME_ZONE
# How many workers may be at videos: one that encodes for hours sends no codes and asks after
# no payment. Less than there are worker processes.
VIDEOS_AT_ONCE = env.int("VIDEOS_AT_ONCE", default=1)
SWEEP_SECONDS = env.int("SWEEP_SECONDS", default=10)
CELERY_BEAT_SCHEDULE = {
    name: {"task": name, "schedule": SWEEP_SECONDS * factor}
    for name, factor in SWEEPS.items()
}
