"""Between the two pages of 首次登录: whose account this browser may activate."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.errors import ActivationEndedError
from accounts.models import User
from accounts.queries.activation import find_pending_person
from accounts.services.drafts import Activation, open_activation, seal_activation
from accounts.views.visitors import get_browser

ACTIVATION_KEY = "accounts_activation"


def begin_activation(
    request: HttpRequest, person_code: str, next_url: str, *, now: datetime
) -> HttpResponse:
    """Open the second page to this browser for a quarter of an hour."""
    # A session that somebody else knows of must not become one that knows this person.
    request.session.cycle_key()
    activation = Activation(person_code=person_code, opened_at=now, next_url=next_url)
    request.session[ACTIVATION_KEY] = seal_activation(
        activation, browser=get_browser(request)
    )
    return redirect("accounts:activate-details")


def get_waiting_person(request: HttpRequest, *, now: datetime) -> User:
    """Whose second page is open in this browser. Raises `ActivationEndedError`."""
    activation = read_activation(request, now=now)
    person = (
        find_pending_person(activation.person_code, now=now) if activation else None
    )
    if person is None:
        raise ActivationEndedError
    return person


def read_activation(request: HttpRequest, *, now: datetime) -> Activation | None:
    sealed = request.session.get(ACTIVATION_KEY)
    if sealed is None:
        return None
    return open_activation(sealed, browser=get_browser(request), now=now)


def end_activation(request: HttpRequest, *, now: datetime) -> str:
    """Close the second page; where the person wanted to go."""
    activation = read_activation(request, now=now)
    del request.session[ACTIVATION_KEY]
    return activation.next_url if activation else reverse("dashboard")
