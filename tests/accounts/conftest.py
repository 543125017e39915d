"""What the tests of the accounts share.

pytest reads this file before Django is set up: models are imported where they are used.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def regions(db: None) -> dict[str, Any]:
    """The regions of Chongqing by code; transactional tests empty the table before."""
    from accounts.models import Region
    from accounts.rules.regions import REGIONS
    from accounts.services.reference_data import load_regions

    # Somebody of the test may have brought a region along.
    if Region.objects.count() < len(REGIONS):
        load_regions()
    return {region.code: region for region in Region.objects.all()}


@pytest.fixture
def colleague(db: None) -> Callable[[str], Any]:
    """A function that makes a member of the staff with one role."""
    from django.contrib.auth.models import Group

    from accounts.services.reference_data import load_roles
    from tests.factories.accounts import UserFactory

    load_roles()

    def make(role: str) -> Any:
        person = UserFactory(staff=True)
        person.groups.add(Group.objects.get(name=role))
        return person

    return make


@pytest.fixture
def read_code(db: None) -> Callable[[], str]:
    """A function that reads the code out of the newest message of the outbox."""
    from accounts.models import Message

    def read() -> str:
        message = Message.objects.latest("created_at", "pk")
        found = re.search(r"验证码(\d{6})", message.text)
        assert found, message.text
        return found[1]

    return read


@pytest.fixture
def pending(db: None) -> Callable[..., Any]:
    """A function that makes an account as a list does: no password, open for a while."""
    from datetime import timedelta

    from tests.clock import at
    from tests.factories.accounts import UserFactory

    def make(**more: Any) -> Any:
        until = at("2026-06-15 10:00") + timedelta(days=30)
        fields = {"pending": True, "password": None, "pending_until": until} | more
        return UserFactory(**fields)

    return make


@pytest.fixture
def answer_captcha(db: None) -> Callable[[Any], dict[str, str]]:
    """A function that returns a page's captcha fields with the right answer."""
    from captcha.models import CaptchaStore

    def answer(response: Any) -> dict[str, str]:
        found = re.search(
            r'name="captcha_key" value="(\w+)"', response.content.decode()
        )
        assert found, "the page asks for no captcha"
        row = CaptchaStore.objects.get(hashkey=found[1])
        return {"captcha_key": found[1], "captcha_answer": row.response}

    return answer


@pytest.fixture
def run_tasks(django_capture_on_commit_callbacks: Any) -> Any:
    """A context in which tasks that wait for the commit run at its end."""
    return lambda: django_capture_on_commit_callbacks(execute=True)
