"""Checking people: what it tells, whom it alarms, what is kept of them."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from accounts.models import AuditEntry, PrivateFile
from accounts.services.files import read_private_file
from accounts.services.key_rotation import list_places
from accounts.services.leases import LEASE
from orders.errors import (
    GroupStateError,
)
from orders.models import GroupCheck, GroupRow
from orders.queries.groups import show_row
from orders.rules.groups import HELD, ORDERED, UNAVAILABLE, UNAVAILABLE_NAMED
from orders.services.groups import check_people, close_alarm, forget_old_checks
from orders.services.groups.leases import take_lease
from tests.factories.accounts import (
    UserFactory,
    make_id_number,
)
from tests.factories.groups import (
    hand_in,
    make_checked,
    make_sheet,
    make_trainees,
    paste,
)
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db
State, Outcome = GroupCheck.State, GroupRow.Outcome
# Of nobody: no factory reaches so far.
UNKNOWN = [make_id_number(n) for n in range(900_000, 900_100)]


@pytest.fixture
def given(coordinator, unit, plan, now):
    """What every check needs besides the people."""
    return {"buyer": coordinator, "unit": unit, "plan": plan, "now": now}


def outcomes(check):
    return list(check.rows.order_by("position").values_list("outcome", flat=True))


def reasons(check):
    return [show_row(row).reasons for row in check.rows.order_by("position")]


def errors_of(check):
    book = load_workbook(BytesIO(read_private_file(check.error_file)))
    return [[cell.value for cell in row] for row in book.active.iter_rows()]


# --- What it tells -----------------------------------------------------------------------
def test_people_are_counted_and_the_free_ones_known(given):
    people = make_trainees(3)

    check = make_checked(paste(*people, UNKNOWN[0], "123"), **given)

    assert check.state == State.CHECKED
    assert outcomes(check) == ["free"] * 3 + ["unavailable", "invalid"]
    assert (check.row_count, check.checked_count, check.free_count) == (5, 5, 3)
    assert (check.asked_count, check.unknown_count, check.bad_count) == (4, 1, 2)
    bought_for = check.rows.order_by("position").values_list("person_id", flat=True)
    assert list(bought_for) == [*(person.pk for person in people), None, None]


def test_without_names_every_refusal_has_the_same_words_and_row(given, plan):
    holder, ordered, closed = make_trainees(3)
    EnrolmentFactory(person=holder, plan=plan)
    make_order(ordered, plan)
    closed.state = closed.State.CLOSED
    closed.save()

    check = make_checked(paste(holder, ordered, closed, UNKNOWN[0]), **given)

    assert reasons(check) == [[UNAVAILABLE]] * 4
    assert outcomes(check) == ["unavailable"] * 4
    assert set(check.rows.values_list("person_id", "is_kept")) == {(None, False)}
    assert [row[3] for row in errors_of(check)[1:]] == [UNAVAILABLE] * 4


def test_a_wrong_name_reads_like_no_account(given, plan):
    holder, free = make_trainees(2, name="赵一")
    EnrolmentFactory(person=holder, plan=plan)

    check = make_checked(
        f"钱二 {holder.id_number}\n钱二 {free.id_number}\n钱二 {UNKNOWN[0]}", **given
    )

    assert reasons(check) == [[UNAVAILABLE_NAMED]] * 3
    assert outcomes(check) == ["unavailable"] * 3


def test_the_right_name_reads_why(given, plan):
    holder, ordered, free = make_trainees(3, name="赵一")
    EnrolmentFactory(person=holder, plan=plan)
    make_order(ordered, plan)

    check = make_checked(
        "\n".join(f"赵一 {each.id_number}" for each in (holder, ordered, free)), **given
    )

    assert reasons(check) == [[HELD], [ORDERED], []]
    assert outcomes(check) == ["held", "ordered", "free"]
    assert check.unknown_count == 0


def test_accounts_of_lists_and_revoked_enrolments_can_be_bought_for(given, plan):
    pending, revoked = UserFactory(pending=True), UserFactory()
    EnrolmentFactory(person=revoked, plan=plan, state="revoked")

    assert outcomes(make_checked(paste(pending, revoked), **given)) == ["free", "free"]


def test_who_may_not_log_in_has_no_account_here(given):
    blocked = UserFactory(is_active=False)

    assert outcomes(make_checked(paste(blocked), **given)) == ["unavailable"]


def test_what_was_put_right_is_kept_as_counts(given):
    (person,) = make_trainees(1)
    text = f"\n {person.id_number.lower()} \n{person.id_number}"

    check = make_checked(text, **given)

    assert check.free_count == check.row_count == 1
    assert check.tidied == {"empty": 1, "blank": 1, "repeated": 1} | (
        {"lower_case": 1} if person.id_number.endswith("X") else {}
    )


def test_a_sheet_with_names(given):
    one, two = make_trainees(2)
    lines = [(one.id_number, one.name), (two.id_number, "别人")]

    check = make_checked(make_sheet(lines), **given)

    assert outcomes(check) == ["free", "unavailable"]


def test_a_file_that_is_no_sheet_is_refused(given):
    check = make_checked(b"PK\x03\x04 nothing", **given)

    assert check.state == State.REFUSED
    assert check.reason
    assert (check.row_count, check.file) == (0, None)
    assert PrivateFile.objects.count() == 0


def test_five_thousand_take_a_few_queries_each_thousand(given):
    numbers = [make_id_number(n) for n in range(500_000, 503_000)]
    check = hand_in("\n".join(numbers), **given)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        check_people(check_id=check.pk, clock=lambda: given["now"])

    check.refresh_from_db()
    assert (check.checked_count, check.unknown_count) == (3000, 3000)
    reads = [q for q in queries if 'id_number_index" IN (' in q["sql"]]
    assert len(reads) == 3
    assert len(queries) < 80


# --- Error file --------------------------------------------------------------------------
def test_the_error_file_can_be_corrected_and_sent_again(given):
    (person,) = make_trainees(1)
    check = make_checked(paste(person, "=1+1", UNKNOWN[0]), **given)

    content = read_private_file(check.error_file)
    rows = errors_of(check)

    assert rows[0] == ["行号", "身份证号码", "姓名", "错误说明"]
    assert [row[:2] for row in rows[1:]] == [["2", "=1+1"], ["3", UNKNOWN[0]]]
    book = load_workbook(BytesIO(content))
    types = {cell.data_type for row in book.active.iter_rows() for cell in row}
    assert "f" not in types
    again = make_checked(content, **given)
    assert outcomes(again) == ["invalid", "unavailable"]


def test_the_error_file_ends_with_the_rows(given, now):
    check = make_checked(paste(UNKNOWN[0]), **given)

    assert check.error_file.owner == given["buyer"]
    assert check.error_file.expires_at == now + timedelta(hours=24)
    assert check.kept_until == check.error_file.expires_at


def test_without_problems_there_is_no_error_file(given):
    assert make_checked(paste(*make_trainees(1)), **given).error_file is None


# --- Alarm -------------------------------------------------------------------------------
def test_few_accounts_among_many_numbers_call_staff(given, staff, now):
    check = make_checked("\n".join(UNKNOWN[:60]), **given)

    assert check.alarm == GroupCheck.Alarm.OPEN
    entry = AuditEntry.objects.get(action="group.few_numbers_found")
    assert (entry.target, entry.actor) == (f"group:{check.code}", given["buyer"])
    assert entry.detail == {"asked": 60, "known": 0, "checks": 1}
    # The open alarm says it all; the audit hears of each check.
    again = make_checked("\n".join(UNKNOWN[60:70]), **given)
    assert again.alarm == GroupCheck.Alarm.NONE
    assert AuditEntry.objects.filter(action="group.few_numbers_found").count() == 2

    close_alarm(check_id=check.pk, note=" 已电话核实 ", actor=staff, now=now)

    check.refresh_from_db()
    assert (check.alarm, check.alarm_note) == (GroupCheck.Alarm.SEEN, "已电话核实")
    assert (check.alarm_seen_by, check.alarm_seen_at) == (staff, now)
    assert AuditEntry.objects.latest("pk").action == "group.alarm_closed"
    with pytest.raises(GroupStateError):
        close_alarm(check_id=check.pk, note="再次", actor=staff, now=now)


def test_small_checks_add_up(given):
    for start in range(0, 50, 10):
        check = make_checked("\n".join(UNKNOWN[start : start + 10]), **given)

    assert check.alarm == GroupCheck.Alarm.OPEN
    assert GroupCheck.objects.filter(alarm=GroupCheck.Alarm.OPEN).count() == 1


def test_an_honest_list_calls_nobody(given):
    people = make_trainees(30)

    check = make_checked(paste(*people, *UNKNOWN[:25]), **given)

    assert check.alarm == GroupCheck.Alarm.NONE
    assert AuditEntry.objects.count() == 0


# --- Keeping and forgetting --------------------------------------------------------------
def test_no_number_and_no_name_stands_in_clear(given):
    (person,) = make_trainees(1)
    check = make_checked(
        f"{person.name} {person.id_number}\n张三 {UNKNOWN[0]}", **given
    )

    for row in check.rows.all():
        for value in row.__dict__.values():
            text = bytes(value) if isinstance(value, bytes | memoryview) else str(value)
            for secret in (person.id_number, UNKNOWN[0], person.name, "张三"):
                assert (
                    secret.encode() if isinstance(text, bytes) else secret
                ) not in text
    assert [row.given.number for row in check.rows.order_by("position")] == [
        person.id_number,
        UNKNOWN[0],
    ]


def test_what_was_given_lies_encrypted_and_ends_with_the_check(given):
    check = hand_in(UNKNOWN[0], **given)

    assert check.file.purpose == PrivateFile.Purpose.GROUP
    with check.file.file.open("rb") as stored:
        assert UNKNOWN[0].encode() not in stored.read()

    check_people(check_id=check.pk, clock=lambda: given["now"])

    check.refresh_from_db()
    assert check.file is None
    assert not PrivateFile.objects.filter(purpose=PrivateFile.Purpose.GROUP).exists()


def test_the_rotation_of_keys_finds_the_rows():
    assert ("orders.grouprow.data_cipher") in {place.label for place in list_places()}


def test_rows_and_files_are_forgotten_after_a_day(given, now):
    check = make_checked(paste(*make_trainees(1), UNKNOWN[0]), **given)
    day = now + timedelta(hours=24)

    assert forget_old_checks(now=day - timedelta(seconds=1)) == 0
    assert check.rows.count() == 2
    assert forget_old_checks(now=day) == 1

    check.refresh_from_db()
    assert check.rows.count() == PrivateFile.objects.count() == 0
    assert (check.forgotten_at, check.error_file) == (day, None)
    assert (check.row_count, check.free_count, check.state) == (2, 1, State.CHECKED)
    assert forget_old_checks(now=day) == 0


def test_what_no_worker_came_for_is_forgotten_too(given, now):
    check = hand_in(UNKNOWN[0], **given)

    forget_old_checks(now=now + timedelta(hours=24))

    check.refresh_from_db()
    assert (check.state, check.file) == (State.REFUSED, None)
    assert PrivateFile.objects.count() == 0


# --- Leases ------------------------------------------------------------------------------
def test_a_check_has_one_worker_at_a_time(given, now):
    check = hand_in(UNKNOWN[0], **given)
    assert take_lease(check.pk, lambda: now) is not None

    check_people(check_id=check.pk, clock=lambda: now + LEASE)

    check.refresh_from_db()
    assert (check.state, check.checked_count) == (State.CHECKING, 0)

    later = now + LEASE + timedelta(seconds=1)
    check_people(check_id=check.pk, clock=lambda: later)

    check.refresh_from_db()
    assert (check.state, check.checked_count, check.tries) == (State.CHECKED, 1, 2)


def test_what_kills_worker_after_worker_is_refused_in_the_end(given, now):
    check = hand_in(UNKNOWN[0], **given)
    GroupCheck.objects.update(tries=4)

    check_people(check_id=check.pk, clock=lambda: now)

    check.refresh_from_db()
    assert check.state == State.REFUSED
