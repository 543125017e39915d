from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Consent, Message, Profile, User, VerificationCode
from tests.factories.accounts import PASSWORD, UserFactory, make_id_number

LOGIN = reverse("accounts:login")
ACTIVATE = reverse("accounts:activate")
DETAILS = reverse("accounts:activate-details")
SEND = reverse("accounts:send-code")
RESET = reverse("accounts:password-reset")
SPACE = reverse("dashboard")
NEW = "nanshan-huaihai-1901"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)
    return time_machine


@pytest.fixture
def person(pending, regions, now):
    person = pending(name="孙小圣")
    Profile.objects.create(
        person=person,
        region=regions["500103"],
        unit_name="重庆市渝中区示例学校",
        updated_at=now,
    )
    return person


def first_of(person):
    return f"edu@{person.id_number[-6:]}"


def begin(client, person, password=None):
    password = first_of(person) if password is None else password
    return client.post(ACTIVATE, {"id_number": person.id_number, "password": password})


def filled(code):
    return {
        "is_right": "on",
        "code": code,
        "password": NEW,
        "password_again": NEW,
        "agree_privacy": "on",
        "agree_sensitive": "on",
    }


@pytest.fixture
def page(client, person, read_code):
    """The second page, open, with its code sent: what to post."""
    assert begin(client, person).url == DETAILS
    assert client.post(SEND, {"purpose": "activate"}).status_code == 200
    return filled(read_code())


def assert_still_pending(client, person):
    assert SESSION_KEY not in client.session
    person.refresh_from_db()
    assert person.state == User.State.PENDING
    assert not person.has_usable_password()
    assert Consent.objects.count() == 0


def test_from_the_first_password_into_the_space(client, person, page):
    before = client.session.session_key

    response = client.post(DETAILS, page)

    assert (response.status_code, response.url) == (302, SPACE)
    assert client.session[SESSION_KEY] == str(person.pk)
    assert client.session.session_key != before
    assert "accounts_activation" not in client.session
    person.refresh_from_db()
    assert person.state == User.State.ACTIVE
    assert person.check_password(NEW)
    assert Consent.objects.filter(person=person).count() == 2
    assert client.get(SPACE).status_code == 200


def test_the_page_shows_what_prints_and_masks_the_numbers(client, person):
    begin(client, person)

    html = client.get(DETAILS).content.decode()

    for shown in ("孙小圣", person.masked_id_number, "重庆市渝中区示例学校", "渝中区"):
        assert shown in html
    assert person.masked_phone in html
    assert person.phone not in html
    assert person.id_number not in html


def test_the_usual_login_leads_there(client, person):
    target = reverse("plan-list")
    form = {"account": person.id_number, "password": first_of(person), "next": target}

    assert client.post(LOGIN, form).url == DETAILS

    assert_still_pending(client, person)
    client.post(SEND, {"purpose": "activate"})


def test_who_wanted_to_go_somewhere_gets_there(client, person, read_code):
    target = reverse("plan-list")
    form = {"account": person.id_number, "password": first_of(person), "next": target}
    client.post(LOGIN, form)
    client.post(SEND, {"purpose": "activate"})

    assert client.post(DETAILS, filled(read_code())).url == target


def test_the_usual_login_with_a_wrong_first_password(client, person):
    form = {"account": person.id_number, "password": "edu@000000"}

    response = client.post(LOGIN, form)

    assert response.status_code == 200
    assert "用户名或密码错误。" in response.content.decode()
    assert client.get(DETAILS).url == ACTIVATE


def test_it_opens_nothing_else(client, person):
    begin(client, person)

    assert_still_pending(client, person)
    for name in ("dashboard", "accounts:profile", "accounts:phone-change"):
        assert LOGIN in client.get(reverse(name)).url


def test_the_code_goes_to_the_phone_on_file_whatever_is_posted(client, person):
    begin(client, person)

    client.post(SEND, {"purpose": "activate", "phone": "19900009999"})

    assert Message.objects.get().recipient == person.phone


def test_no_code_without_the_first_password(client, person):
    response = client.post(SEND, {"purpose": "activate", "phone": person.phone})

    assert response.status_code == 422
    assert "页面已过期" in response.content.decode()
    assert VerificationCode.objects.count() == 0


def test_the_session_holds_nothing_in_clear(client, person, page):
    [session] = Session.objects.all()
    kept = str(session.get_decoded())

    for secret in (person.code, person.phone, person.id_number, SPACE):
        assert secret not in kept


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "000000"}, "code"),
        ({"code": ""}, "code"),
        ({"password_again": "other"}, "password_again"),
        ({"password": "short", "password_again": "short"}, "password"),
        ({"password": "", "password_again": ""}, "password"),
        ({"is_right": ""}, "is_right"),
        ({"agree_privacy": ""}, "agree_privacy"),
        ({"agree_sensitive": ""}, "agree_sensitive"),
    ],
)
def test_what_the_second_page_refuses(client, person, page, change, field):
    response = client.post(DETAILS, page | change)

    assert response.status_code == 200
    assert field in response.context["form"].errors
    assert_still_pending(client, person)


def test_the_first_password_is_no_own_password(client, person, page):
    weak = {"password": first_of(person), "password_again": first_of(person)}

    response = client.post(DETAILS, page | weak)

    assert "密码不能包含" in str(response.context["form"].errors["password"])
    assert_still_pending(client, person)


def test_a_quarter_of_an_hour(client, person, page, clock, now):
    clock.move_to(now + timedelta(minutes=15), tick=False)

    assert client.get(DETAILS).url == ACTIVATE
    assert client.post(DETAILS, page).url == ACTIVATE
    assert_still_pending(client, person)


def test_the_page_belongs_to_one_browser(person, page):
    other = Client()

    assert other.post(DETAILS, page).url == ACTIVATE
    assert_still_pending(other, person)


def test_an_account_that_was_activated_meanwhile(client, person, page):
    User.objects.filter(pk=person.pk).update(state=User.State.ACTIVE)

    assert client.post(DETAILS, page).url == ACTIVATE

    assert SESSION_KEY not in client.session
    assert Consent.objects.count() == 0


def test_the_words_of_the_first_page(client):
    errors = client.post(ACTIVATE, {}).context["form"].errors
    assert errors == {
        "id_number": ["请填写身份证号码。"],
        "password": ["请填写初始密码。"],
    }

    form = {"id_number": "110105491231002", "password": "x"}
    errors = client.post(ACTIVATE, form).context["form"].errors
    assert errors == {"id_number": ["15位旧号码不再受理，请填写18位证件号码。"]}


def test_ways_out_and_in(client):
    html = client.get(ACTIVATE).content.decode()

    assert "联系单位经办人" in html
    assert reverse("support:conversation") in html
    for page in (LOGIN, reverse("content:help")):
        assert ACTIVATE in client.get(page).content.decode()


def test_who_is_logged_in_goes_on(client_of, owner):
    assert client_of(owner).get(ACTIVATE).url == SPACE
    assert client_of(owner).get(DETAILS).url == SPACE


def test_a_phone_is_missing(client, pending):
    person = pending(phone="")
    begin(client, person)

    assert "没有登记手机号码" in client.get(DETAILS).content.decode()
    assert client.post(SEND, {"purpose": "activate"}).status_code == 422


# --- Equal answers -------------------------------------------------------------------------
def failing(pending, owner, now):
    known, expired = pending(), pending(pending_until=now)
    closed, other_closed = UserFactory(closed=True), UserFactory(closed=True)
    unknown = make_id_number(9999)
    return [
        (unknown, f"edu@{unknown[-6:]}"),
        (known.id_number, "edu@000000"),
        (expired.id_number, first_of(expired)),
        (closed.id_number, PASSWORD),
        (other_closed.id_number, first_of(other_closed)),
        (UserFactory().id_number, "not-the-password"),
        (owner.id_number, first_of(owner)),
    ]


@pytest.mark.parametrize(
    ("url", "field"), [(ACTIVATE, "id_number"), (LOGIN, "account")]
)
def test_every_failure_looks_and_costs_alike(pending, owner, now, url, field):
    answers, costs = set(), set()
    for place, (number, password) in enumerate(failing(pending, owner, now)):
        client = Client(REMOTE_ADDR=f"198.51.100.{place}")
        with CaptureQueriesContext(connection) as queries:
            response = client.post(url, {field: number, "password": password})
        assert SESSION_KEY not in client.session
        answers.add(
            (response.status_code, str(response.context["form"].non_field_errors()))
        )
        costs.add(len(queries))

    assert len(answers) == 1
    assert len(costs) == 1
    assert answers.pop()[0] == 200


def test_a_forgotten_password_tells_nothing_of_pending_accounts(pending, read_code):
    answers, costs = set(), set()
    for place, phone in enumerate((pending().phone, "19900008888")):
        client = Client(REMOTE_ADDR=f"198.51.100.{place}")
        sent = client.post(SEND, {"purpose": "reset", "phone": phone})
        assert Message.objects.latest("pk").state == Message.State.WITHHELD
        form = {"phone": phone, "code": read_code(), "password": NEW}
        with CaptureQueriesContext(connection) as queries:
            response = client.post(RESET, form | {"password_again": NEW})
        costs.add(len(queries))
        answers.add((sent.status_code, str(response.context["form"].errors)))

    assert len(answers) == 1
    assert len(costs) == 1
