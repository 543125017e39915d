from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.factories.accounts import PASSWORD, UserFactory, make_phone

LOGIN = reverse("accounts:login")
LOGOUT = reverse("accounts:logout")
RESET = reverse("accounts:password-reset")
CHANGE = reverse("accounts:password-change")
SEND = reverse("accounts:send-code")
SPACE = reverse("dashboard")
NEW = "nanshan-huaihai-1901"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)
    return time_machine


def post(client, account, password=PASSWORD, **more):
    return client.post(LOGIN, {"account": account, "password": password, **more})


def assert_nobody(client):
    assert SESSION_KEY not in client.session


def test_login_and_logout(client, owner):
    response = post(client, owner.phone)
    assert (response.status_code, response.url) == (302, SPACE)
    assert client.session[SESSION_KEY] == str(owner.pk)

    assert client.post(LOGOUT).url == reverse("home")
    assert_nobody(client)


def test_a_new_session_key_at_login(client, owner):
    client.get(SPACE)
    session = client.session
    session["kept"] = "yes"
    session.save()
    before = session.session_key

    post(client, owner.phone)

    assert client.session.session_key != before


def test_equal_answers_for_every_failure(client, owner):
    accounts = [
        owner.phone,
        make_phone(9999),
        "nobody_here",
        UserFactory(pending=True).phone,
        UserFactory(closed=True).phone,
    ]
    pages = set()
    for account in accounts:
        response = post(client, account, "not-the-password")
        assert response.status_code == 200
        pages.add(str(response.context["form"].non_field_errors()))
    assert len(pages) == 1
    assert "用户名或密码错误。" in pages.pop()
    assert_nobody(client)


@pytest.mark.parametrize("state", ["pending", "closed"])
def test_no_session_for_pending_and_closed_accounts(client, state):
    person = UserFactory(**{state: True})

    assert post(client, person.phone).status_code == 200

    assert_nobody(client)


def test_a_session_ends_when_its_account_is_closed(client_of, owner):
    client = client_of(owner)
    assert client.get(reverse("accounts:profile")).status_code == 200

    User.objects.filter(pk=owner.pk).update(state=User.State.CLOSED)

    assert client.get(reverse("accounts:profile")).status_code == 302


def test_too_many_failures(client, owner, clock, now, answer_captcha):
    fields = {}
    for number in range(5):
        response = post(client, owner.phone, "not-the-password", **fields)
        fields = answer_captcha(response) if number >= 2 else {}

    response = post(client, owner.phone, **fields)
    assert response.status_code == 429
    assert "请15分钟后再试，或使用短信验证码登录" in response.content.decode()
    assert_nobody(client)

    clock.move_to(now + timedelta(minutes=15), tick=False)
    assert post(client, owner.phone).status_code == 302


def test_the_admins_login_is_throttled_as_well(client, staff, clock, now):
    url = reverse("admin:login")
    for _ in range(5):
        client.post(url, {"username": staff.username, "password": "wrong"})

    client.post(url, {"username": staff.username, "password": PASSWORD})
    assert_nobody(client)

    clock.move_to(now + timedelta(minutes=15), tick=False)
    client.post(url, {"username": staff.username, "password": PASSWORD})
    assert client.session[SESSION_KEY] == str(staff.pk)


def test_missing_fields_have_words(client):
    errors = client.post(LOGIN, {}).context["form"].errors

    assert errors == {
        "account": ["请填写手机号码、用户名或证件号码。"],
        "password": ["请填写密码。"],
    }


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/accounts/profile/", "/accounts/profile/"),
        ("/plans/?subject=general", "/plans/?subject=general"),
        ("https://evil.example/", SPACE),
        ("//evil.example/", SPACE),
        ("javascript:alert(1)", SPACE),
        ("", SPACE),
    ],
)
def test_only_pages_of_this_site_follow(client, owner, target, leads_to):
    assert post(client, owner.phone, next=target).url == leads_to


def test_who_is_logged_in_goes_on(client_of, owner):
    assert client_of(owner).get(LOGIN).url == SPACE


def test_the_page_is_not_kept_by_anybody(client):
    assert "no-store" in client.get(LOGIN).headers["Cache-Control"]


def test_logout_is_no_link(client_of, owner):
    client = client_of(owner)

    assert client.get(LOGOUT).status_code == 405
    assert SESSION_KEY in client.session


# --- By a code -----------------------------------------------------------------------------
def test_login_by_a_code(client, owner, read_code):
    client.post(SEND, {"purpose": "login", "phone": owner.phone})

    response = client.post(
        LOGIN, {"way": "code", "phone": owner.phone, "code": read_code()}
    )

    assert response.status_code == 302
    assert client.session[SESSION_KEY] == str(owner.pk)


@pytest.mark.parametrize("spelling", ["full-width", " {} ", "{:.3} {:.6}"])
def test_a_code_as_it_is_typed_or_copied(client, owner, read_code, spelling):
    client.post(SEND, {"purpose": "login", "phone": owner.phone})
    code = read_code()
    typed = spelling.format(code, code[3:])
    if spelling == "full-width":
        typed = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    form = {"way": "code", "phone": owner.phone, "code": typed}

    assert client.post(LOGIN, form).status_code == 302


def test_a_wrong_code_and_an_unknown_phone_look_alike(client, owner):
    client.post(SEND, {"purpose": "login", "phone": owner.phone})
    client.post(SEND, {"purpose": "login", "phone": make_phone(9999)})

    answers = {
        str(
            client.post(LOGIN, {"way": "code", "phone": phone, "code": "000000"})
            .context["form"]
            .non_field_errors()
        )
        for phone in (owner.phone, make_phone(9999))
    }

    assert len(answers) == 1
    assert "验证码错误或已失效" in answers.pop()
    assert_nobody(client)


# --- 忘记密码, 修改密码 ----------------------------------------------------------------------
def test_a_forgotten_password(client, owner, read_code, run_tasks):
    client.post(SEND, {"purpose": "reset", "phone": owner.phone})
    form = {
        "phone": owner.phone,
        "code": read_code(),
        "password": NEW,
        "password_again": NEW,
    }

    with run_tasks():
        assert client.post(RESET, form).url == LOGIN

    assert post(client, owner.phone).status_code == 200
    assert post(client, owner.phone, NEW).status_code == 302


def test_a_reset_ends_every_session(client, client_of, owner, read_code):
    elsewhere = client_of(owner)
    client.post(SEND, {"purpose": "reset", "phone": owner.phone})
    form = {"phone": owner.phone, "password": NEW, "password_again": NEW}

    client.post(RESET, form | {"code": read_code()})

    assert elsewhere.get(CHANGE).status_code == 302


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "000000"}, "code"),
        ({"password_again": "other"}, "password_again"),
        ({"password": "short", "password_again": "short"}, "password"),
        ({"phone": "1"}, "phone"),
    ],
)
def test_what_a_reset_refuses(client, owner, read_code, change, field):
    client.post(SEND, {"purpose": "reset", "phone": owner.phone})
    form = {"phone": owner.phone, "password": NEW, "password_again": NEW}

    response = client.post(RESET, form | {"code": read_code()} | change)

    assert list(response.context["form"].errors) == [field]
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def test_a_reset_of_a_phone_without_account(client, read_code):
    client.post(SEND, {"purpose": "reset", "phone": make_phone(9999)})
    form = {"phone": make_phone(9999), "password": NEW, "password_again": NEW}

    response = client.post(RESET, form | {"code": read_code()})

    assert list(response.context["form"].errors) == ["code"]


def test_a_change_keeps_this_session_and_ends_the_others(client_of, owner):
    here, elsewhere = client_of(owner), client_of(owner)
    form = {"present": PASSWORD, "password": NEW, "password_again": NEW}

    assert here.post(CHANGE, form).url == CHANGE

    assert here.get(CHANGE).status_code == 200
    assert elsewhere.get(CHANGE).status_code == 302


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"present": "wrong"}, "present"),
        ({"present": ""}, "present"),
        ({"password_again": "other"}, "password_again"),
        ({"password": "12345678", "password_again": "12345678"}, "password"),
    ],
)
def test_what_a_change_refuses(client_of, owner, change, field):
    form = {"present": PASSWORD, "password": NEW, "password_again": NEW}

    response = client_of(owner).post(CHANGE, form | change)

    assert list(response.context["form"].errors) == [field]
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


@pytest.mark.parametrize(
    "name", ["accounts:password-change", "accounts:close", "own-data"]
)
def test_who_has_no_password_finds_the_way_to_one(client_of, owner, read_code, name):
    """Staff who replace a lost phone drop the password; its owner logs in by a code."""
    owner.set_unusable_password()
    owner.save()
    client = client_of(owner)
    assert f'href="{RESET}"' in client.get(reverse(name)).content.decode()

    client.post(SEND, {"purpose": "reset", "phone": owner.phone})
    form = {"phone": owner.phone, "code": read_code()}
    done = client.post(RESET, form | {"password": NEW, "password_again": NEW})

    assert done.url == LOGIN
    owner.refresh_from_db()
    assert owner.check_password(NEW)


def test_a_change_is_no_place_to_guess(client_of, owner):
    client = client_of(owner)
    form = {"present": PASSWORD, "password": NEW, "password_again": NEW}
    for _ in range(5):
        client.post(CHANGE, form | {"present": "wrong"})

    response = client.post(CHANGE, form)

    assert "密码错误次数过多" in str(response.context["form"].non_field_errors())
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def test_own_data_is_no_new_password(client_of, owner):
    secret = f"edu@{owner.id_number[-6:]}"
    form = {"present": PASSWORD, "password": secret, "password_again": secret}

    response = client_of(owner).post(CHANGE, form)

    assert "密码不能包含" in str(response.context["form"].errors["password"])


def test_pages_want_the_csrf_token(owner):
    client = Client(enforce_csrf_checks=True)

    assert post(client, owner.phone).status_code == 403
    assert client.post(RESET, {}).status_code == 403
