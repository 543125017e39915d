import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import reverse

from accounts.models import Message, User, VerificationCode
from tests.factories.accounts import PASSWORD, UserFactory, make_phone

CHANGE = reverse("accounts:phone-change")
PROFILE = reverse("accounts:profile")
SEND = reverse("accounts:send-code")
NEW = make_phone(8200)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)


@pytest.fixture
def client(client_of, owner):
    return client_of(owner)


@pytest.fixture
def filled(client, read_code):
    assert client.post(SEND, {"purpose": "new_phone", "phone": NEW}).status_code == 200
    return {"password": PASSWORD, "phone": NEW, "code": read_code()}


def assert_kept(person):
    fresh = User.objects.get(pk=person.pk)
    assert fresh.phone_index == person.phone_index


def test_a_change_keeps_this_session_and_ends_the_others(
    client, client_of, owner, filled
):
    elsewhere = client_of(owner)

    assert client.post(CHANGE, filled).url == PROFILE

    owner.refresh_from_db()
    assert owner.phone == NEW
    assert "199****8200" in client.get(PROFILE).content.decode()
    assert elsewhere.get(PROFILE).status_code == 302


def test_the_old_phone_in_place_of_the_password(client, owner, filled, read_code):
    client.post(SEND, {"purpose": "old_phone", "phone": make_phone(1)})
    assert Message.objects.latest("pk").recipient == owner.phone

    form = filled | {"password": "", "old_code": read_code()}
    assert client.post(CHANGE, form).url == PROFILE


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"password": ""}, "password", "请填写登录密码，或原手机号码收到的验证码"),
        ({"password": "wrong"}, "password", "当前密码不正确"),
        ({"password": "", "old_code": "000000"}, "old_code", "验证码错误或已失效"),
        ({"code": "000000"}, "code", "验证码错误或已失效"),
        ({"code": ""}, "code", "请填写短信验证码"),
        ({"phone": "123"}, "phone", "请填写11位手机号码"),
        ({"phone": "own"}, "phone", "与当前手机号码相同"),
    ],
)
def test_one_wrong_field(client, owner, filled, change, field, words):
    form = filled | change
    if form["phone"] == "own":
        form["phone"] = owner.phone

    response = client.post(CHANGE, form)

    errors = response.context["form"].errors
    assert list(errors) == [field]
    assert words in errors[field][0]
    assert_kept(owner)


def test_a_taken_phone(client, owner, filled):
    UserFactory(phone=NEW)

    response = client.post(CHANGE, filled)

    assert list(response.context["form"].errors) == ["phone"]
    assert_kept(owner)


def test_too_many_wrong_passwords(client, owner, filled):
    for _ in range(5):
        client.post(CHANGE, filled | {"password": "wrong"})

    response = client.post(CHANGE, filled)

    assert "密码错误次数过多" in str(response.context["form"].non_field_errors())
    assert_kept(owner)


def test_whoever_gives_the_account_another_phone_ends_its_sessions(client, owner):
    """Staff too: nothing but the phone on the row has to change."""
    assert client.get(PROFILE).status_code == 200
    owner.store_phone(NEW)
    owner.save()

    assert client.get(PROFILE).status_code == 302
    assert SESSION_KEY not in client.session


def test_only_for_who_is_logged_in(db):
    assert Client().get(CHANGE).status_code == 302
    for purpose in ("old_phone", "new_phone", "close"):
        sent = Client().post(SEND, {"purpose": purpose, "phone": NEW})
        assert sent.status_code == 404
    assert VerificationCode.objects.count() == 0


def test_the_full_number_is_not_on_the_page(client, owner):
    html = client.get(CHANGE).content.decode()

    assert owner.masked_phone in html
    assert owner.phone not in html
