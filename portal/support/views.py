from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from portal.lib.addresses import client_address
from portal.support import queries, services
from portal.support.errors import SupportError
from portal.support.forms import MessageForm
from portal.support.models import Conversation
from portal.support.queries import Visitor

SESSION_KEY = "support_conversation"
# What htmx takes for "stop asking".
STOP_POLLING = 286


@never_cache
@require_http_methods(["GET", "POST"])
def conversation(request: HttpRequest) -> HttpResponse:
    visitor = get_visitor(request)
    found = queries.find_conversation(visitor)
    is_live = found is not None and found.state != Conversation.State.CLOSED
    form = MessageForm(request.POST or None, has_topic=is_live)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            send(request, visitor, form)
        except SupportError as error:
            form.add_error(None, str(error))
            status = 429
        else:
            return redirect("support:conversation")
    context = {"form": form, "is_live": is_live} | describe(found)
    return render(request, "support/conversation.html", context, status=status)


@never_cache
@require_safe
def messages(request: HttpRequest) -> HttpResponse:
    """The message list for htmx: 204 while nothing is new, 286 when it is over."""
    found = queries.find_conversation(get_visitor(request))
    if found is None:
        return HttpResponse(status=STOP_POLLING)
    if not queries.has_news(
        found, seen=get_seen(request), state=request.GET.get("state", "")
    ):
        return HttpResponse(status=204)
    return render(request, "support/_messages.html", describe(found))


def describe(found: Conversation | None) -> dict[str, object]:
    thread = queries.list_messages(found)
    last = thread[-1].pk if thread else 0
    return {"conversation": found, "thread": thread, "last_id": last}


def get_visitor(request: HttpRequest) -> Visitor:
    person = request.user if isinstance(request.user, User) else None
    return Visitor(
        person=person,
        code=request.session.get(SESSION_KEY, ""),
        address=client_address(
            request.META, trusted_proxies=settings.TRUSTED_PROXY_COUNT
        ),
    )


def get_seen(request: HttpRequest) -> int:
    seen = request.GET.get("seen", "")
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 19 else 0


def send(request: HttpRequest, visitor: Visitor, form: MessageForm) -> None:
    sent = services.send_message(
        visitor=visitor,
        topic=form.cleaned_data.get("topic", ""),
        text=form.cleaned_data["text"],
        now=timezone.now(),
    )
    if visitor.person is None:
        request.session[SESSION_KEY] = sent.code
