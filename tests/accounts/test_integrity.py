"""诚信档案: entered once, never changed, shown to its person and to staff with the right."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, IntegrityRecord, User
from accounts.queries.own_data import collect_account_data
from accounts.services.integrity import add_integrity_record
from portal.lib.masks import mask_numbers
from tests.factories.requests import make_staff

pytestmark = pytest.mark.django_db

PAGE = reverse("accounts:integrity")


def enter(person: User, now: datetime, **changes: Any) -> IntegrityRecord:
    values: dict[str, Any] = {
        "kind": IntegrityRecord.Kind.CHEATING,
        "text": f"本人{person.name}，{person.id_number}，代学。",
        "source": "session:ABC",
        "actor": None,
    }
    return add_integrity_record(person=person, now=now, **values | changes)


def test_entered_with_an_audit_row(owner: User, now: datetime) -> None:
    record = enter(owner, now)

    record.refresh_from_db()
    assert (record.person, record.kind) == (owner, "cheating")
    assert record.recorded_at == now
    assert owner.id_number.encode() not in bytes(record.text_cipher)
    note = AuditEntry.objects.get()
    assert (note.action, note.target) == ("integrity.recorded", f"user:{owner.code}")
    assert note.detail == {
        "kind": "cheating",
        "record": record.code,
        "source": "session:ABC",
    }


def test_same_source_is_entered_once(owner: User, now: datetime) -> None:
    first = enter(owner, now)

    assert enter(owner, now + timedelta(days=1), text="另一份") == first
    enter(owner, now, source="session:ABD")

    assert IntegrityRecord.objects.count() == 2
    assert AuditEntry.objects.count() == 2


@pytest.mark.parametrize("step", ["update", "delete"])
def test_code_changes_nothing(owner: User, now: datetime, step: str) -> None:
    enter(owner, now)
    rows = IntegrityRecord.objects.all()

    with pytest.raises(TypeError):
        rows.update(kind="commitment") if step == "update" else rows.delete()

    assert IntegrityRecord.objects.get().kind == "cheating"


def test_database_changes_nothing(owner: User, stranger: User, now: datetime) -> None:
    record = enter(owner, now)
    record.person = stranger

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        record.save()

    assert IntegrityRecord.objects.get().person == owner


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="tests empty tables by DELETE elsewhere"
)
def test_database_deletes_nothing(owner: User, now: datetime) -> None:
    enter(owner, now)

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM accounts_integrityrecord")

    assert IntegrityRecord.objects.count() == 1


def test_its_person_reads_it_masked(
    owner: User, stranger: User, now: datetime, client_of: Any
) -> None:
    enter(owner, now)

    page = client_of(owner).get(PAGE).content.decode()
    others = client_of(stranger).get(PAGE).content.decode()

    assert owner.masked_id_number in page
    assert owner.id_number not in page
    assert "代学" not in others
    assert "没有任何记录" in others
    assert Client().get(PAGE).status_code == 302


@pytest.mark.parametrize(
    ("role", "status"),
    [("业务", 200), ("审核", 200), ("审计", 200), ("财务", 403), ("系统", 403)],
)
def test_staff_read_it_by_right_and_change_nothing(
    owner: User, now: datetime, client_of: Any, role: str, status: int
) -> None:
    record = enter(owner, now)
    client = client_of(make_staff(role))
    address = reverse("admin:accounts_integrityrecord_change", args=[record.pk])

    response = client.get(address)

    assert response.status_code == status
    if status == 200:
        assert owner.masked_id_number in response.content.decode()
        assert owner.id_number not in response.content.decode()
    assert client.post(address, {"kind": "commitment"}).status_code == 403
    delete = reverse("admin:accounts_integrityrecord_delete", args=[record.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert IntegrityRecord.objects.get().kind == "cheating"


def test_own_data_hold_the_whole_text(owner: User, now: datetime) -> None:
    record = enter(owner, now)

    sections = {each.key: each for each in collect_account_data(owner)}

    (row,) = sections["integrity"].rows
    assert row == (record.code, "学习作弊", "2026-06-15 10:00:00+0800", record.text)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("号码：500103190001010011，", "号码：500103********0011，"),
        ("50010319000101001x", "500103********001x"),
        ("手机19900000001。", "手机199****0001。"),
        ("订单202606150001234567890", "订单202606150001234567890"),
        ("ABC110101199001", "ABC110*****9001"),
        ("2019年6月30日 33.00", "2019年6月30日 33.00"),
        ("", ""),
    ],
)
def test_numbers_in_a_text_are_masked(text: str, masked: str) -> None:
    assert mask_numbers(text) == masked
