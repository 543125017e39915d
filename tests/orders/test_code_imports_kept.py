"""导入人员: workers that are killed, files that end, people who are forgotten."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Message, PrivateFile, User
from catalog.models import Plan
from orders.errors import (
    ImportStateError,
)
from orders.models import ActivationCode, CodeImport, CodeImportRow
from orders.queries.codes import list_idle_imports
from orders.services.codes import (
    check_import,
    confirm_import,
    hand_out,
    upload_import,
)
from orders.services.codes import handing as handing_service
from orders.services.codes import importing as importing_service
from orders.services.codes.importing import forget_import, renew_errors
from orders.tasks import sweep_code_imports
from tests.factories.accounts import UserFactory
from tests.factories.codes import make_codes, make_people_sheet
from tests.factories.orders import make_endless_plan

pytestmark = pytest.mark.django_db
State = CodeImport.State


@pytest.fixture
def plan() -> Plan:
    return make_endless_plan(sells_codes=True)


def hand_in(owner: User, plan: Plan, content: bytes, now: datetime) -> CodeImport:
    return upload_import(owner=owner, plan=plan, content=content, now=now)


def check(row: CodeImport, now: datetime) -> CodeImport:
    check_import(import_id=row.pk, clock=lambda: now)
    row.refresh_from_db()
    return row


def checked(owner: User, plan: Plan, now: datetime, *people: User) -> CodeImport:
    sheet = make_people_sheet(*((person.name, person.phone) for person in people))
    return check(hand_in(owner, plan, sheet, now), now)


def give_out(row: CodeImport, now: datetime) -> CodeImport:
    confirm_import(import_id=row.pk, now=now)
    hand_out(import_id=row.pk, clock=lambda: now)
    row.refresh_from_db()
    return row


# --- Killed workers ------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for a worker that ends at this line."""


def test_a_worker_killed_while_checking_is_followed_by_another(
    owner: User, plan: Plan, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_codes(owner, plan, 5)
    people = UserFactory.create_batch(4)
    sheet = make_people_sheet(*((person.name, person.phone) for person in people))
    row = hand_in(owner, plan, sheet, now)
    monkeypatch.setattr(importing_service, "ROWS_A_STEP", 2)
    write, calls = importing_service._write_rows, []

    def write_once(*args: object) -> None:
        if calls:
            raise Killed
        calls.append(1)
        write(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(importing_service, "_write_rows", write_once)
    with pytest.raises(Killed):
        check(row, now)
    row.refresh_from_db()
    assert (row.state, row.checked_count) == (State.CHECKING, 2)
    monkeypatch.setattr(importing_service, "_write_rows", write)
    assert list_idle_imports(CodeImport.TO_CHECK, now=now) == []

    later = now + timedelta(minutes=2)
    assert list_idle_imports(CodeImport.TO_CHECK, now=later) == [row.pk]
    row = check(row, later)

    assert (row.state, row.checked_count, row.valid_count) == (State.CHECKED, 4, 4)
    assert row.rows.count() == 4


def test_a_worker_killed_while_giving_gives_nobody_two_codes(
    owner: User, plan: Plan, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_codes(owner, plan, 6)
    people = UserFactory.create_batch(5)
    row = checked(owner, plan, now, *people)
    confirm_import(import_id=row.pk, now=now)
    tell, calls = handing_service.tell_given, []

    def tell_once(*args: object, **kwargs: object) -> None:
        if calls:
            raise Killed
        calls.append(1)
        tell(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(handing_service, "tell_given", tell_once)
    with pytest.raises(Killed):
        hand_out(import_id=row.pk, clock=lambda: now, size=2)
    assert ActivationCode.objects.filter(state="given").count() == 2
    monkeypatch.setattr(handing_service, "tell_given", tell)

    later = now + timedelta(minutes=2)
    hand_out(import_id=row.pk, clock=lambda: later, size=2)

    row.refresh_from_db()
    assert (row.state, row.given_count) == (State.DONE, 5)
    given = ActivationCode.objects.filter(state="given")
    assert {code.person for code in given} == set(people)
    assert Message.objects.count() == 5


def test_a_second_worker_finds_nothing_to_do(
    owner: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan)
    row = checked(owner, plan, now, UserFactory())
    confirm_import(import_id=row.pk, now=now)
    CodeImport.objects.update(
        state=State.GIVING, lease_until=now + timedelta(seconds=30)
    )

    hand_out(import_id=row.pk, clock=lambda: now)

    assert not ActivationCode.objects.filter(state="given").exists()


# --- Files and forgetting ------------------------------------------------------------------


def test_error_files_last_a_day_and_can_be_made_again(
    owner: User, stranger: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan)
    sheet = make_people_sheet(("别人", stranger.phone))
    row = check(hand_in(owner, plan, sheet, now), now)
    tomorrow = now + timedelta(hours=24)
    assert row.has_error_file(now)
    assert not row.has_error_file(tomorrow)

    renew_errors(import_id=row.pk, now=tomorrow)

    row.refresh_from_db()
    assert row.has_error_file(tomorrow)
    assert PrivateFile.objects.filter(purpose="errors").count() == 1


def test_no_error_file_is_made_where_nothing_is_wrong(
    owner: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan)
    row = checked(owner, plan, now, UserFactory())

    with pytest.raises(ImportStateError):
        renew_errors(import_id=row.pk, now=now)


def test_people_of_old_sheets_are_forgotten(
    owner: User, stranger: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan, 5)
    done = give_out(checked(owner, plan, now, UserFactory()), now)
    left = check(
        hand_in(owner, plan, make_people_sheet(("别人", stranger.phone)), now), now
    )

    for row in (done, left):
        forget_import(import_id=row.pk, now=now + timedelta(days=31))

    assert CodeImportRow.objects.count() == 0
    assert PrivateFile.objects.count() == 0
    done.refresh_from_db()
    left.refresh_from_db()
    assert (done.state, done.given_count) == (State.DONE, 1)
    assert left.state == State.DROPPED
    assert not left.has_errors
    assert ActivationCode.objects.filter(state="given").count() == 1


def test_the_sweep_finds_lost_work(owner: User, plan: Plan) -> None:

    now = timezone.now()
    make_codes(owner, plan, 5)
    person, old = UserFactory(), UserFactory()
    sheet = make_people_sheet((person.name, person.phone))
    row = hand_in(owner, plan, sheet, now)
    ended = checked(owner, plan, now - timedelta(days=40), old)

    sweep_code_imports()
    row.refresh_from_db()
    ended.refresh_from_db()
    assert row.state == State.CHECKED
    assert ended.forgotten_at is not None

    confirm_import(import_id=row.pk, now=now)
    sweep_code_imports()
    row.refresh_from_db()
    assert (row.state, row.given_count) == (State.DONE, 1)
