"""Handing in people: who may, how many in a day, and in place of what."""

from datetime import timedelta

import pytest

from accounts.models import PrivateFile
from orders.errors import (
    GroupLimitError,
    GroupNotAllowedError,
    GroupStateError,
    PlanNotOnSaleError,
)
from orders.models import GroupCheck
from orders.queries.groups import list_buying_units
from tests.factories.accounts import (
    ProfileFactory,
    UnitFactory,
    UnitMemberFactory,
    UserFactory,
    make_id_number,
)
from tests.factories.groups import (
    hand_in,
    make_checked,
    make_trainees,
    paste,
)

pytestmark = pytest.mark.django_db
State = GroupCheck.State
# Of nobody: no factory reaches so far.
UNKNOWN = [make_id_number(n) for n in range(900_000, 900_100)]


@pytest.fixture
def given(coordinator, unit, plan, now):
    """What every check needs besides the people."""
    return {"buyer": coordinator, "unit": unit, "plan": plan, "now": now}


# --- Who may, and how often --------------------------------------------------------------
def test_coordinator_member_and_who_says_so_in_the_profile_may_buy(unit, coordinator):
    member, writer = UserFactory(), UserFactory()
    UnitMemberFactory(unit=unit, person=member)
    ProfileFactory(person=writer, unit=unit)

    for person in (coordinator, member, writer):
        assert list_buying_units(person) == [unit]


def test_the_unit_that_appointed_comes_first(unit, coordinator):
    other = UnitFactory()
    UnitMemberFactory(unit=other, person=coordinator)

    assert list_buying_units(coordinator) == [unit, other]


@pytest.mark.parametrize("how", ["stranger", "former", "closed_unit", "no_phone"])
def test_nobody_else_may(how, given, unit, coordinator, now):
    if how == "stranger":
        given["buyer"] = UserFactory()
    elif how == "former":
        coordinator.appointments.update(ended_at=now)
    elif how == "closed_unit":
        unit.is_active = False
        unit.save()
    else:
        coordinator.phone_index = None
        coordinator.save()

    with pytest.raises(GroupNotAllowedError):
        hand_in(UNKNOWN[0], **given)

    assert GroupCheck.objects.count() == PrivateFile.objects.count() == 0


def test_nobody_buys_for_a_unit_of_others(given):
    given["unit"] = UnitFactory()

    with pytest.raises(GroupNotAllowedError):
        hand_in(UNKNOWN[0], **given)


def test_a_plan_that_is_not_sold_tells_nothing(given, plan):
    plan.is_published = False
    plan.save()

    with pytest.raises(PlanNotOnSaleError):
        hand_in(UNKNOWN[0], **given)

    assert GroupCheck.objects.count() == 0


def test_checks_of_a_day_are_limited(given, settings, now):
    settings.GROUP_PURCHASE = settings.GROUP_PURCHASE | {"daily_checks": 2}
    for _ in range(2):
        make_checked(UNKNOWN[0], **given)

    with pytest.raises(GroupLimitError, match="名单已达上限"):
        hand_in(UNKNOWN[0], **given)
    assert GroupCheck.objects.count() == 2

    given["now"] = now + timedelta(hours=24)
    hand_in(UNKNOWN[0], **given)


def test_numbers_of_a_day_are_limited_before_any_is_looked_up(given, settings):
    settings.GROUP_PURCHASE = settings.GROUP_PURCHASE | {"daily_numbers": 5}
    make_checked("\n".join(UNKNOWN[:4]), **given)

    check = make_checked("\n".join(UNKNOWN[4:6]), **given)

    assert check.state == State.REFUSED
    assert "已达上限" in check.reason
    assert (check.asked_count, check.rows.count()) == (0, 0)
    make_checked(UNKNOWN[4], **given)
    with pytest.raises(GroupLimitError, match="已达上限"):
        hand_in(UNKNOWN[5], **given)


def test_who_is_not_appointed_has_narrower_limits(given, settings, unit):
    settings.GROUP_PURCHASE = settings.GROUP_PURCHASE | {"daily_numbers_member": 1}
    given["buyer"] = UserFactory()
    UnitMemberFactory(unit=unit, person=given["buyer"])

    check = make_checked("\n".join(UNKNOWN[:2]), **given)

    assert check.state == State.REFUSED


# --- Correcting --------------------------------------------------------------------------
def test_a_correction_keeps_whom_the_first_found_free(given):
    one, two, three = make_trainees(3)
    first = make_checked(paste(one, two, UNKNOWN[0]), **given)

    second = make_checked(paste(three, one), **given, replaces=first, keeps_free=True)

    first.refresh_from_db()
    assert first.state == State.REPLACED
    assert (second.row_count, second.free_count) == (3, 3)
    assert second.asked_count == 1
    assert second.tidied == {"repeated": 1}
    kept = second.rows.order_by("position").values_list("person_id", "is_kept")
    assert list(kept) == [(one.pk, True), (two.pk, True), (three.pk, False)]


def test_a_correction_may_begin_anew(given):
    one, two = make_trainees(2)
    first = make_checked(paste(one), **given)

    second = make_checked(paste(two), **given, replaces=first)

    assert list(second.rows.values_list("person_id", flat=True)) == [two.pk]


@pytest.mark.parametrize("how", ["twice", "of_another", "forgotten"])
def test_a_correction_needs_an_open_check_of_ones_own(how, given, unit, now):
    first = make_checked(paste(*make_trainees(1)), **given)
    if how == "twice":
        hand_in(UNKNOWN[0], **given, replaces=first)
    elif how == "of_another":
        given["buyer"] = UserFactory()
        UnitMemberFactory(unit=unit, person=given["buyer"])
    else:
        given["now"] = now + timedelta(hours=24)
    before = GroupCheck.objects.count()

    with pytest.raises(GroupStateError):
        hand_in(UNKNOWN[0], **given, replaces=first)

    assert GroupCheck.objects.count() == before
