"""What the races share: gateways without wires, people, a plan. Models are imported late."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone


@pytest.fixture
def banks(settings: Any) -> Iterator[Any]:
    """Two gateways without wires in place of the configured ones: `east` and `west`."""
    from orders.payments.registry import reset_gateways
    from tests.orders.bank import GATEWAYS, open_banks

    settings.PAYMENT_GATEWAYS = GATEWAYS
    reset_gateways()
    yield open_banks(timezone.now())
    reset_gateways()


@pytest.fixture
def bank(banks: Any) -> Any:
    return banks["east"]


@pytest.fixture
def plan(transactional_db: None) -> Any:
    from tests.factories.orders import make_endless_plan

    return make_endless_plan()


@pytest.fixture
def buyer(transactional_db: None) -> Any:
    from tests.factories.accounts import UserFactory

    return UserFactory()


@pytest.fixture
def finance(transactional_db: None) -> Any:
    from tests.factories.accounts import UserFactory

    return UserFactory(is_staff=True)
