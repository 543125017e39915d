import pytest
from django.contrib.auth import SESSION_KEY
from django.urls import reverse

from accounts.models import User
from tests.factories.accounts import PASSWORD, UnitAppointmentFactory

CLOSE = reverse("accounts:close")
SEND = reverse("accounts:send-code")
HOME = reverse("home")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)


@pytest.fixture
def client(client_of, owner):
    return client_of(owner)


@pytest.fixture
def filled(client, read_code):
    assert client.post(SEND, {"purpose": "close"}).status_code == 200
    return {"password": PASSWORD, "code": read_code(), "understood": "on"}


def test_the_page_says_what_it_means(client, owner):
    html = client.get(CLOSE).content.decode()

    for words in ("不能恢复", "证书仍可查验", "学习记录依法保存", "可重新注册"):
        assert words in html
    assert reverse("own-data") in html
    assert owner.masked_phone in html
    assert owner.phone not in html


def test_all_sessions_end(client, client_of, owner, filled):
    elsewhere = client_of(owner)

    assert client.post(CLOSE, filled).url == HOME

    owner.refresh_from_db()
    assert owner.state == User.State.CLOSED
    assert SESSION_KEY not in client.session
    assert "账号已注销。" in client.get(HOME).content.decode()
    assert elsewhere.get(reverse("dashboard")).status_code == 302


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "wrong"}, "password"),
        ({"password": ""}, "password"),
        ({"code": "000000"}, "code"),
        ({"understood": ""}, "understood"),
    ],
)
def test_one_wrong_field(client, owner, filled, change, field):
    response = client.post(CLOSE, filled | change)

    assert list(response.context["form"].errors) == [field]
    owner.refresh_from_db()
    assert owner.state == User.State.ACTIVE
    assert SESSION_KEY in client.session


def test_the_only_coordinator_reads_why_not(client, owner, filled, unit):
    UnitAppointmentFactory(unit=unit, person=owner)

    response = client.get(CLOSE)
    assert f"您是“{unit.name}”唯一的经办人" in response.content.decode()
    assert 'name="password"' not in response.content.decode()

    client.post(CLOSE, filled)
    owner.refresh_from_db()
    assert owner.state == User.State.ACTIVE


def test_staff_find_a_closed_account_by_its_number(
    client, client_of, owner, filled, staff
):
    number = owner.id_number
    client.post(CLOSE, filled)

    response = client_of(staff).post(
        reverse("admin:accounts_user_find"), {"number": number}
    )

    assert response.url == reverse("admin:accounts_user_change", args=[owner.pk])
