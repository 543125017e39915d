"""Who may go on: logins that have not ended, and for the staff site the networks named."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode

from accounts.models import PersonSession, User
from accounts.personal_data import blind_index
from accounts.queries.sessions import explain_session_end, find_session
from accounts.rules.session_marks import CODE_KEY, NOTE_KEY, read_code
from accounts.rules.sessions import find_natural_end, is_use_due
from accounts.services.sessions import begin_session, end_session, limits_of, note_use
from portal.lib.addresses import client_address, is_within
from portal.lib.problems import problem_response

# A browser that went to sleep is told why it must log in again when it wakes up a day late.
GRACE = timedelta(days=1)
NOTE_SECONDS = 60 * 60
UNAUTHORIZED = 401
BROKEN_DOWN = 500
API_PREFIX = "/api/"
NOT_KEPT = "private, no-store"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")

GetResponse = Callable[[HttpRequest], HttpResponse]
EndReason = PersonSession.EndReason


class PersonSessionMiddleware:
    """Keeps the rows of `PersonSession` true, after AuthenticationMiddleware.

    It stands here and not in the views that log in, because whatever logs somebody in, the
    admin and views to come among them, must pass it on its way out: a login without a row
    cannot leave. Looking whether a login has ended happens where `request.user` is first
    asked for and takes what the account's own read brought along, so it costs no query, and
    pages that ask nothing pay nothing.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.user = cast(User, SimpleLazyObject(partial(find_person, request)))
        request.auser = sync_to_async(partial(find_person, request))
        response = self.get_response(request)
        if is_login_over(request):
            return answer_over(request)
        # Django does not keep what a request that broke down has put into its session.
        if request.session.accessed and response.status_code < BROKEN_DOWN:
            settle_login(request)
        if getattr(request, "live_login", ""):
            # Every page names whose login it is: 后退 shows none of them to the next person.
            response.headers.setdefault("Cache-Control", NOT_KEPT)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """What a person sends never goes on in nobody's name."""
        if request.method in SAFE_METHODS or not _has_session(request):
            return None
        is_known = request.user.is_authenticated
        return answer_over(request) if not is_known and is_login_over(request) else None


class StaffAddressMiddleware:
    """Answers 404 on the staff path to whoever comes from outside STAFF_ADDRESSES."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        networks = settings.STAFF_ADDRESSES
        if (
            networks
            and is_staff_path(request)
            and not is_within(_address_of(request), networks)
        ):
            raise Http404
        return self.get_response(request)


def is_staff_path(request: HttpRequest) -> bool:
    """Also without the last slash: a redirect to the right address would tell."""
    return f"{request.path_info.rstrip('/')}/".startswith(f"/{settings.ADMIN_PATH}")


def _has_session(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES


def _address_of(request: HttpRequest) -> str:
    return client_address(request.META, trusted_proxies=settings.TRUSTED_PROXY_COUNT)


# --- At each request -----------------------------------------------------------------------
def find_person(request: HttpRequest) -> User | AnonymousUser:
    """Who is logged in, as Django finds it, if the session's row says that it still is.

    The rows come with the account (`accounts.backends`). A session without a code was begun
    in this request or before there were rows: it gets its row at the end of the request.
    """
    code = read_code(request.session)
    person = get_user(request)
    if not code:
        # Known before this request, which Django's login would have given another key.
        request.old_key = request.session.session_key  # type: ignore[attr-defined]
        return person
    if not isinstance(person, User):
        # The password changed or the account was closed.
        return _leave(request, code, EndReason.ACCOUNT)
    live = person.live_sessions.get(code)
    if live is None:
        return _leave(request, code, EndReason.ACCOUNT)
    now = timezone.now()
    over = find_natural_end(
        started_at=live.started_at,
        last_seen_at=live.last_seen_at,
        limits=limits_of(person),
        now=now,
    )
    if over:
        return _leave(request, code, EndReason(over))
    if is_use_due(last_seen_at=live.last_seen_at, now=now):
        note_use(session_id=live.pk, now=now)
    request.live_login = code  # type: ignore[attr-defined]
    return person


def _leave(request: HttpRequest, code: str, reason: EndReason) -> AnonymousUser:
    """Empty the browser's session but for the words why.

    It keeps its key: what the browser sent beside this request finds the words as well.
    """
    end_session(code=code, reason=reason, now=timezone.now())
    note = explain_session_end(find_session(code))
    request.session.clear()
    request.session[NOTE_KEY] = note
    request.session.set_expiry(NOTE_SECONDS)
    nobody = AnonymousUser()
    request._cached_user = nobody  # type: ignore[attr-defined]
    request.login_over = note  # type: ignore[attr-defined]
    return nobody


# --- After the view ------------------------------------------------------------------------
def settle_login(request: HttpRequest) -> None:
    """Give a login made in this request its row, and end the row of one that was left."""
    before = getattr(request, "live_login", "")
    code = read_code(request.session)
    if before and before != code:
        end_session(code=before, reason=EndReason.LOGOUT, now=timezone.now())
    if SESSION_KEY in request.session and not code:
        person = request.user
        if isinstance(person, User):
            start_login(request, person)


def start_login(request: HttpRequest, person: User) -> None:
    """Write the row of a login down and its code into the browser's session.

    A session from before there were rows gets a code made of its key, so that requests of
    one page, which all find it without, do not send each other away.
    """
    key = request.session.session_key
    is_old = key is not None and key == getattr(request, "old_key", None)
    session = begin_session(
        person=person,
        user_agent=request.headers.get("User-Agent", ""),
        address=_address_of(request),
        at_a_time=settings.SESSIONS_AT_A_TIME,
        code=blind_index().of("session", key or "")[:16] if is_old else "",
        now=timezone.now(),
    )
    mark_session(request.session, session)


def mark_session(store: SessionBase, session: PersonSession) -> None:
    """Let the browser's session carry the code of its row, for as long as it can last."""
    store.pop(NOTE_KEY, None)
    store[CODE_KEY] = session.code
    store.set_expiry(session.started_at + limits_of(session.person).total + GRACE)


# --- The answer to a browser whose login is over -------------------------------------------
def is_login_over(request: HttpRequest) -> bool:
    """Whether this very request found that the login is over."""
    return bool(getattr(request, "login_over", ""))


def answer_over(request: HttpRequest) -> HttpResponse:
    """Lead a page to the login page, which says why; tell scripts 401 in the same words."""
    url = reverse("accounts:login")
    if request.method in SAFE_METHODS and _is_navigation(request):
        url = f"{url}?{urlencode({'next': request.get_full_path()})}"
    if request.path.startswith(API_PREFIX):
        return problem_response(
            status=UNAUTHORIZED,
            code="login_required",
            title=request.login_over,  # type: ignore[attr-defined]
            reference=getattr(request, "request_id", "-"),
        )
    if _is_navigation(request):
        return redirect(url)
    answer = JsonResponse(
        {"error": "login_required", "message": request.login_over},  # type: ignore[attr-defined]
        status=UNAUTHORIZED,
        headers={"Cache-Control": "no-store"},
    )
    if "HX-Request" in request.headers:
        answer.headers["HX-Redirect"] = url
    return answer


def _is_navigation(request: HttpRequest) -> bool:
    """Whether the browser will show the answer as a page.

    Browsers say so themselves; those that do not are asked by what they want to read.
    """
    if "HX-Request" in request.headers or request.content_type == "application/json":
        return False
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    return mode == "navigate" and request.accepts("text/html")
