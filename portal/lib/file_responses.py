"""Answers that hand out files about people: never kept, never run, never guessed at."""

from urllib.parse import quote

from django.http import HttpResponse

# Shown beside a form for staff; everything else is a download.
INLINE_TYPES = frozenset({"image/jpeg", "image/png", "application/pdf"})


def attachment(content: bytes, *, name: str, content_type: str) -> HttpResponse:
    """A file to be saved under `name`."""
    return _respond(content, name, content_type, "attachment")


def inline(content: bytes, *, name: str, content_type: str) -> HttpResponse:
    """A picture or PDF to be looked at; an attachment where it is neither."""
    shown = content_type in INLINE_TYPES
    return _respond(content, name, content_type, "inline" if shown else "attachment")


def _respond(
    content: bytes, name: str, content_type: str, disposition: str
) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f"{disposition}; filename*=UTF-8''{quote(name)}"
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
