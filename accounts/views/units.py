"""单位工作台: the unit's people, those who act for it, and what the unit is registered as."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import NoMembershipError
from accounts.forms.units import MemberSearchForm
from accounts.queries.units import find_members, get_member_of
from accounts.services.units import end_membership
from accounts.views.unit_desk import Desk, at_desk
from portal.lib.credit_codes import CreditCodeError, parse_credit_code

MEMBERS_PER_PAGE = 20


@never_cache
@require_safe
@at_desk
def members(request: HttpRequest, desk: Desk) -> HttpResponse:
    form = MemberSearchForm(request.GET)
    data: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    found = find_members(desk.unit, name=data.get("q", ""), state=data.get("state", ""))
    pages = Paginator(found, MEMBERS_PER_PAGE)
    context = {
        "desk": desk,
        "form": form,
        "page_obj": pages.get_page(request.GET.get("page")),
    }
    return render(request, "accounts/unit/members.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@at_desk
def remove_member(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Ask once, then end the membership."""
    try:
        member = get_member_of(desk.unit, code)
        if request.method == "POST":
            end_membership(
                unit=desk.unit,
                person=member.person,
                actor=desk.coordinator,
                now=timezone.now(),
            )
            messages.success(request, f"{member.person.name}已从本单位名单中移出。")
            return redirect("accounts:unit-members")
    except NoMembershipError as error:
        raise Http404(error.message) from None
    context = {"desk": desk, "member": member}
    return render(request, "accounts/unit/remove_member.html", context)


@never_cache
@require_safe
@at_desk
def details(request: HttpRequest, desk: Desk) -> HttpResponse:
    context = {"desk": desk, "kind": name_kind(desk.unit.credit_code or "")}
    return render(request, "accounts/unit/details.html", context)


def name_kind(credit_code: str) -> str:
    """What kind of organisation the code names; empty where there is no code."""
    try:
        return parse_credit_code(credit_code).kind if credit_code else ""
    except CreditCodeError:
        return ""
