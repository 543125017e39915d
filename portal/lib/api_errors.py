"""Turns whatever an API view raises into problem details."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from portal.lib.problems import CONTENT_TYPE, TITLES, ProblemError, describe_problem


def answer_problem(exception: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn whatever an API view raises into a problem (settings.REST_FRAMEWORK).

    None for what is no refusal: the portal's own page for breakdowns answers that.
    """
    error = _as_api_exception(exception)
    # The framework's own handler adds Retry-After and WWW-Authenticate and rolls back.
    response = exception_handler(error, dict(context))
    if response is None or not isinstance(error, exceptions.APIException):
        return None
    code, members = _read(error)
    response.data = describe_problem(
        status=response.status_code,
        code=code,
        title=_title(error, code),
        reference=getattr(context["request"], "request_id", "-"),
        **members,
    )
    response.content_type = CONTENT_TYPE
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _as_api_exception(exception: Exception) -> Exception:
    if isinstance(exception, Http404):
        return exceptions.NotFound()
    if isinstance(exception, PermissionDenied):
        return exceptions.PermissionDenied()
    return exception


def _read(error: exceptions.APIException) -> tuple[str, Mapping[str, object]]:
    if isinstance(error, ProblemError):
        return error.code, error.members
    if isinstance(error, exceptions.ValidationError):
        return "invalid", {"errors": _list_errors(error.detail)}
    if isinstance(error, exceptions.NotAuthenticated):
        # The code by which the portal's other endpoints for scripts say it.
        return "login_required", {}
    return str(error.get_codes()), {}


def _title(error: exceptions.APIException, code: str) -> str:
    """A problem's own words; ours for what the framework says."""
    words = str(error.detail)
    return words if isinstance(error, ProblemError) else TITLES.get(code, words)


def _list_errors(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Errors by field; fields within a field are named `outer.inner`."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for name, inner in detail.items():
            found |= _list_errors(inner, f"{path}.{name}" if path else str(name))
        return found
    texts = detail if isinstance(detail, list) else [detail]
    return {path or "non_field_errors": [str(text) for text in texts]}
