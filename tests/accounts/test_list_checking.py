"""Handing in, checking and deciding: what is refused changes nothing."""

from datetime import date, timedelta

import pytest

from accounts.errors import (
    ListEmptyError,
    ListInvalidError,
    ListLimitError,
    ListNotAllowedError,
    ListStateError,
    TwoPersonsError,
)
from accounts.models import AuditEntry, ListRow, PrivateFile, RegistrationList, User
from accounts.queries.lists import list_rows, show_row
from accounts.rules import lists as rules
from accounts.rules.lists import CONFLICT_TEXT, KNOWN_HINT
from accounts.services.cleaning import forget_old_traces
from accounts.services.files import read_private_file
from accounts.services.leases import LEASE
from accounts.services.lists import (
    approve_list,
    check_list,
    checking,
    cleaning,
    create_accounts,
    return_list,
    submit_list,
    uploading,
    withdraw_list,
)
from accounts.services.lists.files import compose_results
from portal.lib.sheet_reading import read_sheet
from tests.clock import at
from tests.factories.accounts import UnitFactory, UserFactory, make_phone
from tests.factories.lists import (
    hand_in,
    make_approved_list,
    make_checked_list,
    make_line,
    make_lines,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("working_calendar")]
State = RegistrationList.State
BAD = make_line(7, name="吴 七")


@pytest.fixture
def given(unit, coordinator, now):
    return {"unit": unit, "coordinator": coordinator, "now": now}


@pytest.fixture
def checked(given):
    return make_checked_list(make_lines(2), **given)


def submit(row, given, **more):
    return submit_list(
        list_id=row.pk,
        actor=given["coordinator"],
        **{"now": given["now"], "leaves_out_invalid": False} | more,
    )


# --- Checking -------------------------------------------------------------------------------


def test_each_row_is_kept_encrypted_with_what_is_wrong(given):
    row = make_checked_list([*make_lines(2), BAD], **given)

    assert (row.state, row.checked_at, row.form) == (
        State.CHECKED,
        given["now"],
        "2026",
    )
    assert (row.row_count, row.valid_count, row.percent) == (3, 2, 100)
    bad = row.rows.get(outcome=ListRow.Outcome.INVALID)
    assert [column for column, _ in bad.listed.problems] == ["name"]
    assert bad.listed.typed[0] == "吴 七"
    assert (bad.number_index, bad.phone_index) == ("", "")
    good = row.rows.order_by("line")[0]
    assert good.listed.id_number == make_line(0)[2]
    assert good.listed.typed in ((), [])
    assert make_line(0)[2].encode() not in bytes(good.data_cipher)


def test_an_account_of_the_same_name_is_no_problem(given):
    UserFactory(name="吴老", id_number=make_line(0)[2], phone=make_phone(90001))

    row = make_checked_list([make_line(0, name="吴老"), make_line(1)], **given)

    assert (row.valid_count, row.known_count, row.conflict_count) == (2, 1, 0)
    shown = show_row(list_rows(row)[0])
    assert KNOWN_HINT in [text for _, text in shown.hints]
    assert shown.problems == []


def test_coordinators_read_one_reason_for_every_contradiction(given):
    """Which of name, number and phone has an account is nobody's business."""
    UserFactory(name="原名", id_number=make_line(0)[2], phone=make_phone(90001))
    UserFactory(name="别人", phone=make_line(1)[3])
    UserFactory(name="吴老", id_number=make_line(2)[2], closed=True)

    row = make_checked_list(
        [make_line(0), make_line(1), make_line(2, name="吴老"), make_line(3)], **given
    )

    assert (row.valid_count, row.conflict_count) == (1, 3)
    shown = [show_row(each).problems for each in list_rows(row)[:3]]
    assert shown == [[("整行", CONFLICT_TEXT)]] * 3
    conflicts = row.rows.order_by("line").values_list("conflict", flat=True)
    assert list(conflicts) == ["name", "phone", "closed", ""]
    sheet = read_sheet(read_private_file(row.error_file))
    text = "\n".join(cell.text for line in sheet for cell in line.cells)
    assert text.count(CONFLICT_TEXT) == 3
    assert "其他姓名" not in text


def test_a_number_in_the_place_of_the_name_is_not_shown(given):
    """The columns slipped: the page, and the result that is mailed, show stars."""
    number = make_line(0)[2]
    slipped = make_line(1, name=number, number="吴一", phone=make_line(0)[3])

    row = make_checked_list([slipped], **given)

    (shown,) = map(show_row, list_rows(row))
    assert (shown.name.replace("X", "*"), shown.id_number) == ("*" * 18, "**")
    results = read_sheet(compose_results(row))
    assert number not in str(results)


def test_checking_twice_writes_every_row_once(given):
    row = hand_in(make_lines(3), **given)
    for _ in range(2):
        check_list(list_id=row.pk, clock=lambda: given["now"])

    assert row.rows.count() == 3


def test_a_file_that_kills_every_worker_is_refused_in_the_end(given, monkeypatch):
    row = hand_in(make_lines(1), **given)
    RegistrationList.objects.filter(pk=row.pk).update(tries=4)

    check_list(list_id=row.pk, clock=lambda: given["now"])

    row.refresh_from_db()
    assert (row.state, row.rows.count()) == (State.REFUSED, 0)
    assert row.reason


def test_more_people_than_allowed_are_refused(given):
    row = hand_in(make_lines(3), **given)

    check_list(list_id=row.pk, clock=lambda: given["now"], max_rows=2)

    row.refresh_from_db()
    assert (row.state, row.rows.count()) == (State.REFUSED, 0)


def test_withdrawn_while_a_worker_is_at_it_stays_withdrawn(given, monkeypatch):
    row = hand_in(make_lines(3), **given)

    real = checking._begin

    def withdraw_in_between(*args):
        real(*args)
        withdraw_list(list_id=row.pk, actor=given["coordinator"], now=given["now"])

    monkeypatch.setattr(checking, "_begin", withdraw_in_between)

    check_list(list_id=row.pk, clock=lambda: given["now"])

    row.refresh_from_db()
    assert (row.state, row.rows.count()) == (State.WITHDRAWN, 0)


# --- Who may, and how often -----------------------------------------------------------------


@pytest.mark.parametrize("who", ["stranger", "staff", "pending", "other"])
def test_only_the_units_coordinator_hands_in(given, unit, staff, stranger, who):
    person = {
        "stranger": lambda: stranger,
        "staff": lambda: staff,
        "other": lambda: UserFactory(coordinator=True),
        "pending": lambda: UserFactory(
            coordinator=True, appointment__unit=unit, pending=True
        ),
    }[who]()

    with pytest.raises(ListNotAllowedError):
        hand_in(make_lines(1), **given | {"coordinator": person})

    assert RegistrationList.objects.count() == 0
    assert PrivateFile.objects.count() == 0


def test_a_coordinator_does_not_act_as_a_letter(given):
    with pytest.raises(ListNotAllowedError):
        hand_in(make_lines(1), **given, channel=RegistrationList.Channel.MAIL)


def test_lists_of_a_day_are_limited(given, monkeypatch):
    monkeypatch.setattr(uploading, "DAILY_LISTS", 2)
    for _ in range(2):
        hand_in(make_lines(1), **given)

    with pytest.raises(ListLimitError):
        hand_in(make_lines(1), **given)

    tomorrow = given | {"now": given["now"] + timedelta(days=1, seconds=1)}
    assert hand_in(make_lines(1), **tomorrow).pk


def test_rows_of_a_day_are_limited(given, monkeypatch):

    monkeypatch.setattr(checking, "DAILY_ROWS", 3)
    make_checked_list(make_lines(2), **given)

    row = make_checked_list(make_lines(2), **given)

    assert (row.state, row.rows.count()) == (State.REFUSED, 0)
    assert row.reason == ListLimitError.message


def test_a_file_is_replaced_once_and_in_its_own_unit(given, checked):
    other = UnitFactory()
    UserFactory(coordinator=True, appointment__unit=other)
    hand_in(make_lines(2), **given, replaces=checked)

    with pytest.raises(ListStateError):
        hand_in(make_lines(2), **given, replaces=checked)

    assert RegistrationList.objects.count() == 2


# --- Submitting, due dates --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("submitted", "due"),
    [
        ("2026-06-15 10:00", date(2026, 6, 17)),
        ("2026-06-12 17:31", date(2026, 6, 17)),
        ("2026-09-30 10:00", date(2026, 10, 9)),
    ],
)
@pytest.mark.usefixtures("working_calendar")
def test_two_working_days(given, checked, submitted, due):
    row = submit(checked, given, now=at(submitted))

    assert (row.state, row.due_date, row.due_is_certain) == (State.SUBMITTED, due, True)
    assert not row.is_overdue(today=due)
    assert row.is_overdue(today=due + timedelta(days=1))


def test_a_year_without_calendar_is_flagged(given, checked):
    row = submit(checked, given, now=at("2026-12-31 10:00"))

    assert (row.due_date, row.due_is_certain) == (date(2027, 1, 5), False)


def test_rows_with_problems_need_the_choice(given):
    row = make_checked_list([*make_lines(2), BAD], **given)
    with pytest.raises(ListInvalidError):
        submit(row, given)
    row.refresh_from_db()
    assert row.state == State.CHECKED

    assert submit(row, given, leaves_out_invalid=True).leaves_out_invalid


def test_a_list_without_anybody_is_not_submitted(given):
    row = make_checked_list([BAD], **given)

    with pytest.raises(ListEmptyError):
        submit(row, given, leaves_out_invalid=True)


def test_nothing_is_decided_twice(given, checked, staff):
    submit(checked, given)
    with pytest.raises(ListStateError):
        submit(checked, given)
    approve_list(list_id=checked.pk, actor=staff, now=given["now"])

    for act, more in (
        (approve_list, {}),
        (return_list, {"reason": "迟了"}),
    ):
        with pytest.raises(ListStateError):
            act(list_id=checked.pk, actor=staff, now=given["now"], **more)
    with pytest.raises(ListStateError):
        withdraw_list(list_id=checked.pk, actor=given["coordinator"], now=given["now"])

    actions = AuditEntry.objects.order_by("position").values_list("action", flat=True)
    assert list(actions) == ["list.uploaded", "list.submitted", "list.approved"]


def test_the_uploader_does_not_approve(given, checked):
    submit(checked, given)
    coordinator = given["coordinator"]
    User.objects.filter(pk=coordinator.pk).update(is_staff=True, is_superuser=True)

    with pytest.raises(TwoPersonsError):
        approve_list(
            list_id=checked.pk,
            actor=User.objects.get(pk=coordinator.pk),
            now=given["now"],
        )

    checked.refresh_from_db()
    assert checked.state == State.SUBMITTED


def test_without_the_permission_nobody_decides(given, checked):
    submit(checked, given)
    clerk = UserFactory(is_staff=True)

    with pytest.raises(ListNotAllowedError):
        approve_list(list_id=checked.pk, actor=clerk, now=given["now"])
    with pytest.raises(ListNotAllowedError):
        return_list(list_id=checked.pk, reason="不行", actor=clerk, now=given["now"])


def test_a_returned_list_keeps_nothing_and_can_be_corrected(given, checked, staff):
    submit(checked, given)
    people = User.objects.count()

    row = return_list(
        list_id=checked.pk, reason="单位不符", actor=staff, now=given["now"]
    )
    create_accounts(list_id=row.pk, clock=lambda: given["now"] + LEASE)

    assert User.objects.count() == people
    corrected = make_checked_list(make_lines(2), **given, replaces=row)
    assert corrected.replaces == row
    row.refresh_from_db()
    assert row.state == State.RETURNED


# --- Forgetting -----------------------------------------------------------------------------


def test_ninety_days_after_the_end_only_counts_are_left(given, staff):
    row = make_approved_list([*make_lines(2), BAD], **given, staff=staff)
    create_accounts(list_id=row.pk, clock=lambda: given["now"])
    forget_old_traces(now=given["now"] + rules.ROWS_KEPT)
    assert row.rows.count() == 3

    forget_old_traces(now=given["now"] + rules.ROWS_KEPT + timedelta(seconds=1))

    row.refresh_from_db()
    assert (row.rows.count(), row.row_count, row.new_count) == (0, 3, 2)
    assert (row.file, row.result_file, row.head, row.reply_mail) == (None, None, {}, "")
    assert PrivateFile.objects.count() == 0
    assert row.forgotten_at is not None


def test_a_list_never_submitted_is_withdrawn_in_the_end(given, checked):
    forget_old_traces(now=given["now"] + rules.ROWS_KEPT + timedelta(seconds=1))

    checked.refresh_from_db()
    assert (checked.state, checked.rows.count()) == (State.WITHDRAWN, 0)


def test_a_list_that_is_submitted_at_that_moment_is_not_forgotten(
    given, checked, monkeypatch
):
    """It was found among the old ones, and handed over before it was locked."""
    late = given["now"] + rules.ROWS_KEPT + timedelta(seconds=1)
    real = cleaning.lock_list

    def submit_first(list_id):
        submit(checked, given, now=late)
        return real(list_id)

    monkeypatch.setattr(cleaning, "lock_list", submit_first)

    forget_old_traces(now=late)

    checked.refresh_from_db()
    assert (checked.state, checked.rows.count()) == (State.SUBMITTED, 2)
    assert checked.forgotten_at is None


def test_a_waiting_list_is_never_forgotten(given, checked):
    submit(checked, given)

    forget_old_traces(now=given["now"] + 2 * rules.ROWS_KEPT)

    checked.refresh_from_db()
    assert (checked.state, checked.rows.count()) == (State.SUBMITTED, 2)
