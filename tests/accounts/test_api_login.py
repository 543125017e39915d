"""The app's login: the same rules, counters and words as the page's."""

from datetime import timedelta

import pytest
from captcha.models import CaptchaStore
from django.test import Client

from accounts.models import PersonSession, ThrottleCounter, User
from accounts.services.login import forget_login_failures
from tests.app_client import with_token
from tests.factories.accounts import PASSWORD, UserFactory, make_phone

LOGIN = "/api/v1/login/"
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)
    return time_machine


@pytest.fixture
def app():
    return Client(enforce_csrf_checks=True)


def post(app, account, password=PASSWORD, /, **more):
    body = {"account": account, "password": password, "device": "我的手机"} | more
    return app.post(LOGIN, body, content_type="application/json")


def expect_no_login():
    assert PersonSession.objects.count() == 0


def test_a_login_gives_a_token_that_opens_the_api(app, owner):
    response = post(app, owner.phone)

    assert response.status_code == 201
    assert response["Cache-Control"] == "private, no-store"
    assert app.cookies == {}
    token = response.json()["token"]
    assert response.json() == {
        "token": token,
        "expires_at": "2026-06-29T10:00:00+08:00",
        "idle_seconds": 43200,
        "person": {"code": owner.code, "name": "赵一"},
    }
    assert with_token(token).get("/api/v1/orders/").status_code == 200


@pytest.mark.parametrize("name", ["phone", "username", "id_number"])
def test_every_name_of_the_account_does(app, owner, name):
    assert post(app, getattr(owner, name)).status_code == 201


def test_equal_answers_for_every_failure(app, owner):
    closed = UserFactory(closed=True)
    answers = [
        post(app, owner.phone, "wrong"),
        post(app, make_phone(9999)),
        post(app, closed.phone),
        post(app, UserFactory(pending=True).phone),
    ]

    for answer in answers:
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        problem = answer.json()
        assert (problem["code"], problem["title"]) == (
            "login_refused",
            "用户名或密码错误。",
        )
        assert set(problem) == {"type", "title", "status", "code", "reference"}
    expect_no_login()


def test_staff_are_sent_to_the_pages(app, staff):
    response = post(app, staff.username)

    assert (response.status_code, response.json()["code"]) == (403, "staff_app_login")
    expect_no_login()


def test_a_wrong_password_of_staff_tells_nothing(app, staff):
    assert post(app, staff.username, "wrong").json()["code"] == "login_refused"


def test_a_first_password_leads_to_the_page_of_the_first_login(app, owner, now):
    User.objects.filter(pk=owner.pk).update(
        state=User.State.PENDING, pending_until=now + timedelta(days=30), password=""
    )

    response = post(app, owner.id_number, f"edu@{owner.id_number[-6:]}")

    assert (response.status_code, response.json()["code"]) == (
        403,
        "first_login_required",
    )
    expect_no_login()


def test_page_and_app_count_together(app, client, owner):
    """Three tries on the page, and the app is asked for the captcha."""
    for _ in range(3):
        client.post("/accounts/login/", {"account": owner.phone, "password": "wrong"})

    response = post(app, owner.phone)

    assert response.status_code == 403
    problem = response.json()
    assert problem["code"] == "captcha_required"
    key = problem["captcha"]["key"]
    assert problem["captcha"]["image"] == f"http://testserver/accounts/captcha/{key}/"
    assert app.get(problem["captcha"]["image"])["Content-Type"] == "image/png"
    expect_no_login()


def test_the_answer_of_a_captcha_is_good_once(app, owner):
    for _ in range(3):
        post(app, owner.phone, "wrong")
    key = post(app, owner.phone).json()["captcha"]["key"]
    digits = CaptchaStore.objects.get(hashkey=key).response
    answered = {"captcha_key": key, "captcha_answer": digits}

    wrong = post(app, owner.phone, captcha_key=key, captcha_answer="0000")
    used = post(app, owner.phone, **answered)

    assert wrong.json()["title"] == "图形验证码不正确或已过期，请按新图片填写。"
    assert used.json()["code"] == "captcha_required"
    key = used.json()["captcha"]["key"]
    digits = CaptchaStore.objects.get(hashkey=key).response
    assert (
        post(app, owner.phone, captcha_key=key, captcha_answer=digits).status_code
        == 201
    )


def test_a_try_without_its_captcha_is_not_counted(app, owner):
    for _ in range(3):
        post(app, owner.phone, "wrong")
    counted = sorted(ThrottleCounter.objects.values_list("scope", "count"))

    post(app, owner.phone, "wrong")

    assert sorted(ThrottleCounter.objects.values_list("scope", "count")) == counted


def test_after_five_failures_even_the_right_password_waits(app, owner, monkeypatch):
    monkeypatch.setattr("accounts.api.views.is_login_suspicious", lambda **_: False)
    for _ in range(5):
        post(app, owner.phone, "wrong")

    response = post(app, owner.phone)

    assert (response.status_code, response.json()["code"]) == (429, "login_throttled")
    assert response["Retry-After"] == "900"
    assert "通过“忘记密码”重置密码" in response.json()["title"]
    expect_no_login()

    # As it says: who has proved the phone goes on at once.
    forget_login_failures(person=owner, address="127.0.0.1")
    assert post(app, owner.phone).status_code == 201


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"account": ""}, "account"),
        ({"account": "a\0"}, "account"),
        ({"password": None}, "password"),
        ({"password": "x" * 300}, "password"),
        ({"device": ""}, "device"),
        ({"device": "一" * 41}, "device"),
        ({"device": "我的\u202e手机"}, "device"),
    ],
)
def test_what_no_honest_app_sends(app, owner, changed, field):
    response = post(app, owner.phone, **changed)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert list(response.json()["errors"]) == [field]
    expect_no_login()


@pytest.mark.parametrize("body", ["[" * 100_000, '{"account":' * 100_000])
def test_what_is_nested_too_deep_is_no_json(app, body):
    response = app.post(LOGIN, body, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "parse_error")
    expect_no_login()


def test_only_json_is_read(app, owner):
    response = app.post(LOGIN, {"account": owner.phone, "password": PASSWORD})

    assert response.status_code == 415
    expect_no_login()
