"""Endpoints of the upload in parts: JSON out, for staff who may add videos.

Errors are `{"message": words for staff}`: 400 what no page of ours sends, 404 no such upload,
409 another place is next (`received`), 413 too much at once, 422 a part that was damaged.
"""

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.admin.base import get_actor
from catalog import queries, services
from catalog.errors import PartDamagedError, PartOutOfPlaceError, UploadRefusedError

# A weak line loses little with one part; four gigabytes are a thousand of them.
PART_BYTES = 4 * 1024 * 1024


@require_POST
def begin_upload(request: HttpRequest) -> JsonResponse:
    try:
        upload = services.begin_upload(
            person=get_actor(request),
            name=request.POST.get("name", ""),
            size=_read_number(request.POST.get("size")),
            # Before 1970, or unknown: one file is as old as the other.
            modified_ms=max(0, _read_number(request.POST.get("modified"))),
            now=timezone.now(),
        )
    except UploadRefusedError as error:
        return _refuse(400, error.message)
    return JsonResponse(
        {"code": upload.code, "received": upload.received, "partBytes": PART_BYTES}
    )


@require_http_methods(["PUT"])
def receive_part(request: HttpRequest, code: str) -> JsonResponse:
    length = _read_number(request.headers.get("Content-Length"))
    if not 0 < length <= PART_BYTES:
        return _refuse(413, "一次上传的内容过大")
    try:
        received = services.receive_part(
            upload=queries.get_upload(get_actor(request), code),
            offset=_read_number(request.headers.get("Upload-Offset")),
            # Not `body`, whose limit is meant for forms.
            content=request.read(length),
            digest=request.headers.get("Upload-Digest", ""),
            now=timezone.now(),
        )
    except UploadRefusedError as error:
        return _refuse(404, error.message)
    except PartOutOfPlaceError as error:
        answer = {"message": error.message, "received": error.received}
        return JsonResponse(answer, status=409)
    except PartDamagedError as error:
        return _refuse(422, error.message)
    return JsonResponse({"received": received})


def _read_number(text: str | None) -> int:
    """A number in digits, -1 for anything else or for more than a file can have."""
    is_number = (
        text is not None and text.isascii() and text.isdigit() and len(text) < 16
    )
    return int(text) if is_number and text else -1


def _refuse(status: int, message: str) -> JsonResponse:
    return JsonResponse({"message": message}, status=status)
