"""Supervisors check hours of their districts; others look, or find nothing."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.models import SupervisedRegion
from accounts.services.reference_data import load_roles
from tests.factories.accounts import UserFactory
from tests.factories.unit_hours import UnitHoursFactory

pytestmark = pytest.mark.django_db
ALREADY = "该学时已有其他办理结果，请刷新页面后再试"
LIST = reverse("admin:learning_unithours_changelist")


def colleague(role, *regions):
    load_roles()
    person = UserFactory(staff=True)
    person.groups.add(Group.objects.get(name=role))
    for region in regions:
        SupervisedRegion.objects.create(person=person, region=region)
    return person


def page_of(row, page="change"):
    return reverse(f"admin:learning_unithours_{page}", args=[row.pk])


@pytest.fixture
def here(db):
    return UnitHoursFactory(content="本区培训")


@pytest.fixture
def there(db):
    return UnitHoursFactory(content="他区培训")


@pytest.fixture
def supervisor(here):
    return colleague("区县督导", here.unit.region)


def test_a_supervisor_finds_the_own_district(client_of, supervisor, here, there):
    desk = client_of(supervisor)

    assert list(desk.get(LIST).context["cl"].result_list) == [here]
    html = desk.get(page_of(here)).content.decode()
    assert page_of(here, "inspect") in html
    for page in (page_of(there), page_of(there, "inspect")):
        assert desk.get(page).status_code == 404
    found = {"finding": "reject", "reason": "签到表不符"}
    assert desk.post(page_of(there, "inspect"), found).status_code == 404
    there.refresh_from_db()
    assert there.state == "recorded"


def test_a_supervisor_keeps_what_was_found(client_of, supervisor, here):
    desk = client_of(supervisor)

    passed = desk.post(page_of(here, "inspect"), {"finding": "pass", "reason": ""})
    assert passed.url == page_of(here)
    here.refresh_from_db()
    assert here.state == "passed"

    mute = desk.post(page_of(here, "inspect"), {"finding": "reject", "reason": ""})
    assert "请填写原因" in mute.content.decode()
    here.refresh_from_db()
    assert here.state == "passed"

    desk.post(page_of(here, "inspect"), {"finding": "reject", "reason": "签到表不符"})
    here.refresh_from_db()
    assert (here.state, here.state_reason) == ("rejected", "签到表不符")
    html = desk.get(page_of(here)).content.decode()
    assert html.count("签到表不符") >= 2
    assert "签到表不符" in desk.get(page_of(here, "inspect")).content.decode()


def test_the_message_leaves_at_once(client_of, supervisor, here, monkeypatch):
    woken = []
    task = "learning.admin.unit_hours.deliver_messages.delay_on_commit"
    monkeypatch.setattr(task, lambda: woken.append(True))

    sent = {"finding": "reject", "reason": "签到表不符"}
    client_of(supervisor).post(page_of(here, "inspect"), sent)

    assert woken == [True]


@pytest.mark.parametrize(
    ("role", "may"), [("审核", True), ("业务", False), ("审计", False)]
)
def test_who_of_the_centre_checks(client_of, here, role, may):
    desk = client_of(colleague(role))
    found = {"finding": "pass", "reason": "核实"}

    assert desk.get(page_of(here)).status_code == 200
    assert (page_of(here, "inspect") in desk.get(page_of(here)).content.decode()) is may
    assert desk.post(page_of(here, "inspect"), found).status_code == (
        302 if may else 403
    )
    here.refresh_from_db()
    assert here.state == ("passed" if may else "recorded")


@pytest.mark.parametrize("role", ["财务", "系统"])
def test_others_find_nothing(client_of, here, role):
    desk = client_of(colleague(role))

    for page in (LIST, page_of(here), page_of(here, "inspect")):
        assert desk.get(page).status_code == 403


def test_nothing_is_edited_or_deleted(client_of, staff, here):
    desk = client_of(staff)
    delete = page_of(here, "delete")

    assert desk.post(page_of(here), {"hours": "40"}).status_code == 403
    assert desk.post(delete, {"post": "yes"}).status_code == 403
    assert desk.get(reverse("admin:learning_unithours_add")).status_code == 403
    here.refresh_from_db()
    assert here.hours == 8


def test_withdrawn_hours_are_not_checked(client_of, staff):
    row = UnitHoursFactory(state="withdrawn")
    desk = client_of(staff)

    assert page_of(row, "inspect") not in desk.get(page_of(row)).content.decode()
    # Whoever had the page open before, with a reason or without one.
    for finding, reason in (("pass", "核实"), ("reject", "")):
        sent = {"finding": finding, "reason": reason}
        response = desk.post(page_of(row, "inspect"), sent)
        html = response.content.decode()
        assert response.context["form"].errors["reason"] == [ALREADY]
        assert "单位已撤回" in html
        assert 'name="finding"' not in html
    row.refresh_from_db()
    assert row.state == "withdrawn"


def test_the_list_costs_the_same_for_many(
    client_of, staff, django_assert_max_num_queries
):
    UnitHoursFactory.create_batch(15)
    desk = client_of(staff)

    with django_assert_max_num_queries(12):
        desk.get(LIST)
