"""What the invited person sees: the link of the SMS, and the answer to it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import AccountsError, InvitationClosedError
from accounts.models import CoordinatorInvitation, User
from accounts.queries.invitations import (
    get_invitation_by_code,
    get_invitation_by_token,
)
from accounts.services.invitations import accept_invitation, decline_invitation

INVITATION_KEY = "accounts_invitation"


@never_cache
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Keep the invitation in the session, so that no later address holds the token."""
    try:
        invitation = get_invitation_by_token(token)
    except InvitationClosedError as error:
        raise Http404(error.message) from None
    request.session[INVITATION_KEY] = invitation.code
    return redirect("accounts:invitation")


@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    """Who invites for which unit; the answer needs the account of the invited phone."""
    row = find_opened(request)
    if row is None:
        raise Http404
    if request.method == "POST":
        return answer(request, row)
    context = {"invitation": row, "is_open": row.is_open(now=timezone.now())}
    return render(request, "accounts/invitation.html", context)


def answer(request: HttpRequest, row: CoordinatorInvitation) -> HttpResponse:
    person = request.user if isinstance(request.user, User) else None
    accepts = request.POST.get("answer") == "accept"
    if accepts and person is None:
        return redirect("accounts:invitation")
    try:
        if accepts and person is not None:
            accept_invitation(invitation=row, person=person, now=timezone.now())
        else:
            decline_invitation(invitation=row, actor=person, now=timezone.now())
    except AccountsError as error:
        messages.error(request, str(error))
        return redirect("accounts:invitation")
    del request.session[INVITATION_KEY]
    if accepts:
        messages.success(request, f"您已成为“{row.unit.name}”的经办人。")
        return redirect("unit-overview")
    messages.info(request, "您已谢绝该邀请。")
    return redirect("home")


def find_opened(request: HttpRequest) -> CoordinatorInvitation | None:
    """The invitation whose link was opened in this session."""
    code = request.session.get(INVITATION_KEY)
    try:
        return get_invitation_by_code(code) if code else None
    except InvitationClosedError:
        return None


def has_opened(request: HttpRequest) -> bool:
    """Whether an invitation waits in this session for an account."""
    return INVITATION_KEY in request.session
