"""Whoever has an account already: linked to the unit, with everything else left alone."""

from datetime import timedelta

import pytest

from accounts.models import (
    AuditEntry,
    ListRow,
    Message,
    Profile,
    UnitMember,
    User,
)
from accounts.services.lists import create_accounts
from tests.factories.accounts import (
    ProfileFactory,
    UserFactory,
    make_id_number,
    make_phone,
)
from tests.factories.lists import (
    FIRST,
    make_approved_list,
    make_line,
)

pytestmark = pytest.mark.django_db
Outcome = ListRow.Outcome


@pytest.fixture
def approve(unit, coordinator, staff, now):
    def approve(lines):
        return make_approved_list(
            lines, unit=unit, coordinator=coordinator, staff=staff, now=now
        )

    return approve


def create(row, now):
    create_accounts(list_id=row.pk, clock=lambda: now)
    row.refresh_from_db()


def test_whoever_has_an_account_is_linked_and_not_changed(approve, unit, now):
    known = UserFactory(
        name="吴老", id_number=make_id_number(FIRST), phone=make_phone(90007)
    )
    lines = [make_line(0, name="吴老"), make_line(1)]
    row = approve(lines)

    create(row, now)

    assert (row.new_count, row.linked_count, row.failed_count) == (1, 1, 0)
    known.refresh_from_db()
    assert (known.state, known.phone) == (User.State.ACTIVE, make_phone(90007))
    assert (
        UnitMember.objects.filter(person=known, unit=unit, ended_at=None).count() == 1
    )
    assert row.rows.get(person=known).outcome == Outcome.LINKED
    assert Message.objects.filter(template="account_opened").count() == 1
    assert AuditEntry.objects.filter(action="account.linked_to_unit").count() == 1


@pytest.mark.parametrize("is_ended", [False, True])
def test_whoever_was_a_member_is_one_once(approve, unit, now, is_ended):
    """Who left the unit comes back with its list; who never left stays what they are."""
    known = UserFactory(
        name="吴老", id_number=make_id_number(FIRST), phone=make_phone(90007)
    )
    member = UnitMember.objects.create(
        unit=unit,
        person=known,
        source=UnitMember.Source.REGISTERED,
        joined_at=now - timedelta(days=9),
        ended_at=now - timedelta(days=1) if is_ended else None,
    )
    row = approve([make_line(0, name="吴老")])

    create(row, now)

    live = UnitMember.objects.get(person=known, unit=unit, ended_at=None)
    assert (live == member) is not is_ended
    assert live.source == ("list" if is_ended else "registered")


def test_the_profile_of_an_account_is_filled_in_and_never_written_over(
    approve, unit, now
):
    empty = UserFactory(
        name="吴老", id_number=make_id_number(FIRST), phone=make_phone(90007)
    )
    other = UserFactory(
        name="郑老", id_number=make_id_number(FIRST + 1), phone=make_phone(90008)
    )
    ProfileFactory(person=empty, unit=None, unit_name="", region=None)
    ProfileFactory(person=other, unit=None, unit_name="别的单位", region=None)
    row = approve([make_line(0, name="吴老"), make_line(1, name="郑老")])

    create(row, now)

    assert row.linked_count == 2
    filled = Profile.objects.get(person=empty)
    assert (filled.unit, filled.unit_name, filled.region) == (
        unit,
        unit.name,
        unit.region,
    )
    kept = Profile.objects.get(person=other)
    assert (kept.unit, kept.unit_name, kept.region) == (None, "别的单位", None)


def test_an_account_whose_time_ran_out_gets_another(approve, now):
    late = UserFactory(
        name="吴老",
        id_number=make_id_number(FIRST),
        phone=make_phone(90007),
        pending=True,
        pending_until=now - timedelta(days=1),
    )
    row = approve([make_line(0, name="吴老")])

    create(row, now)

    late.refresh_from_db()
    assert late.pending_until == now + timedelta(days=30)
    message = Message.objects.get(template="account_opened")
    assert message.recipient == make_phone(90007)
