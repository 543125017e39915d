"""What staff may do: given and taken by the system role, and told to the audit."""

from datetime import date

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from accounts.admin import people
from accounts.models import (
    AuditEntry,
    CalendarDay,
    PersonSession,
    SupervisedRegion,
    User,
)
from accounts.services.reference_data import load_roles
from accounts.services.staff import create_staff
from tests.accounts.test_admin import page_of
from tests.app_client import app_of
from tests.factories.accounts import RegionFactory, make_phone

ADD = reverse("admin:accounts_user_add")
LOGIN = reverse("admin:login")
CHANGE = reverse("accounts:password-change")

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client_of, staff):
    return client_of(staff)


# --- Rights --------------------------------------------------------------------------------
def rights(person, **change):
    form = {
        "email": person.email,
        "is_active": "on",
        "consents-TOTAL_FORMS": 0,
        "consents-INITIAL_FORMS": 0,
        "profile-TOTAL_FORMS": 0,
        "profile-INITIAL_FORMS": 0,
    }
    return form | change


def test_a_change_of_rights_reaches_the_audit(client_of, colleague, owner):
    system = colleague("系统")
    group = Group.objects.get(name="业务")

    response = client_of(system).post(
        page_of(owner), rights(owner, is_staff="on", groups=[group.pk])
    )

    assert response.status_code == 302
    owner.refresh_from_db()
    assert owner.is_staff
    assert list(owner.groups.all()) == [group]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("admin.user_changed", system)
    assert entry.target == f"user:{owner.code}"
    assert entry.detail == {
        "fields": ["工作人员", "角色"],
        "is_active": True,
        "is_staff": True,
        "groups": ["业务"],
        "regions": [],
    }


def test_the_audit_names_the_regions_that_were_given_and_taken(
    client_of, colleague, now
):
    supervisor, given = colleague("区县督导"), RegionFactory()
    taken = SupervisedRegion.objects.create(person=supervisor, region=RegionFactory())
    form = rights(
        supervisor,
        is_staff="on",
        groups=[Group.objects.get(name="区县督导").pk],
        **{
            "supervised_regions-TOTAL_FORMS": 2,
            "supervised_regions-INITIAL_FORMS": 1,
            "supervised_regions-0-id": taken.pk,
            "supervised_regions-0-person": supervisor.pk,
            "supervised_regions-0-region": taken.region_id,
            "supervised_regions-0-DELETE": "on",
            "supervised_regions-1-person": supervisor.pk,
            "supervised_regions-1-region": given.pk,
        },
    )

    response = client_of(colleague("系统")).post(page_of(supervisor), form)

    assert response.status_code == 302
    assert supervisor.supervised_regions.get().region == given
    detail = AuditEntry.objects.get().detail
    assert detail["fields"] == ["督导区县", "督导区县"]
    assert detail["regions"] == [given.code]


def test_roles_that_are_apart_are_not_given_together(client_of, colleague):
    clerk, desk = colleague("业务"), client_of(colleague("系统"))
    keys = list(
        Group.objects.filter(name__in=("业务", "财务")).values_list("pk", flat=True)
    )
    new = {"username": "yewu_03", "name": "业务三", "password": "shancheng-7788"}

    answers = [
        desk.post(page_of(clerk), rights(clerk, is_staff="on", groups=keys)),
        desk.post(ADD, new | {"groups": keys}),
    ]

    for answer in answers:
        errors = answer.context["adminform"].form.errors
        assert errors == {"groups": ["“业务”与“财务”须由不同的人担任。"]}
    assert [group.name for group in clerk.groups.all()] == ["业务"]
    assert not User.objects.filter(username="yewu_03").exists()
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("role", ["业务", "财务", "审核", "审计"])
def test_others_change_no_rights(client_of, colleague, owner, role):
    client_of(colleague(role)).post(page_of(owner), rights(owner, is_staff="on"))

    owner.refresh_from_db()
    assert not owner.is_staff


def test_nobody_gives_rights_to_themselves(client_of, colleague):
    system = colleague("系统")
    group = Group.objects.get(name="财务")

    response = client_of(system).post(
        page_of(system), rights(system, is_staff="on", groups=[group.pk])
    )

    assert response.status_code == 403
    assert list(system.groups.values_list("name", flat=True)) == ["系统"]


def test_only_superusers_touch_superusers(client_of, colleague, staff):
    response = client_of(colleague("系统")).post(page_of(staff), rights(staff))

    assert response.status_code == 403
    staff.refresh_from_db()
    assert staff.is_staff


def test_names_and_numbers_are_not_changed_here(desk, owner):
    desk.post(
        page_of(owner),
        rights(owner, name="别人", username="other", is_superuser="on", state="closed"),
    )

    changed = User.objects.get(pk=owner.pk)
    assert (changed.name, changed.username) == (owner.name, owner.username)
    assert (changed.is_superuser, changed.state) == (False, "active")


def test_nobody_is_deleted(desk, owner):
    url = reverse("admin:accounts_user_delete", args=[owner.pk])

    assert desk.post(url, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=owner.pk).exists()


def test_a_colleagues_account(client_of, colleague, now, time_machine):
    time_machine.move_to(now, tick=False)
    system = colleague("系统")
    group = Group.objects.get(name="业务")
    form = {
        "username": "Yewu_01",
        "name": "业务一",
        "email": "",
        "password": "shancheng-7788",
        "groups": [group.pk],
    }

    client_of(system).post(ADD, form)

    made = User.objects.get(username="yewu_01")
    assert made.is_staff
    assert not made.is_superuser
    assert made.check_password("shancheng-7788")
    assert made.date_joined == now
    assert list(made.groups.all()) == [group]
    actions = list(AuditEntry.objects.values_list("action", flat=True))
    assert "account.staff_created" in actions


def test_a_password_that_a_colleague_knows_is_changed_first(client, colleague, now):
    given, own = "shancheng-7788", "nanshan-huaihai-1901"
    person = User(username="yewu_02", name="业务二")
    create_staff(person=person, password=given, actor=colleague("系统"), now=now)
    client.login(username="yewu_02", password=given)

    page = client.get(LOGIN, follow=True)

    assert page.redirect_chain[-1][0].startswith(CHANGE)
    assert "请先设置只有您自己知道的新密码" in page.content.decode()
    form = {"present": given, "password": own, "password_again": own}
    client.post(CHANGE, form)
    assert client.get(reverse("admin:index")).status_code == 200


def test_a_trainee_who_becomes_staff_chooses_a_password_as_such(
    client_of, colleague, owner
):
    form = rights(owner, is_staff="on", groups=[Group.objects.get(name="业务").pk])

    client_of(colleague("系统")).post(page_of(owner), form)

    assert User.objects.get(pk=owner.pk).has_given_password
    assert client_of(owner).get(LOGIN).url.startswith(CHANGE)


def test_what_is_saved_here_undoes_nothing_that_happens_beside(
    client_of, colleague, owner, monkeypatch
):
    """Between reading and writing the account, its owner gets another phone."""
    save, phone = people.save_account, make_phone(4711)

    def save_after(*, person, changed, now):
        fresh = User.objects.get(pk=person.pk)
        fresh.store_phone(phone)
        fresh.save()
        save(person=person, changed=changed, now=now)

    monkeypatch.setattr(people, "save_account", save_after)

    client_of(colleague("系统")).post(
        page_of(owner), rights(owner, email="owner@example.org")
    )

    changed = User.objects.get(pk=owner.pk)
    assert (changed.email, changed.phone) == ("owner@example.org", phone)


def test_locking_an_account_ends_its_logins(client_of, colleague, owner, stranger):
    """Every one of them at once, an app's too; what does not lock ends none."""
    app, browser = app_of(owner), client_of(owner)
    system, other = client_of(colleague("系统")), client_of(stranger)
    system.post(page_of(owner), rights(owner, email="owner@example.org"))
    assert PersonSession.objects.filter(person=owner, ended_at=None).count() == 2

    assert system.post(page_of(owner), rights(owner, is_active="")).status_code == 302

    assert not User.objects.get(pk=owner.pk).is_active
    ended = PersonSession.objects.filter(person=owner)
    assert [row.end_reason for row in ended if row.ended_at] == ["account"] * 2
    assert PersonSession.objects.filter(person=stranger, ended_at=None).count() == 1
    assert browser.get(reverse("dashboard")).status_code == 302
    assert app.get("/api/v1/study/plans/").status_code == 401
    assert "_auth_user_id" in other.session


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "short-7788"}, "password"),
        ({"username": "13800138000"}, "username"),
    ],
)
def test_what_a_colleagues_account_refuses(desk, change, field):
    form = {"username": "yewu_01", "name": "业务一", "password": "shancheng-7788"}
    before = User.objects.count()

    response = desk.post(ADD, form | change)

    assert list(response.context["adminform"].form.errors) == [field]
    assert User.objects.count() == before


def test_a_roles_rights_changed_by_hand_reach_the_audit(desk, staff):
    load_roles()
    group = Group.objects.get(name="财务")
    permission = Permission.objects.get(codename="view_unit")

    desk.post(
        reverse("admin:auth_group_change", args=[group.pk]),
        {"name": "财务", "permissions": [permission.pk]},
    )

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("admin.group_changed", staff)
    assert entry.detail["names"] == ["财务"]
    assert entry.detail["permissions"] == ["accounts.view_unit"]


# --- The calendar --------------------------------------------------------------------------
def test_days_that_are_deleted_reach_the_audit(client_of, colleague):
    business = colleague("业务")
    desk = client_of(business)
    days = [
        CalendarDay.objects.create(
            date=date(2027, 1, day), is_working=False, source="x"
        )
        for day in (1, 2, 3)
    ]

    desk.post(
        reverse("admin:accounts_calendarday_delete", args=[days[0].pk]), {"post": "yes"}
    )
    desk.post(
        reverse("admin:accounts_calendarday_changelist"),
        {
            "action": "delete_selected",
            "_selected_action": [day.pk for day in days[1:]],
            "post": "yes",
        },
    )

    assert not CalendarDay.objects.filter(date__year=2027).exists()
    entries = AuditEntry.objects.order_by("position")
    assert {(each.action, each.actor) for each in entries} == {
        ("admin.calendarday_deleted", business)
    }
    assert sorted(each.detail["days"][0] for each in entries) == [
        "2027-01-01 放假",
        "2027-01-02 放假",
        "2027-01-03 放假",
    ]
