"""Sheets of one owner checked at the same moment: the rows of a day add up all the same."""

from functools import partial

import pytest
from django.utils import timezone

from orders.models import CodeImport
from orders.services.codes import check_import, importing, upload_import
from tests.factories.accounts import UserFactory
from tests.factories.codes import make_codes, make_people_sheet
from tests.factories.orders import make_endless_plan
from tests.races.test_codes import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_rows_of_parallel_sheets_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "IMPORTED_ROWS_A_DAY", 5)
    giver, plan = UserFactory(), make_endless_plan(sells_codes=True)
    make_codes(giver, plan, 2)
    people = UserFactory.create_batch(2)
    sheet = make_people_sheet(*((person.name, person.phone) for person in people))
    rows = [
        upload_import(owner=giver, plan=plan, content=sheet, now=timezone.now())
        for _ in range(8)
    ]

    at_once(
        *(partial(check_import, import_id=row.pk, clock=timezone.now) for row in rows)
    )

    states = sorted(CodeImport.objects.values_list("state", flat=True))
    assert states == ["checked"] * 2 + ["refused"] * 6
