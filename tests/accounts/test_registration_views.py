import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts.models import Consent, User
from accounts.services.drafts import DRAFT_LIFETIME
from tests.factories.accounts import (
    UserFactory,
    make_id_number,
    make_phone,
)

REGISTER = reverse("accounts:register")
CONFIRM = reverse("accounts:register-confirm")
DONE = reverse("accounts:register-done")
SEND = reverse("accounts:send-code")
PHONE = make_phone(7000)
NUMBER = make_id_number(7000)
PASSWORD = "hongyadong-1900"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)
    return time_machine


@pytest.fixture
def filled(client, regions, read_code):
    """A complete form whose code has been sent to this client."""
    response = client.post(SEND, {"purpose": "register", "phone": PHONE})
    assert response.status_code == 200
    return {
        "name": "欧阳春梅",
        "id_number": NUMBER,
        "phone": PHONE,
        "code": read_code(),
        "password": PASSWORD,
        "password_again": PASSWORD,
        "region": "500103",
        "unit_name": "重庆市渝中区示例学校",
        "agree_privacy": "on",
        "agree_sensitive": "on",
    }


def errors_of(response):
    assert response.status_code == 200
    assert User.objects.filter(name="欧阳春梅").count() == 0
    return {
        name: list(found) for name, found in response.context["form"].errors.items()
    }


def test_the_page_opens_without_a_session(client, regions):
    response = client.get(REGISTER)

    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    assert Session.objects.count() == 0
    assert "注册信息将作为合格证书的重要数据" in response.content.decode()


def test_the_regions_of_today_in_groups(client, regions):
    html = client.get(REGISTER).content.decode()

    assert re.findall(r'<optgroup label="([^"]+)"', html) == [
        "区县",
        "开发区",
        "市级部门与大型企业",
    ]
    assert "两江新区" in html
    assert "渝北区" not in html
    assert "若查找不到贵单位，请选择您档案所在区县" in html


def test_from_form_to_account(client, filled):
    response = client.post(REGISTER, filled)
    assert (response.status_code, response.url) == (302, CONFIRM)

    html = client.get(CONFIRM).content.decode()
    for shown in ("欧阳春梅", NUMBER, "渝中区", "重庆市渝中区示例学校", PHONE):
        assert shown in html
    assert User.objects.count() == 0

    response = client.post(CONFIRM)
    assert (response.status_code, response.url) == (302, DONE)
    user = User.objects.get()
    assert user.check_password(PASSWORD)
    assert Consent.objects.filter(person=user).count() == 2
    assert "注册成功" in client.get(DONE).content.decode()
    assert client.get(reverse("accounts:profile")).status_code == 200


def test_nothing_of_it_stands_in_an_address_or_a_session_in_clear(client, filled):
    response = client.post(REGISTER, filled)

    assert "?" not in response.url
    [session] = Session.objects.all()
    kept = str(session.get_decoded())
    for secret in (PHONE, NUMBER, "欧阳", PASSWORD, "示例学校"):
        assert secret not in kept
        assert secret.encode("unicode_escape").decode() not in kept


def test_the_draft_is_gone_after_the_registration(client, filled):
    client.post(REGISTER, filled)
    client.post(CONFIRM)

    [session] = Session.objects.all()
    assert "accounts_registration" not in session.get_decoded()


def test_a_new_session_key_at_login(client, filled):
    client.post(REGISTER, filled)
    before = client.session.session_key

    client.post(CONFIRM)

    assert client.session.session_key != before


# --- Errors beside their fields ------------------------------------------------------------
def test_every_field_says_what_is_missing(client, regions):
    assert errors_of(client.post(REGISTER, {})) == {
        "name": ["请填写姓名。"],
        "id_number": ["请填写证件号码。"],
        "phone": ["请填写手机号码。"],
        "code": ["请填写短信验证码。"],
        "password": ["请填写登录密码。"],
        "password_again": ["请填写确认密码。"],
        "region": ["请选择区县。"],
        "unit_name": ["请填写工作单位全称。"],
        "agree_privacy": ["请阅读并同意隐私政策。"],
        "agree_sensitive": ["请阅读并单独同意处理您的敏感个人信息。"],
    }


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"name": "欧 阳"}, "name", "请填写与证件一致的姓名"),
        ({"id_number": NUMBER[:-1] + "0"}, "id_number", "校验不通过"),
        ({"id_number": "110105491231002"}, "id_number", "15位旧号码不再受理"),
        ({"phone": "12800138000"}, "phone", "请填写11位手机号码"),
        ({"code": "000000"}, "code", "验证码错误或已失效"),
        ({"password_again": "other"}, "password_again", "两次输入的密码不一致"),
        (
            {"password": "short", "password_again": "short"},
            "password",
            "至少需要8个字符",
        ),
        ({"password": PHONE, "password_again": PHONE}, "password", "密码不能包含"),
        ({"region": "500112"}, "region", "该区县已调整"),
        ({"unit_name": "校"}, "unit_name", "2"),
        ({"agree_privacy": ""}, "agree_privacy", "请阅读并同意"),
        ({"agree_sensitive": ""}, "agree_sensitive", "单独同意"),
    ],
)
def test_one_wrong_field(client, filled, change, field, words):
    errors = errors_of(client.post(REGISTER, filled | change))

    assert list(errors) == [field]
    assert words in errors[field][0]
    assert client.get(CONFIRM).url == REGISTER


def test_the_code_is_not_used_up_by_other_mistakes(client, filled):
    client.post(REGISTER, filled | {"name": ""})

    assert client.post(REGISTER, filled).url == CONFIRM


def test_a_code_of_another_browser_is_refused(filled):

    errors = errors_of(Client().post(REGISTER, filled))
    assert list(errors) == ["code"]


def test_spellings_are_normalised(client, filled):
    spelled = filled | {
        "id_number": f" {NUMBER.lower()} ",
        "phone": f"+86 {PHONE[:3]}-{PHONE[3:]}",
        "name": " 欧阳春梅 ",
    }

    client.post(REGISTER, spelled)

    application = client.get(CONFIRM).context["application"]
    assert (application.id_number, application.phone) == (NUMBER, PHONE)
    assert application.name == "欧阳春梅"


# --- Going back ----------------------------------------------------------------------------
def test_going_back_keeps_what_was_entered_but_no_password(client, filled):
    client.post(REGISTER, filled)

    html = client.get(REGISTER).content.decode()

    assert "欧阳春梅" in html
    assert NUMBER in html
    assert PASSWORD not in html
    assert "手机号码已验证" in html
    assert "密码已填写" in html


def test_a_correction_needs_neither_code_nor_password_again(client, filled):
    client.post(REGISTER, filled)
    again = filled | {
        "name": "欧阳春兰",
        "code": "",
        "password": "",
        "password_again": "",
    }

    assert client.post(REGISTER, again).url == CONFIRM
    client.post(CONFIRM)

    user = User.objects.get()
    assert user.name == "欧阳春兰"
    assert user.check_password(PASSWORD)


def test_another_phone_needs_another_code(client, filled):
    client.post(REGISTER, filled)

    again = filled | {"phone": make_phone(7001), "code": ""}

    assert errors_of(client.post(REGISTER, again)) == {"code": ["请填写短信验证码。"]}


def test_a_draft_ends_after_half_an_hour(client, filled, clock, now):
    client.post(REGISTER, filled)
    clock.move_to(now + DRAFT_LIFETIME, tick=False)

    assert client.post(CONFIRM).url == REGISTER
    assert User.objects.count() == 0


# --- Who is here already -------------------------------------------------------------------
def test_a_taken_id_number_is_said_beside_its_field(client, filled):
    UserFactory(id_number=NUMBER)

    errors = errors_of(client.post(REGISTER, filled))

    assert list(errors) == ["id_number"]
    assert "该证件号码已注册账号，请直接登录" in errors["id_number"][0]


def test_it_is_said_to_nobody_who_has_not_proved_a_phone(client, filled):
    UserFactory(id_number=NUMBER)

    assert list(errors_of(client.post(REGISTER, filled | {"code": "000000"}))) == [
        "code"
    ]


def test_one_proved_phone_does_not_go_through_a_list(client, filled, answer_captcha):
    UserFactory(id_number=make_id_number(7011))
    answers, captchas = [], {}
    for number in range(7001, 7011):
        form = filled | {"id_number": make_id_number(number)}
        response = client.post(REGISTER, form | captchas)
        if response.status_code == 200:
            captchas = answer_captcha(response)
            response = client.post(REGISTER, form | captchas)
        answers.append(response.status_code)
    assert answers == [302] * 10

    for number in (7011, 7012):
        form = filled | {"id_number": make_id_number(number)}
        form |= answer_captcha(client.post(REGISTER, form))
        errors = errors_of(client.post(REGISTER, form))
        assert errors == {
            "__all__": ["该手机号码今日提交次数过多，请明天再试，或联系在线客服。"]
        }


def test_a_phone_that_registered_meanwhile(client, filled):
    UserFactory(phone=PHONE)

    assert list(errors_of(client.post(REGISTER, filled))) == ["phone"]


def test_somebody_registered_between_the_pages(client, filled):
    client.post(REGISTER, filled)
    UserFactory(id_number=NUMBER)

    response = client.post(CONFIRM, follow=True)

    assert response.redirect_chain == [(REGISTER, 302)]
    assert "该证件号码已注册账号" in response.content.decode()
    assert User.objects.count() == 1


def test_who_is_logged_in_does_not_register(client_of, owner):
    client = client_of(owner)

    assert client.get(REGISTER).url == reverse("dashboard")
    assert client.get(CONFIRM).url == DONE
    assert client.post(CONFIRM).url == DONE


def test_the_last_page_is_for_who_is_logged_in(client):
    assert client.get(DONE).url == f"{reverse('accounts:login')}?next={DONE}"
