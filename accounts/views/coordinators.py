"""单位工作台, 经办人: who acts for the unit, who is invited to, and who no longer does."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import (
    AccountsError,
    InvitationClosedError,
    LastCoordinatorError,
    NoAppointmentError,
)
from accounts.forms.units import InvitationForm
from accounts.models import User
from accounts.queries.invitations import (
    get_invitation_of,
    list_coordinators,
    list_invitations,
)
from accounts.services.coordinators import end_appointment
from accounts.services.invitations import invite_coordinator, withdraw_invitation
from accounts.tasks import deliver_messages
from accounts.views.unit_desk import Desk, at_desk
from accounts.views.visitors import get_posted


@never_cache
@require_http_methods(["GET", "POST"])
@at_desk
def coordinators(request: HttpRequest, desk: Desk) -> HttpResponse:
    form = InvitationForm(get_posted(request))
    if request.method == "POST" and form.is_valid() and invite(desk, form):
        messages.success(request, "邀请短信已发送。")
        return redirect("accounts:unit-coordinators")
    context = {
        "desk": desk,
        "form": form,
        "appointments": list_coordinators(desk.unit),
        "invitations": list_invitations(desk.unit),
        "now": timezone.now(),
    }
    return render(request, "accounts/unit/coordinators.html", context)


def invite(desk: Desk, form: InvitationForm) -> bool:
    """Send the invitation; False with an error in the form where it is refused."""
    link = reverse("accounts:invitation-link", args=["TOKEN"])
    try:
        invite_coordinator(
            unit=desk.unit,
            phone=form.cleaned_data["phone"],
            address=settings.SITE_URL + link.replace("TOKEN", "{token}"),
            actor=desk.coordinator,
            now=timezone.now(),
        )
    except AccountsError as error:
        form.add_error("phone", str(error))
        return False
    deliver_messages.delay_on_commit()
    return True


@require_POST
@at_desk
def withdraw(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    try:
        invitation = get_invitation_of(desk.unit, code)
    except InvitationClosedError:
        raise Http404 from None
    try:
        withdraw_invitation(
            invitation=invitation, actor=desk.coordinator, now=timezone.now()
        )
        messages.success(request, "邀请已撤回。")
    except InvitationClosedError:
        messages.error(request, "该邀请已答复或已失效，无需撤回。")
    return redirect("accounts:unit-coordinators")


@never_cache
@require_http_methods(["GET", "POST"])
@at_desk
def end(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Ask once, then end the appointment of a colleague or the own one."""
    appointment = list_coordinators(desk.unit).filter(person__code=code).first()
    if appointment is None:
        raise Http404
    if request.method == "POST":
        return finish(request, desk, appointment.person)
    context = {"desk": desk, "appointment": appointment}
    return render(request, "accounts/unit/end_appointment.html", context)


def finish(request: HttpRequest, desk: Desk, person: User) -> HttpResponse:
    try:
        end_appointment(
            unit=desk.unit, person=person, actor=desk.coordinator, now=timezone.now()
        )
    except (LastCoordinatorError, NoAppointmentError) as error:
        messages.error(request, str(error))
        return redirect("accounts:unit-coordinators")
    deliver_messages.delay_on_commit()
    if person == desk.coordinator:
        messages.success(request, f"您已不再担任“{desk.unit.name}”的经办人。")
        return redirect("dashboard")
    messages.success(request, f"{person.name}已不再担任本单位的经办人。")
    return redirect("accounts:unit-coordinators")
