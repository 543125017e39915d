"""A unit's list becomes accounts, and one of its people makes the account their own."""

import re
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Message, UnitMember, User
from accounts.queries import find_person_by_number
from accounts.services.audit import find_chain_fault
from accounts.services.lists import create_accounts
from accounts.services.messages import deliver_due_messages
from tests.factories.lists import make_approved_list, make_line

pytestmark = [pytest.mark.django_db(transaction=True)]
PASSWORD = "hongyadong-1900"
LOGIN = reverse("accounts:login")


def log_in(client: Client, account: str, password: str) -> Any:
    return client.post(LOGIN, {"account": account, "password": password})


def text_to(phone: str, template: str) -> str:
    messages = Message.objects.filter(template=template).order_by("-pk")
    return next(each.text for each in messages if each.recipient == phone)


def test_a_colleague_on_the_list_gets_an_account_of_their_own(
    client: Client, unit: Any, coordinator: Any, staff: Any
) -> None:
    now = timezone.now()
    _, name, number, phone, *_ = line = make_line(7, name="欧阳春梅")
    row = make_approved_list(
        [line, make_line(8)], staff=staff, unit=unit, coordinator=coordinator, now=now
    )
    create_accounts(list_id=row.pk, clock=timezone.now)
    deliver_due_messages(clock=timezone.now)

    # Nobody gets in with what stands on the list.
    person = find_person_by_number(number)
    assert person is not None
    assert (person.name, person.state) == (name, User.State.PENDING)
    assert person.password == ""
    told = text_to(phone, "account_opened")
    assert reverse("accounts:activate") in told
    assert number[-6:] not in told
    assert log_in(client, number, "edu@000000").status_code == 200
    assert log_in(client, phone, f"edu@{number[-6:]}").status_code == 200

    # The first password opens one page, and no session.
    led = log_in(client, number, f"edu@{number[-6:]}")
    assert led.url == reverse("accounts:activate-details")
    assert SESSION_KEY not in client.session
    client.post(reverse("accounts:send-code"), {"purpose": "activate"})
    code = re.search(r"验证码(\d{6})", text_to(phone, "code_activate"))
    assert code is not None
    form = {
        "is_right": "on",
        "code": code[1],
        "password": PASSWORD,
        "password_again": PASSWORD,
        "agree_privacy": "on",
        "agree_sensitive": "on",
    }
    assert client.post(led.url, form).status_code == 302
    assert client.session[SESSION_KEY] == str(person.pk)

    # From here on it is an account like any other, and the first password is worth nothing.
    client.post(reverse("accounts:logout"))
    assert log_in(client, number, f"edu@{number[-6:]}").status_code == 200
    assert log_in(client, phone, PASSWORD).status_code == 302
    person.refresh_from_db()
    assert (person.state, person.consents.count()) == (User.State.ACTIVE, 2)
    assert UnitMember.objects.filter(unit=unit, person=person, ended_at=None).exists()
    assert find_chain_fault() is None
    assert AuditEntry.objects.filter(target=f"user:{person.code}").count() == 2
