"""From the password to the staff site: what stands between."""

import re
from base64 import b32decode
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django_otp import DEVICE_ID_SESSION_KEY

from accounts.models import AuditEntry, StaffDevice, User
from accounts.services.reference_data import load_roles
from accounts.services.second_factor import enrol_device
from tests.accounts.test_second_factor import SECRET, code_at, wrong_code
from tests.factories.accounts import PASSWORD, UserFactory

INDEX = reverse("admin:index")
PEOPLE = reverse("admin:accounts_user_changelist")
LOGIN = reverse("admin:login")
PAGE = reverse("admin:second-factor")
QR = reverse("admin:second-factor-qr")
CHANGE = reverse("accounts:password-change")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now, settings):
    settings.STAFF_TOTP = True
    time_machine.move_to(now, tick=False)
    return time_machine


@pytest.fixture
def desk(client_of, staff):
    return client_of(staff)


@pytest.fixture
def device(staff, now):
    at = now - DAY
    return enrol_device(person=staff, secret=SECRET, code=code_at(at), now=at).device


def shown_secret(response):
    found = re.search(
        r"second-factor-secret\">([A-Z2-7 ]+)<", response.content.decode()
    )
    return b32decode(found[1].replace(" ", ""))


# --- The first time ------------------------------------------------------------------------
def test_a_password_leads_to_binding_and_no_further(client, staff):
    form = {"username": staff.username, "password": PASSWORD, "next": PEOPLE}

    response = client.post(LOGIN, form, follow=True)

    assert response.redirect_chain[-1][0] == f"{PAGE}?next={PEOPLE.replace('/', '%2F')}"
    assert "绑定身份验证器" in response.content.decode()
    for page in (INDEX, PEOPLE, reverse("admin:accounts_auditentry_changelist")):
        assert client.get(page).status_code == 302
    assert StaffDevice.objects.count() == 0


def test_binding_shows_recovery_codes_once_and_opens_the_site(desk, staff, now):
    first = desk.get(PAGE, {"next": PEOPLE})
    secret = shown_secret(first)
    before = desk.session.session_key

    response = desk.post(PAGE, {"code": code_at(now, secret), "next": PEOPLE})

    html = response.content.decode()
    assert len(re.findall(r"<code>[0-9A-Z]{5}-[0-9A-Z]{5}</code>", html)) == 10
    assert f'href="{PEOPLE}"' in html
    assert "no-store" in response.headers["Cache-Control"]
    assert StaffDevice.objects.get().secret == secret
    assert desk.session.session_key != before
    assert desk.get(PEOPLE).status_code == 200
    assert desk.get(PAGE).url == INDEX
    assert desk.get(QR).status_code == 404


def test_the_secret_stays_the_same_while_the_page_is_looked_at(desk):
    assert shown_secret(desk.get(PAGE)) == shown_secret(desk.get(PAGE))


def test_the_secret_lies_encrypted_in_the_session(desk):
    secret = shown_secret(desk.get(PAGE))

    assert secret.hex() not in str(dict(desk.session.items()))
    assert "accounts_second_factor" in desk.session


def test_the_picture_is_served_to_its_page_only(desk, client_of, owner, client):
    assert desk.get(QR).status_code == 404
    desk.get(PAGE)

    response = desk.get(QR)

    assert response.headers["Content-Type"] == "image/svg+xml"
    assert "no-store" in response.headers["Cache-Control"]
    assert response.content.startswith(b"<?xml")
    assert client_of(owner).get(QR).status_code == 404
    assert client.get(QR).status_code == 404


def test_a_wrong_code_binds_nothing(desk, now):
    secret = shown_secret(desk.get(PAGE))
    wrong = f"{(int(code_at(now, secret)) + 1) % 1000000:06d}"

    response = desk.post(PAGE, {"code": wrong})

    assert "动态验证码错误或已失效" in response.content.decode()
    assert shown_secret(response) == secret
    assert StaffDevice.objects.count() == 0
    assert desk.get(INDEX).status_code == 302


def test_a_code_without_a_secret_shown_binds_nothing(desk, now):
    response = desk.post(PAGE, {"code": "000000"})

    assert response.status_code == 200
    assert StaffDevice.objects.count() == 0


# --- Every time ----------------------------------------------------------------------------
def test_the_code_opens_the_site(desk, device, now):
    assert desk.get(INDEX, follow=True).redirect_chain[-1][0].startswith(PAGE)

    response = desk.post(PAGE, {"code": f" {code_at(now)[:3]} {code_at(now)[3:]}"})

    assert response.url == INDEX
    assert desk.get(INDEX).status_code == 200


def test_the_code_is_asked_for_at_each_login(desk, client_of, device, staff, now):
    desk.post(PAGE, {"code": code_at(now)})

    assert client_of(staff).get(INDEX).status_code == 302


def test_wrong_codes_are_refused_and_throttled(desk, device, now):
    statuses = [
        desk.post(PAGE, {"code": wrong_code(now)}).status_code for _ in range(6)
    ]

    assert statuses == [200] * 5 + [429]
    assert desk.post(PAGE, {"code": code_at(now)}).status_code == 429
    assert desk.get(INDEX).status_code == 302


def test_only_pages_of_this_site_follow(desk, device, now):
    form = {"code": code_at(now), "next": "https://evil.example/"}

    assert desk.post(PAGE, form).url == INDEX


def test_few_recovery_codes_are_said(desk, device, staff, now):
    device.recovery_codes.filter(
        pk__in=device.recovery_codes.values_list("pk", flat=True)[:8]
    ).update(used_at=now)

    response = desk.post(PAGE, {"code": code_at(now)}, follow=True)

    assert "恢复码仅剩 2 个" in response.content.decode()


def test_a_reset_closes_the_site_at_once(desk, device, now):
    desk.post(PAGE, {"code": code_at(now)})
    device.delete()

    assert desk.get(INDEX).status_code == 302


def test_the_session_of_one_is_not_verified_by_the_device_of_another(
    client_of, device, now
):
    clerk = UserFactory(staff=True)
    client = client_of(clerk)
    store = client.session
    store[DEVICE_ID_SESSION_KEY] = device.persistent_id
    store.save()

    assert client.get(INDEX).status_code == 302


def test_trainees_are_not_asked(client_of, owner):
    assert client_of(owner).get(PAGE).url == LOGIN
    assert client_of(owner).get(reverse("dashboard")).status_code == 200


def test_without_the_setting_the_password_is_enough(settings, desk):
    settings.STAFF_TOTP = False

    assert desk.get(INDEX).status_code == 200


# --- 90 days -------------------------------------------------------------------------------
def test_an_old_password_is_changed_before_anything_else(settings, desk, staff, now):
    settings.STAFF_TOTP = False
    User.objects.filter(pk=staff.pk).update(password_changed_at=now - 90 * DAY)
    new = "nanshan-huaihai-1901"

    response = desk.get(PEOPLE, follow=True)

    assert response.redirect_chain[-1][0].startswith(CHANGE)
    assert "您的密码已使用超过90天，请先修改密码。" in response.content.decode()
    form = {"present": PASSWORD, "password": new, "password_again": new}
    assert desk.post(CHANGE, form | {"next": PEOPLE}).url == PEOPLE
    assert desk.get(PEOPLE).status_code == 200


def test_a_change_to_the_same_password_is_none(settings, desk, staff, now):
    settings.STAFF_TOTP = False
    User.objects.filter(pk=staff.pk).update(password_changed_at=now - 90 * DAY)
    form = {"present": PASSWORD, "password": PASSWORD, "password_again": PASSWORD}

    html = desk.post(CHANGE, form | {"next": PEOPLE}).content.decode()

    assert "新密码不能与当前密码相同。" in html
    assert User.objects.get(pk=staff.pk).password_changed_at == now - 90 * DAY
    assert desk.get(PEOPLE).status_code == 302


def test_the_staff_site_changes_passwords_on_the_one_page(settings, desk):
    settings.STAFF_TOTP = False

    assert desk.get(reverse("admin:password_change")).url == CHANGE


def test_89_days_are_young_enough(settings, desk, staff, now):
    settings.STAFF_TOTP = False
    User.objects.filter(pk=staff.pk).update(password_changed_at=now - 89 * DAY)

    assert desk.get(INDEX).status_code == 200


def test_an_account_that_never_changed_it_is_as_old_as_itself(settings, desk, staff):
    settings.STAFF_TOTP = False
    User.objects.filter(pk=staff.pk).update(password_changed_at=None)

    assert desk.get(INDEX).status_code == 302


def test_the_code_comes_before_the_old_password(desk, device, staff, now):
    """Whoever stole an old password must not choose the new one."""
    User.objects.filter(pk=staff.pk).update(password_changed_at=now - 90 * DAY)

    assert desk.get(INDEX, follow=True).redirect_chain[-1][0].startswith(PAGE)
    desk.post(PAGE, {"code": code_at(now)})
    assert desk.get(INDEX, follow=True).redirect_chain[-1][0].startswith(CHANGE)


def test_trainees_keep_their_passwords(client_of, owner, now):
    User.objects.filter(pk=owner.pk).update(password_changed_at=now - 900 * DAY)

    assert client_of(owner).get(reverse("dashboard")).status_code == 200


# --- Staff pages about devices -------------------------------------------------------------
@pytest.fixture
def system_desk(settings, client_of):
    settings.STAFF_TOTP = False
    load_roles()
    person = UserFactory(staff=True, name="系统一")
    person.groups.add(Group.objects.get(name="系统"))
    return client_of(person)


@pytest.fixture
def clerk_device(now):
    at = now - DAY
    clerk = UserFactory(staff=True)
    return enrol_device(person=clerk, secret=SECRET, code=code_at(at), now=at).device


def reset_page(device):
    return reverse("admin:accounts_staffdevice_reset", args=[device.pk])


def test_the_system_role_resets_a_colleagues_device(system_desk, clerk_device):
    page = reverse("admin:accounts_staffdevice_change", args=[clerk_device.pk])
    assert reset_page(clerk_device) in system_desk.get(page).content.decode()

    response = system_desk.post(
        reset_page(clerk_device), {"reason": "手机丢失，已核实"}
    )

    assert response.url == reverse("admin:accounts_staffdevice_changelist")
    assert StaffDevice.objects.count() == 0
    entry = AuditEntry.objects.latest("position")
    assert (entry.action, entry.detail) == (
        "second_factor.reset",
        {"reason": "手机丢失，已核实"},
    )


@pytest.mark.parametrize("reason", ["", "丢了"])
def test_a_reset_wants_a_reason(system_desk, clerk_device, reason):
    response = system_desk.post(reset_page(clerk_device), {"reason": reason})

    assert response.status_code == 200
    assert StaffDevice.objects.count() == 1


def test_a_superusers_device_is_for_superusers(system_desk, device):
    assert (
        system_desk.post(reset_page(device), {"reason": "手机丢失"}).status_code == 403
    )
    assert StaffDevice.objects.count() == 1


def test_not_the_own_one(settings, desk, device):
    settings.STAFF_TOTP = False

    assert desk.post(reset_page(device), {"reason": "手机丢失"}).status_code == 403
    assert StaffDevice.objects.count() == 1


@pytest.mark.parametrize("role", ["业务", "财务", "审核", "审计", "区县督导"])
def test_other_roles_reset_nothing(settings, client_of, clerk_device, role):
    settings.STAFF_TOTP = False
    load_roles()
    person = UserFactory(staff=True)
    person.groups.add(Group.objects.get(name=role))

    response = client_of(person).post(reset_page(clerk_device), {"reason": "手机丢失"})

    assert response.status_code == 403
    assert StaffDevice.objects.count() == 1


def test_no_page_about_devices_shows_the_secret(settings, desk, clerk_device):
    settings.STAFF_TOTP = False
    page = reverse("admin:accounts_staffdevice_change", args=[clerk_device.pk])

    html = desk.get(page).content.decode()

    assert "剩余恢复码" in html
    assert "密钥密文" not in html
