"""The coordinator's desk: which unit the pages of 单位工作台 are about."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.errors import UnitNotFoundError
from accounts.models import Unit, User
from accounts.queries.units import get_unit_for, list_units_for
from accounts.views.visitors import get_person

UNIT_KEY = "accounts_unit"


@dataclass(frozen=True)
class Desk:
    """A coordinator at work: the chosen unit, and all that may be chosen."""

    coordinator: User
    unit: Unit
    units: list[Unit]


def at_desk(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give the view a `Desk` after the request; who acts for no unit gets 404.

    One query. Pages hand the desk to their template as `desk`, for `base_unit.html`.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, open_desk(request), *args, **kwargs)

    return login_required(wrapped)


def open_desk(request: HttpRequest) -> Desk:
    """The desk with the unit chosen in this session, else the first one.

    A form is about the unit it was drawn for, which it names (`unit`): another one may have
    been chosen in a second window meanwhile. The page that follows is about the same.
    """
    person = get_person(request)
    units = {unit.code: unit for unit in list_units_for(person)}
    if not units:
        raise Http404
    named = request.POST.get("unit", "")
    if named and named not in units:
        raise Http404
    if named and named != request.session.get(UNIT_KEY):
        request.session[UNIT_KEY] = named
    first = next(iter(units.values()))
    unit = units.get(request.session.get(UNIT_KEY, ""), first)
    return Desk(person, unit, list(units.values()))


@require_POST
@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """Work for another of the own units from here on."""
    try:
        unit = get_unit_for(get_person(request), request.POST.get("unit", ""))
    except UnitNotFoundError:
        raise Http404 from None
    request.session[UNIT_KEY] = unit.code
    return redirect("unit-overview")
