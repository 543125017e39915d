import pytest
from django.urls import reverse

from accounts.models import AuditEntry, Consent, Profile, Unit
from tests.factories.accounts import RegionFactory, UserFactory

LIST = reverse("admin:accounts_user_changelist")
FIND = reverse("admin:accounts_user_find")
UNITS = reverse("admin:accounts_unit_add")

pytestmark = pytest.mark.django_db


def page_of(person):
    return reverse("admin:accounts_user_change", args=[person.pk])


def unmask_page_of(person):
    return reverse("admin:accounts_user_unmask", args=[person.code])


@pytest.fixture
def desk(client_of, staff):
    return client_of(staff)


def text(response):
    assert response.status_code == 200
    return response.content.decode()


# --- Finding and masking -------------------------------------------------------------------
def test_people_are_listed_masked(desk, owner):
    html = text(desk.get(LIST))

    assert owner.masked_id_number in html
    assert owner.masked_phone in html
    assert owner.id_number not in html
    assert owner.phone not in html


@pytest.mark.parametrize("field", ["name", "username"])
def test_search_by_name_and_user_name(desk, owner, stranger, field):
    html = text(desk.get(LIST, {"q": getattr(owner, field)}))

    assert owner.username in html
    assert stranger.username not in html


@pytest.mark.parametrize("field", ["phone", "id_number"])
def test_a_number_in_the_address_finds_nobody(desk, owner, field):
    html = text(desk.get(LIST, {"q": getattr(owner, field)}))

    assert owner.username not in html
    assert "号码不应出现在网址中" in html


@pytest.mark.parametrize(
    "spelling",
    [
        lambda person: person.phone,
        lambda person: person.id_number,
        lambda person: f" {person.id_number.lower()} ",
        lambda person: f"+86 {person.phone}",
    ],
)
def test_an_exact_number_opens_the_account(desk, owner, spelling):
    assert desk.post(FIND, {"number": spelling(owner)}).url == page_of(owner)


@pytest.mark.parametrize("number", ["19900999999", "", "1990"])
def test_a_number_of_nobody(desk, owner, number):
    response = desk.post(FIND, {"number": number})

    assert response.url == LIST


def test_a_user_name_is_no_number(desk, owner):
    assert desk.post(FIND, {"number": owner.username}).url == LIST


def test_finding_wants_the_right_to_see_people(client_of, owner):
    person = UserFactory(staff=True)

    assert client_of(person).post(FIND, {"number": owner.phone}).status_code == 403


def test_what_is_not_known_is_a_dash(desk, staff, owner):
    Profile.objects.filter(person=owner).update(series="", level="")

    for person in (staff, owner):
        assert "None" not in text(desk.get(page_of(person)))


def test_the_channel_of_a_consent_is_in_chinese(desk, owner, now):
    Consent.objects.create(
        person=owner, kind=Consent.Kind.PRIVACY, version="2026-01", given_at=now
    )

    html = text(desk.get(page_of(owner)))

    assert "<p>网站</p>" in html
    assert "<p>web</p>" not in html


def test_the_page_of_a_person_is_masked(desk, owner):
    html = text(desk.get(page_of(owner)))

    assert owner.masked_id_number in html
    assert owner.id_number not in html
    assert owner.phone not in html
    assert owner.password not in html
    assert owner.profile.unit_name in html
    assert "工程技术人员" in html


# --- Unmasking -----------------------------------------------------------------------------
def test_unmasking_wants_a_reason_and_leaves_an_entry(desk, owner, staff):
    asked = text(desk.get(unmask_page_of(owner)))
    assert owner.id_number not in asked
    assert AuditEntry.objects.count() == 0

    response = desk.post(unmask_page_of(owner), {"reason": "核对来电反映的号码"})
    shown = text(response)

    assert owner.id_number in shown
    assert owner.phone in shown
    assert "no-store" in response.headers["Cache-Control"]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("personal_data.unmasked", staff)
    assert entry.target == f"user:{owner.code}"
    assert entry.detail == {"reason": "核对来电反映的号码"}


@pytest.mark.parametrize("reason", ["", "看看", "   "])
def test_without_a_reason_nothing_is_shown(desk, owner, reason):
    html = text(desk.post(unmask_page_of(owner), {"reason": reason}))

    assert owner.id_number not in html
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("role", ["财务", "系统", "审计", "区县督导"])
def test_unmasking_wants_its_permission(client_of, colleague, owner, role):
    client = client_of(colleague(role))

    response = client.post(unmask_page_of(owner), {"reason": "核对来电反映的号码"})

    assert response.status_code == 403
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("role", ["业务", "审核"])
def test_who_has_it_finds_the_button(client_of, colleague, owner, role):
    html = text(client_of(colleague(role)).get(page_of(owner)))

    assert unmask_page_of(owner) in html


def test_who_has_it_not_does_not(client_of, colleague, owner):
    html = text(client_of(colleague("财务")).get(page_of(owner)))

    assert unmask_page_of(owner) not in html


def test_a_trainee_gets_nowhere(client_of, owner, stranger):
    client = client_of(stranger)

    for response in (
        client.get(LIST),
        client.get(page_of(owner)),
        client.post(unmask_page_of(owner), {"reason": "核对来电反映的号码"}),
        client.post(FIND, {"number": owner.phone}),
    ):
        assert response.status_code == 302
        assert response.url.startswith(reverse("admin:login"))
    assert AuditEntry.objects.count() == 0


# --- Units, messages, audit ----------------------------------------------------------------
def unit_form(**change):
    region = RegionFactory()
    form = {
        "name": "示例企业",
        "region": region.pk,
        "is_active": "on",
        "appointments-TOTAL_FORMS": 0,
        "appointments-INITIAL_FORMS": 0,
    }
    return form | change


def test_a_units_credit_code_is_checked(desk):
    response = desk.post(UNITS, unit_form(credit_code="911100006000373410"))
    assert "校验不通过" in text(response)

    desk.post(UNITS, unit_form(credit_code="9111 0000 6000 37341l"))
    assert Unit.objects.get().credit_code == "91110000600037341L"
    assert AuditEntry.objects.get().action == "admin.unit_added"


def test_units_without_credit_code_do_not_collide(desk):
    for name in ("甲", "乙"):
        desk.post(UNITS, unit_form(name=name, credit_code=""))

    assert set(Unit.objects.values_list("credit_code", flat=True)) == {None}
    assert Unit.objects.count() == 2


def test_the_audit_is_read_only(desk, owner):
    desk.post(unmask_page_of(owner), {"reason": "核对来电反映的号码"})
    entry = AuditEntry.objects.get()
    change = reverse("admin:accounts_auditentry_change", args=[entry.pk])
    delete = reverse("admin:accounts_auditentry_delete", args=[entry.pk])

    html = text(desk.get(reverse("admin:accounts_auditentry_changelist")))

    assert "personal_data.unmasked" in html
    assert "核对来电反映的号码" in html
    assert desk.post(change, {"action": "x"}).status_code == 403
    assert desk.post(delete, {"post": "yes"}).status_code == 403
    assert desk.get(reverse("admin:accounts_auditentry_add")).status_code == 403
    assert AuditEntry.objects.get().action == "personal_data.unmasked"
