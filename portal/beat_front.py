"""Takes the player's steady beats before Django does.

Tens of thousands watch at once and each reports every few seconds; Django's way through
middleware, session and a handful of queries costs ten times what the beat itself needs. What
carries a good token and is steady is answered here. Everything else, every refusal among it,
goes on to Django with the request as it came.
"""

import json
import logging
from collections.abc import Iterable
from io import BytesIO
from threading import Lock
from time import monotonic, perf_counter
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.db import DatabaseError
from django.urls import reverse
from django.utils import timezone

from learning.api import LARGEST_BODY
from learning.errors import InvalidInputError
from learning.forms import read_beat, read_json_object
from learning.services import Beat
from learning.services.steady_beats import (
    SteadyAnswer,
    read_beat_token,
    record_steady_beat,
)
from learning.services.terms import read_terms
from portal.lib.raw_connections import RawConnections, open_raw_connections

logger = logging.getLogger(__name__)

TOKEN_HEADER = "HTTP_X_BEAT_TOKEN"  # noqa: S105 - a header's name
# The headers of every answer that mean something for JSON.
HEADERS = [
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
]
LOG_SECONDS = 10


def put_before(django: WSGIApplication) -> WSGIApplication:
    """`django` with the beats of the player taken before it."""
    return BeatFront(django, reverse("learning:beat"), open_raw_connections())


class BeatFront:
    """A WSGI application around Django's: `path` is the address of the beats."""

    def __init__(
        self, django: WSGIApplication, path: str, connections: RawConnections
    ) -> None:
        self._django = django
        self._path = path
        self._connections = connections
        self._tally = Tally()

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        token = environ.get(TOKEN_HEADER)
        if (
            token is None
            or environ["PATH_INFO"] != self._path
            or environ["REQUEST_METHOD"] != "POST"
        ):
            return self._django(environ, start_response)
        started = perf_counter()
        answer = self._accept(token, environ)
        if answer is None:
            return self._django(environ, start_response)
        body = json.dumps(describe_steady(answer)).encode()
        start_response("200 OK", [*HEADERS, ("Content-Length", str(len(body)))])
        self._tally.add(perf_counter() - started)
        return [body]

    def _accept(self, token: str, environ: WSGIEnvironment) -> SteadyAnswer | None:
        now = timezone.now()
        claim = read_beat_token(token, now=now)
        body = _take_body(environ) if claim else None
        if claim is None or body is None:
            return None
        try:
            given = read_beat(read_json_object(body))
            return record_steady_beat(
                self._connections.fetch,
                claim,
                Beat(
                    given.session, given.sequence, given.position_ms, given.is_playing
                ),
                terms=read_terms(),
                now=now,
            )
        except (InvalidInputError, DatabaseError):
            # Django says what is wrong, in its own words and with its own connection.
            return None


def _take_body(environ: WSGIEnvironment) -> bytes | None:
    """The request's body, which Django can read again; None if it is no beat by its size."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    return body


def describe_steady(answer: SteadyAnswer) -> dict[str, Any]:
    """The short answer; the player adds it to the last full one."""
    return {
        "sequence": answer.sequence,
        "credited_ms": answer.credited_ms,
        "run": [answer.run_from_ms, answer.position_ms],
    }


class Tally:
    """Counts beats for the log: a line each would cost more than the beat."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._begin()

    def _begin(self) -> None:
        self._count, self._seconds, self._longest = 0, 0.0, 0.0
        self._due = monotonic() + LOG_SECONDS

    def add(self, seconds: float) -> None:
        """Note one beat; every ten seconds the next one writes a line about all of them."""
        with self._lock:
            self._count += 1
            self._seconds += seconds
            self._longest = max(self._longest, seconds)
            if monotonic() < self._due:
                return
            line = {
                "route": "learning/beat/ (steady)",
                "count": self._count,
                "mean_milliseconds": round(self._seconds * 1000 / self._count, 1),
                "longest_milliseconds": round(self._longest * 1000, 1),
            }
            self._begin()
        logger.info("requests", extra=line)
