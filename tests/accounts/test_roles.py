import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader

from accounts.rules.roles import (
    ROLES,
    SUPERVISOR,
    UNMASK,
    find_role_conflict,
    split_permission,
)
from accounts.services.reference_data import load_roles
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def roles():
    load_roles()


def permissions_of(role):
    found = Group.objects.get(name=role).permissions.select_related("content_type")
    return {
        f"{permission.content_type.app_label}.{permission.codename}"
        for permission in found
    }


def test_the_roles_of_the_centre():
    assert set(Group.objects.values_list("name", flat=True)) == {
        "业务",
        "财务",
        "审核",
        "系统",
        "审计",
        "区县督导",
    }


def test_a_migration_makes_them():
    """The newest that does: an installation that is only migrated has what the code names."""
    Group.objects.all().delete()
    migrations = MigrationLoader(None).disk_migrations
    names = sorted(name for app, name in migrations if app == "accounts")
    made_by = [
        operation
        for name in names
        for operation in migrations["accounts", name].operations
        if isinstance(operation, RunPython)
        and "load_roles" in operation.code.__globals__
    ]

    made_by[-1].code(apps, None)

    assert {role: len(permissions_of(role)) for role in ROLES} == {
        role: len(set(names)) for role, names in ROLES.items()
    }


@pytest.mark.parametrize("role", list(ROLES))
def test_each_has_exactly_its_permissions(role):
    wanted = set()
    for name in ROLES[role]:
        app, _, codename = split_permission(name)
        wanted.add(f"{app}.{codename}")

    assert permissions_of(role) == wanted


def test_loading_again_takes_away_what_does_not_belong():
    supervisors = Group.objects.get(name=SUPERVISOR)
    supervisors.permissions.add(Permission.objects.get(codename="unmask_personal_data"))
    count = Permission.objects.count()

    load_roles()

    assert "accounts.unmask_personal_data" not in permissions_of(SUPERVISOR)
    assert Permission.objects.count() == count


def test_duties_are_apart():
    writes = {
        role: {name for name in permissions_of(role) if ".view_" not in name}
        for role in ROLES
    }
    money = {
        "orders.change_paymentexception",
        "orders.decide_refund",
        "orders.override_refund",
        "orders.run_billday",
        "orders.change_billdifference",
        "invoices.retry_invoice",
    }

    assert [role for role in ROLES if writes[role] & money] == ["财务"]
    assert money <= writes["财务"]
    assert [role for role in ROLES if "accounts.change_user" in writes[role]] == [
        "系统"
    ]
    assert writes["审计"] == set()
    assert writes["区县督导"] == {"learning.inspect_unithours"}


@pytest.mark.parametrize(
    ("roles", "conflict"),
    [
        ([], ""),
        (["审计"], ""),
        (["区县督导"], ""),
        (["业务", "审核", "系统"], ""),
        (["审核", "财务"], ""),
        (["审计", "业务"], "“审计”不能与其他角色同时授予。"),
        (["业务", "区县督导"], "“区县督导”不能与其他角色同时授予。"),
        (["财务", "业务"], "“业务”与“财务”须由不同的人担任。"),
        (["系统", "审核", "财务"], "“财务”与“系统”须由不同的人担任。"),
    ],
)
def test_roles_that_no_one_person_holds(roles, conflict):
    assert find_role_conflict(roles) == conflict


def test_who_may_see_full_numbers():
    assert [role for role, names in ROLES.items() if UNMASK in names] == [
        "业务",
        "审核",
    ]


def test_a_member_of_staff_has_what_the_role_has():
    person = UserFactory(staff=True)
    person.groups.add(Group.objects.get(name="财务"))

    assert person.has_perm("orders.change_paymentexception")
    assert not person.has_perm("accounts.unmask_personal_data")


def test_permissions_keep_the_words_django_gives_them():
    permission = Permission.objects.get(codename="unmask_personal_data")

    assert permission.name == "可查看完整证件号码与手机号码"
