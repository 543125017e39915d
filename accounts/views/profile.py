"""个人信息: what prints on certificates, and what belongs to the account."""

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.errors import (
    AccountMovedError,
    LevelRefusedError,
    NoMembershipError,
    RegionRefusedError,
    UsernameTakenError,
)
from accounts.forms.profile import ProfileForm, UsernameForm, level_choices
from accounts.models import Profile, Region
from accounts.queries import (
    find_profile,
    find_wechat_link,
    list_consents,
    list_regions,
    search_units,
)
from accounts.queries.units import get_membership_of, list_memberships_of
from accounts.rules.regions import MERGER_ADVICE
from accounts.services.profiles import (
    ProfileDetails,
    change_username,
    update_profile,
)
from accounts.services.units import end_membership
from accounts.views.visitors import get_next_url, get_person, get_posted


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    person = get_person(request)
    known = find_profile(person)
    today = timezone.localdate(now)
    form = ProfileForm(
        get_posted(request),
        initial=initial_values(known) if known else None,
        regions=offered_regions(known, today=today),
    )
    if request.method == "POST" and form.is_valid() and save(request, form):
        messages.success(request, "个人信息已保存。")
        return redirect(get_next_url(request, default="accounts:profile"))
    context = {
        "form": form,
        "username_form": UsernameForm(initial={"username": person.username}),
        "person": person,
        "ended_region": find_ended_region(known, today=today),
        "merger_advice": MERGER_ADVICE,
        "consents": list_consents(person),
        "memberships": list_memberships_of(person),
        "wechat_link": find_wechat_link(person),
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    return render(request, "accounts/profile.html", context)


@require_POST
@login_required
def username(request: HttpRequest) -> HttpResponse:
    form = UsernameForm(request.POST)
    try:
        if form.is_valid():
            change_username(
                user=get_person(request),
                username=form.cleaned_data["username"],
                now=timezone.now(),
            )
            messages.success(request, "用户名已修改。")
        else:
            messages.error(request, str(form.errors["username"][0]))
    except (UsernameTakenError, AccountMovedError) as error:
        messages.error(request, str(error))
    return redirect("accounts:profile")


@require_POST
@login_required
def leave_unit(request: HttpRequest, code: str) -> HttpResponse:
    """Belong to a unit no longer; what prints on certificates stays as it is."""
    person = get_person(request)
    try:
        unit = get_membership_of(person, code).unit
        end_membership(unit=unit, person=person, actor=person, now=timezone.now())
    except NoMembershipError:
        raise Http404 from None
    messages.success(request, f"您已退出“{unit.name}”。")
    return redirect("accounts:profile")


@require_safe
def level_options(request: HttpRequest) -> HttpResponse:
    """The options of the level select for the chosen series, for htmx."""
    choices = level_choices(request.GET.get("series", ""))
    return render(request, "accounts/_options.html", {"choices": choices})


@never_cache
@require_POST
def unit_search(request: HttpRequest) -> HttpResponse:
    """Known units, those of the chosen region first, for the list under the field."""
    text = request.POST.get("unit_name", "")[:120]
    region = request.POST.get("region", "")
    units = search_units(region_code=region, text=text)
    context = {"units": units, "text": text.strip()}
    return render(request, "accounts/_unit_options.html", context)


def initial_values(known: Profile) -> dict[str, str]:
    return {
        "region": known.region.code if known.region else "",
        "unit_name": known.unit_name,
        "series": known.series,
        "level": known.level,
        "education": known.education,
    }


def offered_regions(known: Profile | None, *, today: date) -> list[Region]:
    """The regions of today, and the person's own even if it has ended."""
    regions = list(list_regions(today=today))
    if known and known.region and known.region not in regions:
        regions.append(known.region)
    return regions


def find_ended_region(known: Profile | None, *, today: date) -> Region | None:
    region = known.region if known else None
    ended = region and region.valid_until and region.valid_until <= today
    return region if ended else None


def save(request: HttpRequest, form: ProfileForm) -> bool:
    data = form.cleaned_data
    person = get_person(request)
    details = ProfileDetails(
        region_code=data["region"],
        unit_name=data["unit_name"],
        series=data["series"],
        level=data["level"],
        education=data["education"],
    )
    try:
        update_profile(user=person, details=details, actor=person, now=timezone.now())
    except RegionRefusedError as error:
        form.add_error("region", str(error))
    except LevelRefusedError as error:
        form.add_error("level", str(error))
    except AccountMovedError as error:
        form.add_error(None, str(error))
    return not form.errors
