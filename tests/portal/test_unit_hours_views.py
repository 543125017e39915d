"""学时登记 in 单位工作台: for the unit's coordinators and its people only."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Subject
from learning.models import UnitHours
from learning.queries.hours import read_year_hours
from portal.unit_queries import MET, find_progress
from tests.clock import at
from tests.factories.accounts import (
    UnitAppointmentFactory,
    UnitMemberFactory,
    UserFactory,
)
from tests.factories.catalog import CourseFactory, PlanFactory
from tests.factories.learning import CourseCompletionFactory, EnrolmentFactory
from tests.factories.unit_hours import UnitHoursFactory

pytestmark = pytest.mark.django_db
INDEX, NEW = reverse("unit-hours"), reverse("unit-hours-new")
TRAINING = {
    "year": "2026",
    "kind": "training",
    "content": "施工安全技术培训",
    "organiser": "示例培训中心",
    "starts_on": "2026-03-02",
    "ends_on": "2026-03-03",
    "hours": "8",
    "result": "合格",
}


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)


@pytest.fixture
def desk(client_of, coordinator):
    return client_of(coordinator)


def withdrawal_of(row):
    return reverse("unit-hours-withdraw", args=[row.code])


# --- Who gets in -------------------------------------------------------------------------
def test_others_find_nothing(client, client_of, unit, member, stranger, staff, now):
    row = UnitHoursFactory(person=member, unit=unit)
    ended = UnitAppointmentFactory(unit=unit, ended_at=now).person

    for page in (INDEX, NEW, withdrawal_of(row)):
        assert client.get(page).status_code == 302
        for person in (stranger, member, staff, ended):
            client_in = client_of(person)
            assert client_in.get(page).status_code == 404
    for person in (member, ended):
        sent = TRAINING | {"people": member.username, "reason": "填错"}
        assert client_of(person).post(NEW, sent).status_code == 404
        assert client_of(person).post(withdrawal_of(row), sent).status_code == 404
    assert list(UnitHours.objects.values_list("state", flat=True)) == ["recorded"]


def test_records_of_other_units_are_out_of_reach(desk, member):
    theirs = UnitHoursFactory(content="外单位培训")

    assert "外单位培训" not in desk.get(INDEX).content.decode()
    assert desk.get(withdrawal_of(theirs)).status_code == 404
    assert desk.post(withdrawal_of(theirs), {"reason": "填错"}).status_code == 404
    assert desk.get(f"{NEW}?person={theirs.person.code}").status_code == 404
    theirs.refresh_from_db()
    assert theirs.state == "recorded"


# --- Recording ---------------------------------------------------------------------------
def test_one_training_for_several_people(desk, unit, member, coordinator):
    colleague = UnitMemberFactory(unit=unit).person
    people = f"{member.id_number}\n {colleague.phone} \n\n{colleague.username}"

    response = desk.post(NEW, TRAINING | {"people": people, "unit": unit.code})

    assert response.url == f"{INDEX}?year=2026"
    rows = UnitHours.objects.order_by("person")
    assert [(row.person, row.hours, row.unit) for row in rows] == [
        (member, 8, unit),
        (colleague, 8, unit),
    ]
    html = desk.get(response.url).content.decode()
    assert "已为 2 人登记“施工安全技术培训”8 学时。" in html
    assert member.name in html


def test_for_the_member_of_the_address(desk, unit, member):
    page = f"{NEW}?person={member.code}"
    html = desk.get(page).content.decode()
    assert member.masked_id_number in html
    assert 'name="people"' not in html

    desk.post(page, TRAINING | {"people": UserFactory().username})

    assert UnitHours.objects.get().person == member


def test_unknown_and_foreign_people_are_told_alike(desk, member, stranger):
    people = "\n".join([member.username, "", stranger.username, "nobody99"])

    response = desk.post(NEW, TRAINING | {"people": people})

    assert response.context["form"].errors["people"] == [
        f"第 3 行（尾号 {stranger.username[-4:]}）、第 4 行（尾号 dy99）不在本单位人员名单中"
    ]
    assert stranger.name not in response.content.decode()
    assert not UnitHours.objects.exists()


def test_of_many_unknown_people_the_first_are_named(desk, member):
    people = "\n".join([member.username, *(f"nobody{n:02}" for n in range(12))])

    response = desk.post(NEW, TRAINING | {"people": people})

    [told] = response.context["form"].errors["people"]
    assert told.count("尾号") == 10
    assert told.endswith("第 11 行（尾号 dy09）等 12 行不在本单位人员名单中")
    assert not UnitHours.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"people": ""}, "people", "这个字段是必填项。"),
        ({"people": "\n".join(["x"] * 501)}, "people", "一次最多登记 500 人"),
        ({"hours": "0"}, "hours", "确保该值大于或等于1。"),
        ({"hours": "49"}, "__all__", "2 天最多登记 48 学时"),
        ({"year": "2010"}, "year", "选择一个有效的选项。"),
        ({"ends_on": "2026-06-16"}, "__all__", "培训结束后才能登记"),
    ],
)
def test_what_is_refused_records_nothing(desk, member, changes, field, message):
    response = desk.post(NEW, TRAINING | {"people": member.username} | changes)

    assert message in " ".join(response.context["form"].errors[field])
    assert not UnitHours.objects.exists()


# --- Withdrawing -------------------------------------------------------------------------
def test_withdrawn_with_a_reason(desk, unit, member):
    row = UnitHoursFactory(person=member, unit=unit)
    assert withdrawal_of(row) in desk.get(INDEX).content.decode()

    assert desk.post(withdrawal_of(row), {"reason": ""}).status_code == 200
    row.refresh_from_db()
    assert row.state == "recorded"

    assert (
        desk.post(withdrawal_of(row), {"reason": "学时填错"}).url
        == f"{INDEX}?year=2026"
    )
    row.refresh_from_db()
    assert (row.state, row.state_reason) == ("withdrawn", "学时填错")
    assert withdrawal_of(row) not in desk.get(INDEX).content.decode()
    again = desk.post(withdrawal_of(row), {"reason": "再次撤回"})
    assert "已有其他办理结果" in again.content.decode()


# --- Lists -------------------------------------------------------------------------------
def test_the_list_is_filtered_and_costs_the_same_for_many(desk, unit, member):
    UnitHoursFactory(person=member, unit=unit, content="今年培训")
    UnitHoursFactory(person=member, unit=unit, year=2025, content="去年培训")
    with CaptureQueriesContext(connection) as few:
        html = desk.get(INDEX).content.decode()
    assert "今年培训" in html
    assert "去年培训" not in html
    assert "去年培训" in desk.get(f"{INDEX}?year=2025&state=recorded").content.decode()
    assert "今年培训" not in desk.get(f"{INDEX}?year=2026&q=无此人").content.decode()

    UnitHoursFactory.create_batch(15, unit=unit)
    with CaptureQueriesContext(connection) as many:
        desk.get(INDEX)

    assert len(many) == len(few) <= 12


@pytest.mark.parametrize(
    ("moment", "year"), [("2026-12-31 23:59", 2026), ("2027-01-01 00:01", 2027)]
)
@pytest.mark.parametrize("address", [INDEX, reverse("unit-progress")])
def test_this_year_is_the_year_here(
    client_of, coordinator, time_machine, address, moment, year
):
    time_machine.move_to(at(moment), tick=False)

    assert client_of(coordinator).get(address).context["year"] == year


def test_the_progress_of_the_unit_counts_them(unit, member):
    UnitHoursFactory(person=member, hours=16)
    UnitHoursFactory(person=member, hours=4, state="passed")
    UnitHoursFactory(person=member, hours=30, state="rejected")
    UnitHoursFactory(person=member, hours=30, year=2025)

    [row] = find_progress(unit, year=2026)

    assert (row.general, row.professional) == (0, 20)
    assert list(find_progress(unit, year=2026, standing=MET)) == []


def learn(person, courses, *, earned, year=2026, **state):
    plan = PlanFactory(subject=Subject.GENERAL, year=year, hours=30)
    enrolment = EnrolmentFactory(
        person=person, plan=plan, elective_earned=earned, **state
    )
    for course in courses:
        CourseCompletionFactory(
            enrolment=enrolment, course=course, credits=course.credits
        )


def test_unit_and_person_read_the_same_hours(unit, member, coordinator, owner):
    """A course of several plans counts once for both, or the unit takes somebody for done."""
    shared, other = CourseFactory(credits=5), CourseFactory(credits=7)
    UnitMemberFactory(unit=unit, person=owner)
    for person in (member, owner):
        for courses in ([shared, other], [shared], [shared, other]):
            learn(person, courses, earned=12)
    learn(member, [shared], earned=25, revoked=True)
    learn(member, [shared], earned=5, year=2025)
    learn(owner, [], earned=40)

    rows = {row.person: row for row in find_progress(unit, year=2026)}

    assert {person: row.general for person, row in rows.items()} == {
        member: 3 * 12 - (5 + 5 + 7),
        # The fourth plan earned more than its 30, which leaves room for what is repeated.
        owner: 3 * 12 + 40 - (5 + 5 + 7),
    }
    for person, row in rows.items():
        assert read_year_hours(person, 2026).general == row.general
