import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts.models import AuditEntry, AuditHead
from accounts.services import audit
from accounts.services.audit import (
    Note,
    find_chain_fault,
    record_audit,
    record_many,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(owner, now):
    """Five entries."""
    return [
        record_audit(
            action="test.done",
            target=f"thing:{number}",
            actor=owner if number % 2 else None,
            now=now,
            detail={"fields": ["名称", "b"], "count": number},
        )
        for number in range(1, 6)
    ]


def rewrite(sql):
    """Do what only somebody with full rights over the database can do."""
    table = "accounts_auditentry"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A table whose foreign keys wait to be checked cannot be altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER audit_append_only")
        else:
            cursor.execute("DROP TRIGGER audit_append_only")
        cursor.execute(sql)


def test_many_entries_at_once_continue_the_chain(chain, owner, now):
    notes = [Note("test.many", f"thing:{n}", {"count": n}) for n in range(6, 9)]

    assert record_many(notes=notes, actor=owner, now=now) == 3
    assert record_many(notes=[], actor=owner, now=now) == 0
    last = record_audit(action="test.done", target="thing:9", actor=None, now=now)

    positions = AuditEntry.objects.order_by("position").values_list(
        "position", "target"
    )
    assert list(positions) == [(n, f"thing:{n}") for n in range(1, 10)]
    assert AuditHead.objects.get().hash == last.hash
    assert find_chain_fault() is None


def test_entries_are_numbered_and_chained(chain):
    assert [entry.position for entry in chain] == [1, 2, 3, 4, 5]
    assert chain[0].previous_hash == "0" * 64
    assert [entry.previous_hash for entry in chain[1:]] == [
        entry.hash for entry in chain[:-1]
    ]
    head = AuditHead.objects.get()
    assert (head.position, head.hash) == (5, chain[-1].hash)


def test_a_whole_chain_has_no_fault(chain, capsys):
    assert find_chain_fault() is None
    call_command("check_audit")
    assert "审计链完整，共 5 条" in capsys.readouterr().out


@pytest.mark.parametrize("moment", ["before the walk", "after the walk"])
def test_entries_added_meanwhile_are_no_fault(chain, now, monkeypatch, moment):
    """Where entries and end are read one after the other, somebody writes in between."""
    read_end, reads = audit._read_end, []

    def append():
        record_audit(action="test.done", target="thing:6", actor=None, now=now)

    def read_beside_a_writer():
        reads.append(moment)
        if len(reads) == 1 and moment == "before the walk":
            end = read_end()
            append()
            return end
        if len(reads) == 2 and moment == "after the walk":
            append()
        return read_end()

    monkeypatch.setattr(audit, "_read_end", read_beside_a_writer)

    assert find_chain_fault() is None
    assert AuditEntry.objects.count() == 6


def test_an_end_set_back_is_found(chain):
    AuditHead.objects.update(position=4, hash=chain[3].hash)

    assert (find_chain_fault().position, find_chain_fault().reason) == (6, "cut off")


def test_an_empty_chain_has_no_fault(db):
    assert find_chain_fault() is None


def test_a_refused_transaction_leaves_no_gap(chain, owner, now):
    def change_one_mind():
        with transaction.atomic():
            record_audit(action="test.undone", target="thing:6", actor=owner, now=now)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_one_mind()

    entry = record_audit(action="test.done", target="thing:6", actor=owner, now=now)
    assert entry.position == 6
    assert find_chain_fault() is None


def test_the_program_cannot_change_or_delete(chain):
    with pytest.raises(TypeError):
        AuditEntry.objects.update(action="other")
    with pytest.raises(TypeError):
        AuditEntry.objects.all().delete()

    assert find_chain_fault() is None


def test_the_database_refuses_a_change(chain):
    entry = chain[2]
    entry.action = "other"

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        entry.save()

    assert AuditEntry.objects.get(position=3).action == "test.done"


@pytest.mark.skipif(
    "connection.vendor == 'sqlite'",
    reason="SQLite empties tables of transactional tests by DELETE",
)
def test_the_database_refuses_a_deletion(chain):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        chain[2].delete()

    assert AuditEntry.objects.count() == 5


@pytest.mark.parametrize(
    ("sql", "position", "reason"),
    [
        ("DELETE FROM accounts_auditentry WHERE position = 3", 3, "missing"),
        ("DELETE FROM accounts_auditentry WHERE position = 1", 1, "missing"),
        ("DELETE FROM accounts_auditentry WHERE position = 5", 5, "cut off"),
        ("DELETE FROM accounts_auditentry", 1, "cut off"),
        (
            "UPDATE accounts_auditentry SET action = 'x' WHERE position = 2",
            2,
            "changed",
        ),
        (
            "UPDATE accounts_auditentry SET actor_id = NULL WHERE position = 3",
            3,
            "changed",
        ),
        (
            "UPDATE accounts_auditentry SET target = 'thing:9' WHERE position = 5",
            5,
            "changed",
        ),
    ],
)
def test_tampering_is_found(chain, sql, position, reason):
    rewrite(sql)

    fault = find_chain_fault()
    assert (fault.position, fault.reason) == (position, reason)
    words = {"missing": "记录缺失", "changed": "内容被改动", "cut off": "末端被截断"}
    with pytest.raises(CommandError, match=f"第 {position} 条断开：{words[reason]}"):
        call_command("check_audit")
