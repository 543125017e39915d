"""Hands out videos, their qualities, posters and captions under signed addresses."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from django.conf import settings
from django.contrib import admin
from django.db.models.fields.files import FieldFile
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseForbidden,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.encoding import iri_to_uri
from django.utils.http import http_date, parse_http_date_safe, quote_etag
from django.views.decorators.http import require_safe

from accounts.api.authentication import find_app_person
from catalog import queries, services
from catalog.errors import VideoLinkExpiredError, VideoNotFoundError
from catalog.models import Video
from catalog.queries import VideoTicket
from portal.lib.byte_ranges import (
    ByteRange,
    RangeReader,
    UnsatisfiableRangeError,
    parse_range,
)
from portal.lib.streams import Variant, readdress, write_variants

CACHE_SECONDS = 3600
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
# Not guessed: what Python knows depends on the machine.
CONTENT_TYPES = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".vtt": "text/vtt"}
STREAM = "stream.m3u8"


@dataclass(frozen=True)
class Film:
    """A file that is played, or shown beside it. `size` in bytes where it is counted."""

    stored: FieldFile
    size: int | None = None


def may_preview(request: HttpRequest) -> bool:
    """Whether the visitor is staff who may look at plans as learners will, drafts included.

    That wants all that the staff site wants: a password alone is no proof of being staff.
    """
    return admin.site.has_permission(request) and request.user.has_perm(
        "catalog.view_plan"
    )


@require_safe
def video(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    now = timezone.now()
    try:
        viewer = find_app_person(request) or request.user
        ticket = queries.read_ticket(token, viewer, now)
        if name.endswith(".m3u8"):
            return _send_playlist(ticket, name, now)
        film = _pick_file(ticket.video_id, name)
    except VideoLinkExpiredError as error:
        return HttpResponseForbidden(error.message, content_type="text/plain")
    except VideoNotFoundError as error:
        raise Http404(error.message) from error
    # Captions of another origin would have to be allowed by the store and by the page.
    if settings.STORAGE_ORIGIN and name != "captions.vtt":
        return _lead_to_store(film.stored, ticket, now)
    _count(request, ticket, film)
    if settings.VIDEO_ACCEL_LOCATION and not settings.STORAGE_ORIGIN:
        response: HttpResponseBase = _hand_to_proxy(film.stored)
    else:
        response = _serve(request, film.stored)
    response.headers["Cache-Control"] = f"private, max-age={CACHE_SECONDS}"
    return response


def _pick_file(video_id: int, name: str) -> Film:
    """Raises VideoNotFoundError."""
    if name not in ("video.mp4", "poster.jpg", "captions.vtt"):
        path = PurePosixPath(name)
        if path.suffix != ".mp4":
            raise VideoNotFoundError
        quality = queries.get_quality(video_id, path.stem)
        return Film(quality.file, quality.size)
    row = queries.get_video(video_id)
    films = {
        "video.mp4": Film(row.file, row.size),
        "poster.jpg": Film(row.poster),
        "captions.vtt": Film(row.captions),
    }
    film = films[name]
    if not film.stored or (film.size is not None and row.state != Video.State.READY):
        raise VideoNotFoundError
    return film


def _send_playlist(ticket: VideoTicket, name: str, now: datetime) -> HttpResponse:
    """The list of qualities, or one's segments. Raises VideoNotFoundError."""
    if name == STREAM:
        qualities = queries.list_qualities(ticket.video_id)
        if not qualities:
            raise VideoNotFoundError
        text = write_variants(
            [
                Variant(f"{q.name}.m3u8", q.width, q.height, q.bandwidth, q.codecs)
                for q in qualities
            ]
        )
    else:
        quality = queries.get_quality(ticket.video_id, PurePosixPath(name).stem)
        text = quality.playlist
        if settings.STORAGE_ORIGIN:
            address = _presign(quality.file, ticket, now)
            text = readdress(text, f"{quality.name}.mp4", address)
    return HttpResponse(
        text, content_type=PLAYLIST_TYPE, headers={"Cache-Control": "no-store"}
    )


def _presign(stored: FieldFile, ticket: VideoTicket, now: datetime) -> str:
    """Address at the store that ends with the ticket."""
    seconds = int((ticket.ends_at - now).total_seconds()) + 1
    return str(stored.storage.url(stored.name, expire=seconds))  # type: ignore[call-arg]


def _lead_to_store(
    stored: FieldFile, ticket: VideoTicket, now: datetime
) -> HttpResponse:
    return HttpResponseRedirect(
        _presign(stored, ticket, now), headers={"Cache-Control": "no-store"}
    )


def _count(request: HttpRequest, ticket: VideoTicket, film: Film) -> None:
    """Note what is asked for, whoever sends it; conditions that spare it are not looked at."""
    if film.size is None or request.method != "GET":
        return
    try:
        part = parse_range(request.headers.get("Range", ""), film.size)
    except UnsatisfiableRangeError:
        return
    services.note_served(
        person_id=ticket.person_id,
        video_id=ticket.video_id,
        size=part.length if part else film.size,
    )


def _content_type(stored: FieldFile) -> str:
    suffix = PurePosixPath(stored.name or "").suffix
    return CONTENT_TYPES.get(suffix, "application/octet-stream")


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
