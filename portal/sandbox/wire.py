"""A request and an answer, as the simulators see them."""

import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl, urlsplit

PAGES = Path(__file__).with_name("pages")

HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"
CSS = "text/css; charset=utf-8"

# No script at all, and nothing but the own stylesheet.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def json(self) -> dict[str, object]:
        """The JSON object of the body. Raises `ValueError` for anything else."""
        value = json.loads(self.body or b"{}")
        if not isinstance(value, dict):
            raise ValueError("a JSON object is expected")
        return value


@dataclass(frozen=True)
class Answer:
    body: bytes
    content_type: str = JSON
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


# (method, path pattern, handler); groups of the pattern are the handler's arguments.
Handler = Callable[..., Answer]
Route = tuple[str, str, Handler]


def answer_json(value: object, status: int = HTTPStatus.OK) -> Answer:
    return Answer(json.dumps(value, ensure_ascii=False).encode(), JSON, status)


def redirect(url: str, cookies: Mapping[str, str] | None = None) -> Answer:
    """Send the browser on with a GET."""
    headers = {"Location": url}
    for name, value in (cookies or {}).items():
        headers["Set-Cookie"] = f"{name}={value}; Path=/; HttpOnly; SameSite=Lax"
    return Answer(b"", HTML, HTTPStatus.SEE_OTHER, headers)


def cashier_path(code: str, token: str) -> str:
    """Where the cashier page of a trade is; `code` names the vendor."""
    return f"/cashier/{code}/{token}"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def render(
    name: str,
    texts: Mapping[str, object],
    *,
    markup: Mapping[str, str] | None = None,
    status: int = HTTPStatus.OK,
    form_sources: str = "'self'",
) -> Answer:
    """Return a page: `texts` are escaped here, `markup` is the caller's own HTML.

    `form_sources` are the addresses that its forms may lead to, redirects included.
    """
    values = {key: escape(str(value)) for key, value in texts.items()}
    template = Template((PAGES / name).read_text())
    page = template.substitute(values, **(markup or {}))
    policy = f"{PAGE_POLICY}; form-action {form_sources}"
    return Answer(
        page.encode(),
        HTML,
        status,
        {"Content-Security-Policy": policy, "Cache-Control": "no-store"},
    )
