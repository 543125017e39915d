"""What every request goes through: a reference number, and a look for NUL characters.

The number stands in the logs, in the answer and on error pages.
"""

import logging
import secrets
import time
from collections.abc import Callable

import structlog
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)


def get_request_id(request: HttpRequest) -> str:
    """Return the request's reference number, "-" where no middleware gave it one."""
    return getattr(request, "request_id", "-")


class RequestIdMiddleware:
    """Gives each request its number and writes one line about the answer.

    The number is made here and never taken from the client, who could plant another's. The
    line names the route, not the path: paths may hold the token of a certificate.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Twelve hexadecimal digits: short enough to be read out over a telephone.
        request_id = secrets.token_hex(6).upper()
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = request_id
            self._log(request, response, time.perf_counter() - started)
        finally:
            structlog.contextvars.unbind_contextvars("request_id")
        return response

    def _log(
        self, request: HttpRequest, response: HttpResponse, seconds: float
    ) -> None:
        match = request.resolver_match
        logger.info(
            "request",
            extra={
                "method": request.method,
                "route": match.route if match else "(none)",
                "status": response.status_code,
                "milliseconds": round(seconds * 1000, 1),
            },
        )


class RefuseNulMiddleware:
    """Answers 400 to an address or a cookie with a NUL character in it.

    PostgreSQL refuses the character with an error, in the key of a session already, so that
    every page would answer 500. Django's form fields refuse it in what is posted.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        cookies = request.META.get("HTTP_COOKIE", "")
        if (
            "\0" in request.path_info
            or "%00" in request.META.get("QUERY_STRING", "")
            # In a quoted cookie three octal digits stand for any character.
            or "\\000" in cookies
        ):
            raise BadRequest("NUL character")
        return self.get_response(request)
