"""Every address answers: no view breaks down on a visitor with no rights and no data."""

import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter, UUIDConverter

# Views that change something: reading them must be refused, or a link or an image could act.
POST_ONLY = {
    "accounts:captcha-renew": {},
    "accounts:logout": {},
    "accounts:request-withdraw": {"code": "nothing"},
    "accounts:list-renew-file": {"code": "nothing"},
    "accounts:send-code": {},
    "accounts:unit-choose": {},
    "accounts:unit-leave": {"code": "nothing"},
    "accounts:unit-invitation-withdraw": {"code": "nothing"},
    "accounts:wechat-unlink": {},
    "accounts:session-end": {"code": "nothing"},
    "accounts:sessions-end-others": {},
    "certificates:check": {},
    "certificates:refresh": {"number": "nothing"},
    "learning:session-open": {},
    "learning:beat": {},
    "learning:session-close": {},
    "learning:prompt-answer": {},
    "orders:notify": {"gateway": "alipay"},
    "orders:code-activate": {"number": "nothing"},
    "orders:code-import-confirm": {"code": "nothing"},
    "orders:code-import-drop": {"code": "nothing"},
    "orders:code-import-renew": {"code": "nothing"},
    "orders:codes-print": {"plan": "nothing"},
    "orders:pay": {"number": "nothing"},
    "orders:cancel": {"number": "nothing"},
    "orders:claim-withdraw": {"code": "nothing"},
}
# Signed by a gateway, or carrying a signed token of their own: no cookie, hence no CSRF. The
# check of a file changes nothing and knows nobody.
SIGNED = {
    "certificates:check",
    "learning:beat",
    "learning:session-close",
    "orders:notify",
}
WRITE = re.compile(r"^(INSERT INTO|UPDATE|DELETE FROM) \"(?!django_session)")


def walk(
    resolver: URLResolver, namespaces: tuple[str, ...] = ()
) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the full name of every named address with stand-ins for its arguments."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            name = (entry.namespace,) if entry.namespace else ()
            yield from walk(entry, namespaces + name)
        elif isinstance(entry, URLPattern) and entry.name and not needs_text(entry):
            arguments = {
                key: stand_in(converter)
                for key, converter in entry.pattern.converters.items()
            }
            yield ":".join([*namespaces, entry.name]), arguments


def needs_text(entry: URLPattern) -> bool:
    """Has the address arguments in a regular expression, for which nothing can stand in?"""
    return bool(entry.pattern.regex.groupindex) and not entry.pattern.converters


def stand_in(converter: object) -> object:
    if isinstance(converter, IntConverter):
        return 1
    if isinstance(converter, UUIDConverter):
        return "00000000-0000-4000-8000-000000000000"
    return "nothing"


ADDRESSES = [
    (name, arguments)
    for name, arguments in walk(get_resolver())
    if not name.startswith("admin:") and name != "readyz"
]
OPEN_TO_ALL = {"admin:login", "admin:jsi18n", "admin:logout"}
# Answers a script of the staff site, not somebody who looks.
NO_PAGE = {"admin:catalog_video_upload_begin"}
ADMIN_PAGES = [
    name
    for name, arguments in walk(get_resolver())
    if name.startswith("admin:") and not arguments and name not in OPEN_TO_ALL | NO_PAGE
]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "arguments"), ADDRESSES)
def test_an_anonymous_visitor_breaks_nothing(client, name, arguments):
    assert client.get(reverse(name, kwargs=arguments)).status_code < 500


@pytest.mark.parametrize(("name", "arguments"), ADDRESSES)
def test_reading_breaks_and_changes_nothing(client_of, stranger, name, arguments):
    client = client_of(stranger)

    with CaptureQueriesContext(connection) as queries:
        response = client.get(reverse(name, kwargs=arguments))

    assert response.status_code < 500
    assert [query["sql"] for query in queries if WRITE.match(query["sql"])] == []


@pytest.mark.parametrize(("name", "arguments"), list(POST_ONLY.items()))
def test_views_that_change_something_refuse_to_be_read(
    client_of, stranger, name, arguments
):
    assert client_of(stranger).get(reverse(name, kwargs=arguments)).status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in POST_ONLY if name not in SIGNED])
def test_views_that_change_something_want_the_csrf_token(name):
    client = Client(enforce_csrf_checks=True)

    assert client.post(reverse(name, kwargs=POST_ONLY[name])).status_code == 403


@pytest.mark.parametrize("name", ADMIN_PAGES)
def test_staff_pages_open(client_of, staff, name):
    # Without an app that is being bound there is no picture of its secret.
    allowed = {404} if name == "admin:second-factor-qr" else {200, 302, 403}
    assert client_of(staff).get(reverse(name)).status_code in allowed


@pytest.mark.parametrize("name", ADMIN_PAGES)
def test_staff_pages_are_closed_to_trainees(client_of, stranger, name):
    assert client_of(stranger).get(reverse(name)).status_code in {302, 403, 404}
