"""A store that speaks as much of S3 as the portal uses, on loopback.

It checks the signatures of presigned addresses by its own arithmetic, so an address that it
opens would be opened by a real store too.
"""

import hmac
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

KEY, SECRET, REGION = "portal", "loopback-only", "cn-north-1"
BUCKET = "videos"
MODIFIED = "Mon, 15 Jun 2026 02:00:00 GMT"


class Store(ThreadingHTTPServer):
    """`objects` by their names in the bucket."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StoreHandler)
        self.objects: dict[str, bytes] = {}

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def storage_url(self) -> str:
        host = f"127.0.0.1:{self.server_port}"
        return f"s3+http://{KEY}:{SECRET}@{host}/{BUCKET}?region={REGION}"


class StoreHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Store

    def log_message(self, *_args: Any) -> None:
        """Say nothing: the tests' output belongs to the tests."""

    @property
    def name(self) -> str:
        path = urlsplit(self.path).path
        return path.removeprefix(f"/{BUCKET}/")

    def do_PUT(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.objects[self.name] = self.rfile.read(length)
        self.answer(200)

    def do_DELETE(self) -> None:
        self.server.objects.pop(self.name, None)
        self.answer(204)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        content = self.server.objects.get(self.name)
        if not is_signed(self.path, self.headers["Host"], self.headers):
            self.answer(403)
        elif content is None:
            self.answer(404)
        else:
            self.answer_part(content)

    def answer_part(self, content: bytes) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted is None:
            self.answer(200, content)
            return
        first = int(wanted[1])
        part = content[first : int(wanted[2] or len(content)) + 1]
        place = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
        self.answer(206, part, {"Content-Range": place})

    def answer(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        lines = {"Content-Length": str(len(body)), "Last-Modified": MODIFIED}
        for name, value in (lines | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def is_signed(path: str, host: str, headers: Any) -> bool:
    """Whether a request carries a signature: in its heads, or a true one in its address."""
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "X-Amz-Signature" not in query:
        return "Signature=" in headers.get("Authorization", "")
    began = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if datetime.now(UTC) > began + timedelta(seconds=int(query["X-Amz-Expires"])):
        return False
    return hmac.compare_digest(
        query.pop("X-Amz-Signature"), sign(parts.path, query, host)
    )


def sign(path: str, query: dict[str, str], host: str) -> str:
    """AWS Signature Version 4 of a presigned GET, in hexadecimal digits."""
    pairs = sorted((quote(k, safe=""), quote(v, safe="")) for k, v in query.items())
    asked = "&".join(f"{name}={value}" for name, value in pairs)
    request = f"GET\n{path}\n{asked}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    day = query["X-Amz-Date"][:8]
    scope = f"{day}/{REGION}/s3/aws4_request"
    digest = sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{scope}\n{digest}"
    key = f"AWS4{SECRET}".encode()
    for step in (day, REGION, "s3", "aws4_request", text):
        key = hmac.new(key, step.encode(), sha256).digest()
    return key.hex()


@contextmanager
def open_store() -> Iterator[Store]:
    store = Store()
    thread = threading.Thread(target=store.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store.shutdown()
        store.server_close()
        thread.join()
