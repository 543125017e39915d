"""District supervisors see their regions, masked and unchanged, and nothing else."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.models import SupervisedRegion, User
from accounts.queries.supervision import find_supervised_regions
from accounts.services.reference_data import load_roles
from tests.factories.accounts import (
    ProfileFactory,
    UnitAppointmentFactory,
    UnitFactory,
    UserFactory,
)

PEOPLE = reverse("admin:accounts_user_changelist")
UNITS = reverse("admin:accounts_unit_changelist")
APPOINTMENTS = reverse("admin:accounts_unitappointment_changelist")
FIND = reverse("admin:accounts_user_find")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def roles():
    load_roles()


@pytest.fixture
def here():
    return UnitFactory(name="本区示例学校")


@pytest.fixture
def there():
    return UnitFactory(name="他区示例医院")


@pytest.fixture
def neighbour(here):
    return ProfileFactory(person__name="本区学员", unit=here).person


@pytest.fixture
def distant(there):
    return ProfileFactory(person__name="他区学员", unit=there).person


def supervisor_of(*regions, roles=("区县督导",)):
    person = UserFactory(staff=True, name="督导一")
    person.groups.set(Group.objects.filter(name__in=roles))
    for region in regions:
        SupervisedRegion.objects.create(person=person, region=region)
    return person


@pytest.fixture
def desk(client_of, here):
    return client_of(supervisor_of(here.region))


def page_of(row):
    return reverse(
        f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]
    )


def test_lists_hold_the_own_regions(desk, neighbour, distant, here, there):
    UnitAppointmentFactory(unit=here, person=neighbour)
    UnitAppointmentFactory(unit=there, person=distant)

    for page, shown, hidden in (
        (PEOPLE, "本区学员", "他区学员"),
        (UNITS, "本区示例学校", "他区示例医院"),
        (APPOINTMENTS, "本区学员", "他区学员"),
    ):
        rows = desk.get(page).context["cl"].result_list
        html = "".join(map(str, rows))
        assert shown in html
        assert hidden not in html


def test_pages_elsewhere_are_not_found(desk, neighbour, distant, here, there):
    ours = UnitAppointmentFactory(unit=here, person=neighbour)
    theirs = UnitAppointmentFactory(unit=there, person=distant)

    for row in (neighbour, here, ours):
        assert desk.get(page_of(row)).status_code == 200
    for row in (distant, there, theirs):
        page = page_of(row)
        for address in (page, page.replace("/change/", "/history/")):
            assert desk.get(address).status_code == 404
        assert desk.post(page, {"name": "改名"}).status_code in {403, 404}


def test_staff_and_people_without_a_region_are_nobodys(desk, staff, owner):
    nameless = UserFactory(name="无区县")

    rows = desk.get(PEOPLE).context["cl"].result_list

    assert {staff, nameless, owner} & set(rows) == set()


def test_masked_and_without_unmasking(desk, neighbour):
    html = desk.get(page_of(neighbour)).content.decode()
    unmask = reverse("admin:accounts_user_unmask", args=[neighbour.code])

    assert neighbour.masked_id_number in html
    assert neighbour.id_number not in html
    assert neighbour.phone not in html
    assert unmask not in html
    reason = {"reason": "核对来电反映的号码"}
    assert desk.post(unmask, reason).status_code == 403


def test_a_number_of_elsewhere_is_a_number_of_nobody(desk, neighbour, distant):
    assert desk.post(FIND, {"number": neighbour.phone}).url == page_of(neighbour)

    response = desk.post(FIND, {"number": distant.phone}, follow=True)

    assert response.redirect_chain[0][0] == PEOPLE
    assert "没有使用该号码的账号。" in response.content.decode()


def test_nothing_is_changed(desk, neighbour, here):
    UnitAppointmentFactory(unit=here, person=neighbour)
    form = {"name": "改名", "region": here.region.pk, "is_active": "on"}

    assert desk.post(page_of(here), form).status_code == 403
    assert desk.post(page_of(neighbour), {"is_staff": "on"}).status_code == 403
    assert desk.get(reverse("admin:accounts_unit_add")).status_code == 403

    here.refresh_from_db()
    neighbour.refresh_from_db()
    assert (here.name, neighbour.is_staff) == ("本区示例学校", False)


def test_without_a_region_there_is_nobody(client_of, neighbour):
    client = client_of(supervisor_of())

    assert list(client.get(PEOPLE).context["cl"].result_list) == []


def test_two_regions_show_both(client_of, neighbour, distant, here, there):
    client = client_of(supervisor_of(here.region, there.region))

    assert set(client.get(PEOPLE).context["cl"].result_list) == {neighbour, distant}


def test_another_role_beside_it_frees_nobody(client_of, neighbour, distant, here):
    """With 业务 the same person could unmask and change; the binding is the stronger."""
    client = client_of(supervisor_of(here.region, roles=("区县督导", "业务")))

    assert set(client.get(PEOPLE).context["cl"].result_list) == {neighbour}
    unmask = reverse("admin:accounts_user_unmask", args=[distant.code])
    reason = {"reason": "核对来电反映的号码"}
    assert client.post(unmask, reason).status_code == 403
    form = {"name": "改名", "region": here.region.pk, "is_active": "on"}
    assert client.post(page_of(here), form).status_code == 403


def test_the_start_page_holds_no_figures_of_the_city(desk, neighbour):
    response = desk.get(reverse("admin:index"))

    assert response.status_code == 200
    assert "注册学员" not in response.content.decode()
    assert "today" not in response.context


@pytest.mark.parametrize("role", ["业务", "财务", "审核", "审计"])
def test_other_roles_see_every_region(client_of, neighbour, distant, role):
    client = client_of(supervisor_of(roles=(role,)))

    assert {neighbour, distant} <= set(client.get(PEOPLE).context["cl"].result_list)


def test_nobody_is_bound_without_the_role(owner, staff):
    assert find_supervised_regions(owner) is None
    assert find_supervised_regions(staff) is None


# --- Giving the regions --------------------------------------------------------------------
def regions_form(person, *regions):
    form = {
        "email": "",
        "is_active": "on",
        "is_staff": "on",
        "groups": [group.pk for group in person.groups.all()],
        "consents-TOTAL_FORMS": 0,
        "consents-INITIAL_FORMS": 0,
        "profile-TOTAL_FORMS": 0,
        "profile-INITIAL_FORMS": 0,
        "supervised_regions-TOTAL_FORMS": len(regions),
        "supervised_regions-INITIAL_FORMS": 0,
    }
    for number, region in enumerate(regions):
        form[f"supervised_regions-{number}-region"] = region.pk
        form[f"supervised_regions-{number}-person"] = person.pk
    return form


def test_the_system_role_gives_regions(client_of, here):
    person = supervisor_of()
    client = client_of(supervisor_of(roles=("系统",)))

    client.post(page_of(person), regions_form(person, here.region))

    assert find_supervised_regions(person) == {here.region.pk}


@pytest.mark.parametrize("role", ["业务", "财务", "审核", "审计", "区县督导"])
def test_other_roles_do_not(client_of, here, role):
    person = supervisor_of()
    client = client_of(supervisor_of(roles=(role,)))

    client.post(page_of(person), regions_form(person, here.region))

    assert not SupervisedRegion.objects.filter(person=person).exists()


def test_nobody_gives_regions_to_themselves(client_of, here):
    person = supervisor_of(roles=("系统", "区县督导"))

    response = client_of(person).post(
        page_of(person), regions_form(person, here.region)
    )

    assert response.status_code in {302, 403}
    assert find_supervised_regions(person) == frozenset()
    assert User.objects.get(pk=person.pk).groups.count() == 2


def test_nobody_is_offered_an_ending_that_they_may_not_make(
    client_of, desk, staff, here, neighbour
):
    row = UnitAppointmentFactory(unit=here, person=neighbour)
    link = reverse("admin:accounts_unitappointment_end", args=[row.pk])

    assert link not in desk.get(APPOINTMENTS).content.decode()
    assert link in client_of(staff).get(APPOINTMENTS).content.decode()
