"""The captcha in the pages: asked for after suspicious tries only, and never to be left out."""

from datetime import timedelta
from io import BytesIO

import pytest
from captcha.models import CaptchaStore
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.urls import reverse
from PIL import Image

from accounts.models import Message, VerificationCode
from accounts.services.captchas import make_challenge
from accounts.services.codes import send_code
from tests.factories.accounts import PASSWORD, make_phone

LOGIN = reverse("accounts:login")
ACTIVATE = reverse("accounts:activate")
RESET = reverse("accounts:password-reset")
REGISTER = reverse("accounts:register")
SEND = reverse("accounts:send-code")
RENEW = reverse("accounts:captcha-renew")
HERE = "127.0.0.1"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)
    return time_machine


def post(client, account, password="wrong", **more):
    return client.post(LOGIN, {"account": account, "password": password, **more})


def asks(response):
    return 'name="captcha_key"' in response.content.decode()


@pytest.fixture
def suspected(client, owner):
    """Three wrong passwords; the page that answers the last of them."""
    for _ in range(3):
        response = post(client, owner.phone)
    return response


@pytest.fixture
def busy_address(now):
    """Eight codes were sent for this address within the hour."""
    for number in range(8):
        send_code(
            phone=make_phone(6000 + number),
            purpose=VerificationCode.Purpose.LOGIN,
            browser="b",
            address=HERE,
            now=now - timedelta(minutes=10),
        )


# --- Login ---------------------------------------------------------------------------------
def test_nobody_is_asked_at_first(client, owner):
    assert not asks(client.get(LOGIN))
    assert not asks(post(client, owner.phone))
    assert CaptchaStore.objects.count() == 0
    assert post(client, owner.phone, PASSWORD).status_code == 302


def test_the_right_password_alone_does_not_do(client, owner, suspected):
    assert asks(suspected)

    response = post(client, owner.phone, PASSWORD)

    assert response.status_code == 200
    errors = response.context["form"].errors
    assert errors == {"captcha_answer": ["操作较频繁，请先填写图形验证码。"]}
    assert SESSION_KEY not in client.session


def test_with_the_answer_it_does(client, owner, suspected, answer_captcha):
    response = post(client, owner.phone, PASSWORD, **answer_captcha(suspected))

    assert response.status_code == 302
    assert client.session[SESSION_KEY] == str(owner.pk)


@pytest.mark.parametrize(
    "fields",
    [
        {"captcha_answer": "2345"},
        {"captcha_key": "x" * 40, "captcha_answer": "2345"},
        {"captcha_key": "", "captcha_answer": ""},
    ],
)
def test_made_up_fields(client, owner, suspected, fields):
    assert post(client, owner.phone, PASSWORD, **fields).status_code == 200
    assert SESSION_KEY not in client.session


def test_an_answer_is_good_once(client, owner, suspected, answer_captcha):
    fields = answer_captcha(suspected)
    post(client, owner.phone, **fields)

    response = post(client, owner.phone, PASSWORD, **fields)

    assert response.status_code == 200
    assert "不正确或已过期" in str(response.context["form"].errors["captcha_answer"])
    assert SESSION_KEY not in client.session


def test_every_page_has_a_fresh_picture_and_an_empty_field(
    client, owner, suspected, answer_captcha
):
    old = answer_captcha(suspected)

    response = post(
        client, owner.phone, captcha_key=old["captcha_key"], captcha_answer="99"
    )

    html = response.content.decode()
    assert answer_captcha(response)["captcha_key"] != old["captcha_key"]
    assert 'value="99"' not in html
    assert old["captcha_key"] not in html


def test_a_refused_captcha_counts_as_no_try(client, owner, suspected, answer_captcha):
    for _ in range(20):
        response = post(client, owner.phone)

    fields = answer_captcha(response)
    assert post(client, owner.phone, PASSWORD, **fields).status_code == 302


def test_another_account_is_not_asked(client, stranger, suspected):
    assert post(client, stranger.phone, PASSWORD).status_code == 302


def test_the_suspicion_ends(client, owner, suspected, clock, now):
    clock.move_to(now + timedelta(minutes=15), tick=False)

    assert post(client, owner.phone, PASSWORD).status_code == 302


def test_first_logins_are_asked_too(client, pending, answer_captcha):
    person = pending()
    form = {"id_number": person.id_number, "password": "edu@000000"}
    for _ in range(3):
        response = client.post(ACTIVATE, form)
    right = form | {"password": f"edu@{person.id_number[-6:]}"}
    fields = answer_captcha(response)

    assert "captcha_answer" in client.post(ACTIVATE, right).context["form"].errors

    response = client.post(ACTIVATE, right | fields)
    assert response.url == reverse("accounts:activate-details")


# --- Codes by SMS --------------------------------------------------------------------------
def test_a_code_wants_the_answer_first(client, busy_address, answer_captcha):
    before = VerificationCode.objects.count(), Message.objects.count()
    form = {"purpose": "register", "phone": make_phone(7000)}

    response = client.post(SEND, form)

    assert response.status_code == 422
    html = response.content.decode()
    assert "请填写图形验证码后再获取短信验证码。" in html
    assert 'id="captcha" hx-swap-oob="true"' in html
    assert (VerificationCode.objects.count(), Message.objects.count()) == before

    response = client.post(SEND, form | answer_captcha(response))
    assert response.status_code == 200
    assert "图形验证码已通过" in response.content.decode()
    assert VerificationCode.objects.count() == before[0] + 1


def test_one_answer_is_one_code(client, busy_address, answer_captcha, clock, now):
    form = {"purpose": "register", "phone": make_phone(7000)}
    fields = answer_captcha(client.post(SEND, form))
    assert client.post(SEND, form | fields).status_code == 200
    clock.move_to(now + timedelta(minutes=2), tick=False)

    assert client.post(SEND, form | fields).status_code == 422
    assert client.post(SEND, form).status_code == 422


def test_too_soon_gives_a_fresh_picture(client, busy_address, answer_captcha):
    form = {"purpose": "register", "phone": make_phone(7000)}
    fields = answer_captcha(client.post(SEND, form))
    client.post(SEND, form | fields)
    fields = answer_captcha(client.post(SEND, form))

    response = client.post(SEND, form | fields)

    assert response.status_code == 429
    assert answer_captcha(response)["captcha_key"] != fields["captcha_key"]


def test_the_pages_ask_a_busy_address_from_the_start(client, busy_address, regions):
    for url in (f"{LOGIN}?way=code", RESET, REGISTER):
        assert asks(client.get(url))
    assert not asks(client.get(LOGIN))


def test_every_form_with_a_code_has_a_place_for_the_picture():
    """The answer to 获取验证码 brings the picture; without its place nobody gets a code."""
    pages = [
        (path, text)
        for path in (settings.BASE_DIR / "templates").rglob("*.html")
        if 'include "accounts/_code_field.html"' in (text := path.read_text())
    ]

    assert len(pages) == 9
    for path, text in pages:
        assert 'include "components/_captcha.html"' in text, path


@pytest.mark.parametrize("name", ["phone-lost", "phone-lost-state"])
def test_the_pages_of_a_lost_phone_have_it(client, name):
    html = client.get(reverse(f"accounts:{name}")).content.decode()

    assert '<div class="captcha" id="captcha">' in html


def test_the_answer_for_the_code_covers_the_form(
    client, owner, busy_address, answer_captcha, read_code
):
    form = {"purpose": "login", "phone": owner.phone}
    client.post(SEND, form | answer_captcha(client.post(SEND, form)))
    entered = {"way": "code", "phone": owner.phone, "code": "000000"}

    response = client.post(LOGIN, entered)
    assert list(response.context["form"].errors) == ["__all__"]

    # Used up: the next try needs an answer of its own.
    response = client.post(LOGIN, entered | {"code": read_code()})
    assert list(response.context["form"].errors) == ["captcha_answer"]
    response = client.post(
        LOGIN, entered | {"code": read_code()} | answer_captcha(response)
    )
    assert response.status_code == 302


@pytest.mark.parametrize("url", [RESET, REGISTER])
def test_a_form_without_answer_gets_no_further(client, busy_address, regions, url):
    form = {
        "phone": make_phone(7000),
        "code": "123456",
        "name": "欧阳春梅",
        "id_number": "11010519491231002X",
        "password": "nanshan-1901",
        "password_again": "nanshan-1901",
        "region": "500103",
        "unit_name": "示例学校",
        "agree_privacy": "on",
        "agree_sensitive": "on",
    }

    response = client.post(url, form)

    assert list(response.context["form"].errors) == ["captcha_answer"]


# --- The picture ---------------------------------------------------------------------------
def test_the_picture(client, now):
    key = make_challenge(now=now)

    response = client.get(reverse("accounts:captcha-image", args=[key]))

    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert "no-store" in response["Cache-Control"]
    assert Image.open(BytesIO(response.content)).size == (150, 56)
    again = client.get(reverse("accounts:captcha-image", args=[key]))
    assert again.content == response.content


def test_no_picture_of_an_answered_or_unknown_one(client, now):
    for key in ("nothing", "0" * 40):
        response = client.get(reverse("accounts:captcha-image", args=[key]))
        assert response.status_code == 410


def test_another_picture(client, answer_captcha):
    response = client.post(RENEW)

    assert response.status_code == 200
    assert len(answer_captcha(response)["captcha_answer"]) == 4
    assert client.get(RENEW).status_code == 405


def test_there_is_no_sound(client, now):
    assert (
        client.get(f"/captcha/audio/{make_challenge(now=now)}.wav").status_code == 404
    )
