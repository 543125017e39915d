"""Hands out videos, posters and captions under signed addresses."""

import mimetypes
from typing import BinaryIO, cast

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseForbidden,
    StreamingHttpResponse,
)
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.encoding import iri_to_uri
from django.utils.http import http_date, parse_http_date_safe, quote_etag
from django.views.decorators.http import require_safe

from catalog import queries
from catalog.errors import VideoLinkExpiredError, VideoNotFoundError
from catalog.models import Video
from portal.lib.byte_ranges import (
    ByteRange,
    RangeReader,
    UnsatisfiableRangeError,
    parse_range,
)

CACHE_SECONDS = 3600


@require_safe
def video(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    try:
        row = queries.get_signed_video(token, request.user, timezone.now())
    except VideoLinkExpiredError as error:
        return HttpResponseForbidden(error.message, content_type="text/plain")
    except VideoNotFoundError as error:
        raise Http404(error.message) from error
    stored = _pick_file(row, name)
    if settings.VIDEO_ACCEL_LOCATION:
        response: HttpResponseBase = _hand_to_proxy(stored)
    else:
        response = _serve(request, stored)
    response.headers["Cache-Control"] = f"private, max-age={CACHE_SECONDS}"
    return response


def _pick_file(row: Video, name: str) -> FieldFile:
    files = {
        "video.mp4": row.file if row.state == Video.State.READY else None,
        "poster.jpg": row.poster,
        "captions.vtt": row.captions,
    }
    stored = files.get(name)
    if not stored:
        raise Http404("no such file")
    return stored


def _content_type(stored: FieldFile) -> str:
    guessed, _encoding = mimetypes.guess_type(stored.name or "")
    return guessed or "application/octet-stream"


def _hand_to_proxy(stored: FieldFile) -> HttpResponse:
    """Let nginx send the file (X-Accel-Redirect); it answers ranges and conditions itself."""
    location = settings.VIDEO_ACCEL_LOCATION.rstrip("/")
    response = HttpResponse(content_type=_content_type(stored))
    response.headers["X-Accel-Redirect"] = iri_to_uri(f"{location}/{stored.name}")
    return response


def _serve(request: HttpRequest, stored: FieldFile) -> HttpResponseBase:
    try:
        size = stored.size
        modified = int(stored.storage.get_modified_time(stored.name or "").timestamp())
    except FileNotFoundError as error:
        raise Http404("the file is gone") from error
    etag = quote_etag(f"{size:x}-{modified:x}")
    unchanged = get_conditional_response(request, etag=etag, last_modified=modified)
    wanted = _wanted_range(request, etag, modified)
    response = unchanged or _answer(request, stored, size, wanted)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = etag
    response.headers["Last-Modified"] = http_date(modified)
    return response


def _wanted_range(request: HttpRequest, etag: str, modified: int) -> str:
    """The Range header, or nothing where If-Range says that the file is another one now."""
    condition = request.headers.get("If-Range", "").strip()
    if condition and condition != etag and parse_http_date_safe(condition) != modified:
        return ""
    return request.headers.get("Range", "")


def _answer(
    request: HttpRequest, stored: FieldFile, size: int, wanted: str
) -> HttpResponseBase:
    try:
        part = parse_range(wanted, size)
    except UnsatisfiableRangeError:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    whole = ByteRange(0, size - 1)
    headers = {"Content-Length": str((part or whole).length)}
    if part is not None:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{size}"
    status = 200 if part is None else 206
    kind = _content_type(stored)
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers, content_type=kind)
    # The file closes with the response, which calls `close` of its iterator.
    file = cast(BinaryIO, stored.storage.open(stored.name or "", "rb"))
    reader = RangeReader(file, part or whole)
    return StreamingHttpResponse(
        reader, status=status, headers=headers, content_type=kind
    )
