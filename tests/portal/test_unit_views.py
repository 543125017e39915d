"""单位工作台: for its coordinators, in a fixed number of queries, with masked numbers only."""

import re
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import CoordinatorInvitation, UnitMember
from catalog.models import Subject
from learning.models import Enrolment
from portal import unit_views
from portal.unit_queries import MET, UNMET, find_progress, get_overview
from tests.factories.accounts import (
    UnitAppointmentFactory,
    UnitFactory,
    UnitMemberFactory,
    UserFactory,
    make_phone,
)
from tests.factories.catalog import PlanFactory
from tests.factories.learning import EnrolmentFactory

pytestmark = pytest.mark.django_db
QUERIES = 12
PAGES = [
    "unit-overview",
    "unit-progress",
    "unit-progress-export",
    "unit-hours",
    "accounts:unit-members",
    "accounts:unit-coordinators",
    "accounts:unit-details",
]
OF_A_PERSON = ["accounts:unit-member-remove", "accounts:unit-coordinator-end"]


def learn(person, subject, earned, *, year=2026, hours=60, **state):
    """An enrolment in a plan of its own with so many hours learnt."""
    plan = PlanFactory(year=year, subject=subject, hours=hours)
    return EnrolmentFactory(person=person, plan=plan, elective_earned=earned, **state)


def rows(found):
    return [(m.person.name, m.general, m.professional) for m in found]


# --- Who gets in ---------------------------------------------------------------------------
@pytest.mark.parametrize("address", PAGES)
def test_others_find_nothing(client, client_of, address, stranger, member, staff, now):
    ended = UnitAppointmentFactory(ended_at=now).person
    for person in (stranger, member, staff, ended):
        assert client_of(person).get(reverse(address)).status_code == 404
    assert client.get(reverse(address)).status_code == 302


@pytest.mark.parametrize("address", PAGES)
def test_a_coordinator_gets_in(client_of, coordinator, member, address):
    assert client_of(coordinator).get(reverse(address)).status_code == 200


@pytest.mark.parametrize("address", OF_A_PERSON)
@pytest.mark.parametrize("method", ["get", "post"])
def test_people_of_other_units_are_out_of_reach(
    client_of, coordinator, member, address, method
):
    other = UnitAppointmentFactory().person
    url = reverse(
        address, args=[member.code if "remove" in address else coordinator.code]
    )

    assert getattr(client_of(other), method)(url).status_code == 404
    assert UnitMember.objects.filter(ended_at=None).count() == 1


# --- The entry -----------------------------------------------------------------------------
def test_the_entry_is_for_coordinators_only_whoever_came_first(
    client_of, coordinator, stranger
):
    """The navigation is kept by each process: it must not be kept for everybody."""
    for person, shown in ((stranger, False), (coordinator, True), (stranger, False)):
        html = client_of(person).get(reverse("dashboard")).content.decode()
        assert (reverse("unit-overview") in html) is shown


def test_the_entry_costs_no_query(client_of, coordinator, stranger):
    counts = []
    for person in (stranger, coordinator):
        client = client_of(person)
        client.get(reverse("accounts:password-change"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("accounts:password-change"))
        counts.append(len(queries))

    assert counts[0] == counts[1]


# --- Several units ---------------------------------------------------------------------------
def test_the_chosen_unit_is_kept(client_of, coordinator, unit):
    second = UnitAppointmentFactory(
        person=coordinator, unit=UnitFactory(name="第二")
    ).unit
    client = client_of(coordinator)
    details, choose = reverse("accounts:unit-details"), reverse("accounts:unit-choose")
    assert f"<dd>{unit.name}</dd>" in client.get(details).content.decode()

    assert client.post(choose, {"unit": second.code}).url == reverse("unit-overview")

    assert "<dd>第二</dd>" in client.get(details).content.decode()
    assert client.post(choose, {"unit": UnitFactory().code}).status_code == 404
    assert "<dd>第二</dd>" in client.get(details).content.decode()


def read_unit_of_form(html):
    [code] = set(re.findall(r'name="unit" value="(\w+)"', html))
    return code


def test_a_form_is_for_the_unit_it_was_drawn_for(client_of, coordinator, unit):
    """Whatever was chosen in another window since."""
    second = UnitAppointmentFactory(
        person=coordinator, unit=UnitFactory(name="第二")
    ).unit
    client = client_of(coordinator)
    page = reverse("accounts:unit-coordinators")
    drawn_for = read_unit_of_form(client.get(page).content.decode())
    client.post(reverse("accounts:unit-choose"), {"unit": second.code})

    response = client.post(
        page, {"phone": make_phone(88), "unit": drawn_for}, follow=True
    )

    assert CoordinatorInvitation.objects.get().unit == unit
    html = response.content.decode()
    assert (read_unit_of_form(html), "199****0088" in html) == (unit.code, True)


def test_a_form_for_somebody_elses_unit_does_nothing(client_of, coordinator):
    foreign = UnitAppointmentFactory().unit
    page = reverse("accounts:unit-coordinators")

    response = client_of(coordinator).post(
        page, {"phone": make_phone(88), "unit": foreign.code}
    )

    assert response.status_code == 404
    assert CoordinatorInvitation.objects.count() == 0


@pytest.mark.parametrize(
    "address", ["accounts:unit-coordinators", "accounts:list-upload", *OF_A_PERSON]
)
def test_every_form_names_its_unit(client_of, coordinator, unit, member, address):
    person = member if address == "accounts:unit-member-remove" else coordinator
    url = reverse(address, args=[person.code] if address in OF_A_PERSON else [])

    html = client_of(coordinator).get(url).content.decode()

    assert read_unit_of_form(html) == unit.code


def test_a_chosen_unit_that_ended_gives_way(client_of, coordinator, unit, now):
    second = UnitAppointmentFactory(person=coordinator)
    client = client_of(coordinator)
    client.post(reverse("accounts:unit-choose"), {"unit": second.unit.code})
    second.ended_at = now
    second.save()

    html = client.get(reverse("accounts:unit-details")).content.decode()

    assert f"<dd>{unit.name}</dd>" in html


# --- Members -------------------------------------------------------------------------------
def test_members_are_masked_and_searched(client_of, coordinator, unit, member):
    hidden = UnitMemberFactory(
        unit=unit, person=UserFactory(name="周未", pending=True, phone=make_phone(909))
    ).person
    client = client_of(coordinator)
    page = reverse("accounts:unit-members")

    html = client.get(page, {"q": "周"}).content.decode()

    assert "199****0909" in html
    assert "未激活" in html
    for number in (hidden.phone, hidden.id_number):
        assert number not in html
    assert member.name not in html
    pending = client.get(page, {"state": "pending"}).content.decode()
    assert ("周未" in pending, member.name in pending) == (True, False)


def test_removing_asks_first(client_of, coordinator, unit, member):
    client = client_of(coordinator)
    url = reverse("accounts:unit-member-remove", args=[member.code])

    assert member.name in client.get(url).content.decode()
    assert UnitMember.objects.filter(ended_at=None).count() == 1
    html = client.post(url, follow=True).content.decode()

    assert f"{member.name}已从本单位名单中移出" in html
    assert UnitMember.objects.filter(ended_at=None).count() == 0
    assert client.post(url).status_code == 404


def test_people_see_who_lists_them_and_leave(client_of, unit, member, stranger):
    client = client_of(member)
    leave = reverse("accounts:unit-leave", args=[unit.code])
    assert unit.name in client.get(reverse("accounts:profile")).content.decode()
    assert client_of(stranger).post(leave).status_code == 404

    html = client.post(leave, follow=True).content.decode()

    assert f"您已退出“{unit.name}”" in html
    assert "所在单位名单" not in html
    assert UnitMember.objects.filter(ended_at=None).count() == 0
    assert client.post(leave).status_code == 404
    member.profile.refresh_from_db()
    assert member.profile.unit == unit


# --- Progress ------------------------------------------------------------------------------
def test_hours_of_the_year_by_subject(unit, member):
    learn(member, Subject.GENERAL, 20, hours=30)
    learn(member, Subject.GENERAL, 12, hours=10)  # No more than the plan has.
    learn(member, Subject.PROFESSIONAL, 45)
    learn(member, Subject.PROFESSIONAL, 60, year=2025)
    learn(member, Subject.PROFESSIONAL, 60, state=Enrolment.State.REVOKED)
    UnitMemberFactory(unit=unit, person=UserFactory(name="周未", pending=True))

    found = find_progress(unit, year=2026).order_by("pk")

    assert rows(found) == [("孙三", 30, 45), ("周未", 0, 0)]
    assert rows(find_progress(unit, year=2025).order_by("pk"))[0] == ("孙三", 0, 60)


def test_who_has_done_the_duty(unit, member):
    learn(member, Subject.GENERAL, 30, hours=30)
    learn(member, Subject.PROFESSIONAL, 60)
    half = UnitMemberFactory(unit=unit, person=UserFactory(name="周半")).person
    learn(half, Subject.PROFESSIONAL, 60)

    assert rows(find_progress(unit, year=2026, standing=MET)) == [("孙三", 30, 60)]
    assert rows(find_progress(unit, year=2026, standing=UNMET)) == [("周半", 0, 60)]


def test_overview_counts(unit, member, coordinator, now):
    UnitMemberFactory(unit=unit, person=UserFactory(pending=True))
    UnitMemberFactory(unit=unit, ended_at=now)
    outsider = UnitMemberFactory().person
    plan = PlanFactory(year=2026, subject=Subject.GENERAL)
    for person, state, percent in (
        (member, Enrolment.State.OPEN, 41),
        (coordinator, Enrolment.State.OPEN, 90),
        (outsider, Enrolment.State.OPEN, 90),
    ):
        EnrolmentFactory(person=person, plan=plan, state=state, percent=percent)

    overview = get_overview(unit, year=2026, now=now)

    assert (overview.members, overview.active, overview.pending) == (2, 1, 1)
    assert (overview.coordinators, overview.invitations) == (1, 0)
    assert [(p.title, p.people, p.completed, p.percent) for p in overview.plans] == [
        (plan.title, 1, 0, 41)
    ]


def test_what_is_revoked_counts_for_nobody_and_hides_no_plan(unit, member, now):
    """A refund of one person, here or anywhere, changes nothing for the others."""
    plan = PlanFactory(year=2026, subject=Subject.GENERAL)
    refunded = UnitMemberFactory(unit=unit).person
    for person, state, percent in (
        (member, Enrolment.State.OPEN, 80),
        (refunded, Enrolment.State.REVOKED, 50),
        (UserFactory(), Enrolment.State.REVOKED, 50),
    ):
        EnrolmentFactory(person=person, plan=plan, state=state, percent=percent)

    overview = get_overview(unit, year=2026, now=now)

    assert [(p.title, p.people, p.completed, p.percent) for p in overview.plans] == [
        (plan.title, 1, 0, 80)
    ]


def test_the_sheet_has_the_rows_of_the_filter_and_no_number(
    client_of, coordinator, unit, member
):
    learn(member, Subject.GENERAL, 20, hours=30)
    UnitMemberFactory(unit=unit, person=UserFactory(name="=1+1"))

    response = client_of(coordinator).get(
        reverse("unit-progress-export"), {"year": "2026", "q": "孙"}
    )

    sheet = load_workbook(BytesIO(response.content)).active
    cells = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert cells == [
        [
            *("孙三", member.masked_id_number, member.masked_phone),
            *("正常", "2026", "20", "0", "未达到"),
        ]
    ]
    assert "*" in cells[0][1]
    assert "no-store" in response["Cache-Control"]


def test_a_sheet_that_leaves_somebody_out_says_so(
    client_of, coordinator, unit, monkeypatch
):
    monkeypatch.setattr(unit_views, "ROWS_IN_SHEET", 2)
    client, counts = client_of(coordinator), []
    for _ in range(3):
        UnitMemberFactory(unit=unit)
        response = client.get(reverse("unit-progress-export"))
        sheet = load_workbook(BytesIO(response.content)).active
        counts.append(sheet.max_row - 1)

    assert counts == [1, 2, 3]
    assert sheet.cell(4, 1).value == "仅含前2人，其余请筛选后分次导出。"


@pytest.mark.parametrize("address", PAGES)
def test_any_number_of_rows_costs_the_same(client_of, coordinator, unit, address):
    client = client_of(coordinator)
    counts = []
    for _ in range(2):
        for _ in range(4):
            learn(UnitMemberFactory(unit=unit).person, Subject.GENERAL, 3)
        UnitAppointmentFactory(unit=unit)
        client.get(reverse(address))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(address))
        counts.append(len(queries))

    assert counts[0] == counts[1] <= QUERIES


@pytest.mark.parametrize("query", ["?year=1066", "?year=x&standing=y", "?page=99"])
def test_nonsense_in_the_address_is_ignored(client_of, coordinator, member, query):
    response = client_of(coordinator).get(reverse("unit-progress") + query)

    assert response.status_code == 200
    assert member.name in response.content.decode()
