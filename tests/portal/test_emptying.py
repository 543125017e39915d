"""What a test with real transactions leaves to the next one."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, transaction

from tests.emptying import empty_tables
from tests.factories.accounts import UserFactory
from tests.factories.catalog import PlanPriceFactory

pytestmark = pytest.mark.django_db(transaction=True)


def count_rows() -> dict[str, int]:
    counts = {
        model._meta.db_table: model._base_manager.count()
        for model in apps.get_models(include_auto_created=True)
    }
    return {table: count for table, count in counts.items() if count}


def test_every_row_goes_but_those_that_follow_from_the_code() -> None:
    UserFactory(staff=True).user_permissions.add(Permission.objects.first())
    PlanPriceFactory()
    before = count_rows()
    kept = {
        "django_content_type": ContentType.objects.count(),
        "auth_permission": Permission.objects.count(),
    }
    assert kept.items() < before.items()

    empty_tables()

    assert count_rows() == kept


def test_the_guards_stand_again_afterwards() -> None:
    PlanPriceFactory()
    empty_tables()
    price = PlanPriceFactory()
    price.unit_price_fen = 1

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        price.save()
