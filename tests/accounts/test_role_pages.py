"""Each role walks the whole admin: open is what the role names, and nothing else."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.models import User
from accounts.rules.roles import ROLES, split_permission
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


def models_with(role, action):
    names = map(split_permission, ROLES[role])
    return {(app, model) for app, model, code in names if code == f"{action}_{model}"}


def registered():
    return {
        (model._meta.app_label, model._meta.model_name)
        for model in admin.site._registry
    }


def open_pages(client, page):
    return {
        names
        for names in registered()
        if client.get(reverse(f"admin:{'_'.join(names)}_{page}")).status_code == 200
    }


@pytest.mark.parametrize("role", list(ROLES))
def test_exactly_the_lists_of_the_role_open(client_of, colleague, role):
    client = client_of(colleague(role))

    assert open_pages(client, "changelist") == models_with(role, "view") & registered()


@pytest.mark.parametrize("role", list(ROLES))
def test_no_page_for_adding_opens_without_the_right(client_of, colleague, role):
    client = client_of(colleague(role))

    assert open_pages(client, "add") <= models_with(role, "add")


def test_staff_without_a_role_see_nothing(client_of):
    client = client_of(UserFactory(staff=True))

    assert open_pages(client, "changelist") == set()
    assert open_pages(client, "add") == set()


@pytest.mark.parametrize("role", list(ROLES))
def test_no_role_gives_rights_to_itself(client_of, colleague, role):
    person = colleague(role)
    client = client_of(person)
    group = Group.objects.get(name=role)
    everything = list(Group.objects.values_list("pk", flat=True))
    before = set(person.get_all_permissions())

    client.post(
        reverse("admin:accounts_user_change", args=[person.pk]),
        {
            "is_active": "on",
            "is_staff": "on",
            "is_superuser": "on",
            "groups": everything,
        },
    )
    client.post(
        reverse("admin:auth_group_change", args=[group.pk]),
        {"name": role, "permissions": list(range(1, 400))},
    )
    client.post(reverse("admin:auth_group_add"), {"name": "新角色"})

    after = User.objects.get(pk=person.pk)
    assert list(after.groups.all()) == [group]
    assert not after.is_superuser
    assert set(after.get_all_permissions()) == before
    assert Group.objects.count() == len(ROLES)


@pytest.mark.parametrize("role", list(ROLES))
def test_logins_and_devices_are_read_only(client_of, colleague, role):
    client = client_of(colleague(role))

    for model in ("personsession", "staffdevice"):
        assert client.get(reverse(f"admin:accounts_{model}_add")).status_code == 403, (
            model
        )


def test_the_audit_role_reads_logins(client_of, colleague, owner, client):
    client_of(owner)
    desk = client_of(colleague("审计"))

    html = desk.get(reverse("admin:accounts_personsession_changelist")).content.decode()

    assert owner.name in html
    assert "正在登录" in html
    row = owner.sessions.get()
    page = reverse("admin:accounts_personsession_change", args=[row.pk])
    assert desk.get(page).status_code == 200
    assert row.code not in desk.get(page).content.decode()
    assert desk.post(page, {"device": "x"}).status_code == 403
    delete = reverse("admin:accounts_personsession_delete", args=[row.pk])
    assert desk.post(delete, {"post": "yes"}).status_code == 403
    row.refresh_from_db()
    assert row.device == "未知浏览器"
