"""Fixtures of the orders' tests. Models are imported late: Django is not set up yet here."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from portal.sandbox import SandboxServer


@pytest.fixture
def plan(db: None) -> Any:
    """A plan of 33.00 yuan that is on sale at any time."""
    from tests.factories.orders import make_endless_plan

    return make_endless_plan(title="2026年公需科目", unit_price_fen=110, hours=30)


@pytest.fixture
def purchase(sandbox: SandboxServer, owner: Any, plan: Any) -> Any:
    """An order whose buyer has opened the cashier; nothing is paid yet."""
    from tests.orders.purchases import make_purchase

    return make_purchase(sandbox, owner, plan)


@pytest.fixture
def post_notice(django_capture_on_commit_callbacks: Any) -> Callable[[bytes], Any]:
    """Post a notification the way the gateway does, and let its task run."""
    from tests.orders.purchases import FORM, NOTIFY_PATH

    def post(body: bytes) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            client = Client(enforce_csrf_checks=True)
            return client.post(NOTIFY_PATH, body, content_type=FORM)

    return post


@pytest.fixture
def banks(settings: Any, now: datetime) -> Iterator[Any]:
    """Two gateways without wires in place of the configured ones: `east` and `west`."""
    from orders.payments.registry import reset_gateways
    from tests.orders.bank import GATEWAYS, open_banks

    settings.PAYMENT_GATEWAYS = GATEWAYS
    reset_gateways()
    yield open_banks(now)
    reset_gateways()


@pytest.fixture
def bank(banks: Any) -> Any:
    return banks["east"]


@pytest.fixture
def bought(bank: Any, owner: Any, plan: Any, now: datetime) -> Any:
    """A paid order of the owner."""
    from tests.orders.shop import buy

    return buy(bank, owner, plan, now)


@pytest.fixture
def finance(db: None) -> Any:
    """Somebody of the staff who decides about money."""
    from tests.factories.accounts import UserFactory

    return UserFactory(is_staff=True)


@pytest.fixture
def colleague(db: None) -> Any:
    """A second pair of eyes."""
    from tests.factories.accounts import UserFactory

    return UserFactory(is_staff=True)
