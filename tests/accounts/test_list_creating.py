"""From an approved list to accounts: nobody lost, nobody doubled, whatever happens between."""

from datetime import timedelta

import pytest
from django.db import DatabaseError

from accounts.models import (
    AuditEntry,
    ListRow,
    Message,
    PrivateFile,
    Profile,
    RegistrationList,
    UnitMember,
    User,
)
from accounts.services import leases
from accounts.services.audit import find_chain_fault
from accounts.services.files import read_private_file
from accounts.services.lists import create_accounts, creating
from portal.lib.sheet_reading import read_sheet
from tests.factories.accounts import UserFactory, make_id_number, make_phone
from tests.factories.lists import (
    FIRST,
    make_approved_list,
    make_line,
    make_lines,
)

pytestmark = pytest.mark.django_db
State = RegistrationList.State
Outcome = ListRow.Outcome
TABLES = (User, Profile, UnitMember, Message, AuditEntry)


@pytest.fixture
def approve(unit, coordinator, staff, now):
    def approve(lines, **more):
        return make_approved_list(
            lines, unit=unit, coordinator=coordinator, staff=staff, now=now, **more
        )

    return approve


def count_rows():
    return {table.__name__: table.objects.count() for table in TABLES}


def create(row, now, **more):
    create_accounts(list_id=row.pk, clock=lambda: now, **more)
    row.refresh_from_db()


def test_everybody_gets_a_pending_account(approve, unit, staff, now):
    row = approve(make_lines(3))
    people = User.objects.count()

    create(row, now)

    assert (row.state, row.ended_at, row.lease_until) == (State.DONE, now, None)
    assert (row.new_count, row.linked_count, row.failed_count) == (3, 0, 0)
    new = User.objects.filter(state=User.State.PENDING).order_by("pk")
    assert User.objects.count() == people + 3
    assert sorted(person.id_number for person in new) == sorted(
        make_id_number(FIRST + n) for n in range(3)
    )
    for person in new:
        assert person.password == ""
        assert not person.check_password("")
        assert not person.may_log_in
        assert person.pending_until == now + timedelta(days=30)
        assert (person.profile.unit, person.profile.unit_name) == (unit, unit.name)
        assert person.profile.region == unit.region
        assert UnitMember.objects.get(person=person).source == UnitMember.Source.LIST
    assert {each.person_id for each in row.rows.all()} == {p.pk for p in new}


def test_each_new_person_is_told_without_a_password(approve, now):
    row = approve(make_lines(2))

    create(row, now)

    sent = Message.objects.filter(template="account_opened").order_by("pk")
    assert sorted(each.recipient for each in sent) == [
        make_phone(FIRST),
        make_phone(FIRST + 1),
    ]
    for message in sent:
        assert "edu@加身份证号码后六位" in message.text
        assert not any(make_id_number(FIRST + n)[-6:] in message.text for n in range(2))


def test_the_audit_names_account_and_list_and_its_chain_holds(approve, staff, now):
    row = approve(make_lines(3))

    create(row, now)

    opened = AuditEntry.objects.filter(action="account.opened")
    codes = User.objects.filter(state=User.State.PENDING).values_list("code", flat=True)
    assert sorted(entry.target for entry in opened) == sorted(
        f"user:{code}" for code in codes
    )
    assert {entry.actor for entry in opened} == {staff}
    assert {entry.detail["list"] for entry in opened} == {row.code}
    assert find_chain_fault() is None


def test_somebody_registers_between_check_and_creation(approve, now):
    row = approve([make_line(0, name="吴老"), make_line(1), make_line(2)])
    same = UserFactory(
        name="吴老", id_number=make_id_number(FIRST), phone=make_phone(90007)
    )
    UserFactory(
        name="别人", id_number=make_id_number(FIRST + 1), phone=make_phone(90008)
    )
    UserFactory(
        name="另人", id_number=make_id_number(90009), phone=make_phone(FIRST + 2)
    )

    create(row, now)

    assert (row.state, row.new_count) == (State.DONE, 0)
    outcomes = {each.listed.id_number: each for each in row.rows.all()}
    linked = outcomes[make_id_number(FIRST)]
    assert (linked.outcome, linked.person) == (Outcome.LINKED, same)
    other = outcomes[make_id_number(FIRST + 1)]
    assert (other.outcome, other.conflict, other.person) == ("failed", "name", None)
    phone = outcomes[make_id_number(FIRST + 2)]
    assert (phone.outcome, phone.conflict) == ("failed", "phone")


def test_somebody_registers_while_the_chunk_is_written(approve, now, monkeypatch):
    """Nobody was there when the rows were judged; the unique indexes tell."""
    row = approve([make_line(0, name="吴老"), make_line(1)])
    seal = creating._seal_person

    def register_first(each, listed):
        if listed.name == "吴老":
            UserFactory(
                name="吴老", id_number=make_id_number(FIRST), phone=make_phone(FIRST)
            )
        return seal(each, listed)

    monkeypatch.setattr(creating, "_seal_person", register_first)

    create(row, now)

    assert (row.state, row.new_count, row.linked_count) == (State.DONE, 1, 1)
    assert User.objects.filter(name="吴老").count() == 1


def test_the_coordinator_gets_a_message_and_a_mail_with_the_sheet(
    approve, coordinator, now
):
    UserFactory(
        name="别人", id_number=make_id_number(FIRST + 2), phone=make_phone(90008)
    )
    row = approve(make_lines(3), reply_mail="hr@example.org")

    create(row, now)

    sms = Message.objects.get(template="list_done")
    assert sms.recipient == coordinator.phone
    mail = Message.objects.get(template="list_reply")
    assert (mail.recipient, mail.attachment) == ("hr@example.org", row.result_file)
    assert row.result_file.purpose == PrivateFile.Purpose.RESULT
    assert row.result_file.expires_at == now + timedelta(hours=24)
    cells = [
        cell.text
        for line in read_sheet(read_private_file(row.result_file))
        for cell in line.cells
    ]
    text = "\n".join(cells)
    for n in range(3):
        assert make_id_number(FIRST + n) not in text
        assert make_id_number(FIRST + n)[-6:] not in text
    assert cells.count("新注册") == 2
    assert cells.count("未登记") == 1
    assert "edu@加身份证号码后六位" in text


# --- Killed in the middle --------------------------------------------------------------------


def test_killed_at_a_chunks_border_loses_and_doubles_nothing(approve, now, monkeypatch):
    row = approve(make_lines(10))
    before = count_rows()
    real, calls = creating._create_chunk, []

    def die_before_the_third(lease, size):
        calls.append(size)
        if len(calls) == 3:
            raise SystemExit
        return real(lease, size)

    monkeypatch.setattr(creating, "_create_chunk", die_before_the_third)
    with pytest.raises(SystemExit):
        create(row, now, size=3)
    row.refresh_from_db()
    assert (row.state, row.new_count, row.percent) == (State.CREATING, 6, 60)
    monkeypatch.setattr(creating, "_create_chunk", real)

    create(row, now + leases.LEASE)
    assert row.new_count == 6, "the lease of the dead worker still runs"
    create(row, now + leases.LEASE + timedelta(seconds=1), size=3)

    assert_all_are_there(row, before, 10)


@pytest.mark.parametrize("step", ["_write_around", "_note_outcomes", "record_many"])
def test_killed_between_insert_and_commit_loses_and_doubles_nothing(
    approve, now, monkeypatch, step
):
    row = approve(make_lines(10))
    before = count_rows()
    real, calls = getattr(creating, step), []

    def die_in_the_second(*args, **kwargs):
        result = real(*args, **kwargs)
        calls.append(result)
        if len(calls) == 2:
            raise SystemExit
        return result

    monkeypatch.setattr(creating, step, die_in_the_second)
    with pytest.raises(SystemExit):
        create(row, now, size=4)
    assert count_rows()["User"] == before["User"] + 4
    monkeypatch.setattr(creating, step, real)

    create(row, now + leases.LEASE + timedelta(seconds=1), size=4)

    assert_all_are_there(row, before, 10)


def test_killed_before_the_reply_answers_once(approve, now, monkeypatch):
    row = approve(make_lines(2))
    before = count_rows()

    def die(_lease):
        raise SystemExit

    real = creating.finish_list
    monkeypatch.setattr(creating, "finish_list", die)
    with pytest.raises(SystemExit):
        create(row, now)
    monkeypatch.setattr(creating, "finish_list", real)

    create(row, now + leases.LEASE + timedelta(seconds=1))
    create(row, now + 2 * leases.LEASE)

    assert_all_are_there(row, before, 2)


def test_a_deadlock_is_tried_again(approve, now, monkeypatch):
    row = approve(make_lines(2))
    before = count_rows()
    real, calls = creating._note_outcomes, []

    def break_once(chunk):
        calls.append(chunk)
        if len(calls) == 1:
            raise creating.OperationalError("deadlock detected")
        real(chunk)

    monkeypatch.setattr(creating, "_note_outcomes", break_once)
    monkeypatch.setattr(creating, "RETRY_PAUSES", (0,))

    create(row, now)

    assert_all_are_there(row, before, 2)


def test_other_errors_are_not_swallowed(approve, now, monkeypatch):
    row = approve(make_lines(2))
    before = count_rows()

    def fail(_chunk):
        raise DatabaseError("planted")

    monkeypatch.setattr(creating, "_note_outcomes", fail)
    with pytest.raises(DatabaseError):
        create(row, now)

    assert count_rows() == before


def assert_all_are_there(row, before, count):
    """Exactly one account, profile, membership, message and entry for each of the rows."""
    row.refresh_from_db()
    assert (row.state, row.new_count, row.failed_count) == (State.DONE, count, 0)
    added = {name: n - before[name] for name, n in count_rows().items()}
    assert added == {
        "User": count,
        "Profile": count,
        "UnitMember": count,
        # One more each: the coordinator is told, and the list's end noted.
        "Message": count + 1,
        "AuditEntry": count + 1,
    }
    assert row.rows.filter(outcome=Outcome.NEW).count() == count
    assert find_chain_fault() is None


def test_a_withdrawn_or_returned_list_creates_nothing(approve, now):
    row = approve(make_lines(2))
    for state in (State.WITHDRAWN, State.RETURNED, State.SUBMITTED, State.DONE):
        RegistrationList.objects.filter(pk=row.pk).update(state=state)
        before = count_rows()

        create(row, now)

        assert count_rows() == before
        assert row.state == state
