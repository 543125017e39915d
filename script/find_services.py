"""Print DATABASE_URL and REDIS_URL for the tests, if this machine has both at their places.

Looks at the environment first and then at the default ports. Prints shell assignments; prints
nothing and exits 1 when one of the two cannot be used.
"""

import getpass
import os
import shlex
import sys
from collections.abc import Iterator

import psycopg
import redis

CONNECT_SECONDS = 3
# The last three of the sixteen databases of a default Redis: least likely to hold anything.
# The tests empty them; each worker of pytest-xdist takes the next one.
REDIS_DATABASE = 13


def database_candidates() -> Iterator[str]:
    if os.environ.get("DATABASE_URL"):
        yield os.environ["DATABASE_URL"]
        return
    for user in ("postgres", getpass.getuser()):
        yield f"postgres://{user}@127.0.0.1:5432/portal_{os.getpid()}"


def redis_candidates() -> Iterator[str]:
    if os.environ.get("REDIS_URL"):
        yield os.environ["REDIS_URL"]
        return
    yield f"redis://127.0.0.1:6379/{REDIS_DATABASE}"


def can_create_databases(url: str) -> bool:
    """Can a test database be made there? The named one need not exist."""
    server = url.rpartition("/")[0]
    try:
        with psycopg.connect(
            f"{server}/postgres", connect_timeout=CONNECT_SECONDS
        ) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.Error:
        return False
    return row is not None and bool(row[0])


def answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS
        ) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def main() -> int:
    database = next(filter(can_create_databases, database_candidates()), None)
    cache = next(filter(answers, redis_candidates()), None)
    if database is None or cache is None:
        return 1
    sys.stdout.write(f"DATABASE_URL={shlex.quote(database)}\n")
    sys.stdout.write(f"REDIS_URL={shlex.quote(cache)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
