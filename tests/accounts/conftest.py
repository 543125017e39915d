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
    from accounts.services.reference_data import load_regions

    load_regions()
    return {region.code: region for region in Region.objects.all()}


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
def run_tasks(django_capture_on_commit_callbacks: Any) -> Any:
    """A context in which tasks that wait for the commit run at its end."""
    return lambda: django_capture_on_commit_callbacks(execute=True)
