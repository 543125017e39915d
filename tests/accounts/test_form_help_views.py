import re

import pytest
from django.urls import reverse

from accounts.models import VerificationCode
from tests.factories.accounts import UnitFactory, UserFactory, make_phone

SEND = reverse("accounts:send-code")
PHONE = make_phone(7000)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)


# --- Asking for a code ---------------------------------------------------------------------
def test_a_code_is_sent(client):
    response = client.post(SEND, {"purpose": "register", "phone": PHONE})

    html = response.content.decode()
    assert response.status_code == 200
    assert "199****7000" in html
    assert PHONE not in html
    assert 'data-wait="60"' in html


def test_a_wrong_phone(client):
    response = client.post(SEND, {"purpose": "register", "phone": "123"})

    assert response.status_code == 422
    assert "请填写11位手机号码" in response.content.decode()
    assert VerificationCode.objects.count() == 0


def test_too_soon(client):
    client.post(SEND, {"purpose": "register", "phone": PHONE})
    response = client.post(SEND, {"purpose": "login", "phone": PHONE})

    assert response.status_code == 429
    assert "请60秒后再试" in response.content.decode()
    assert VerificationCode.objects.count() == 1


@pytest.mark.parametrize("purpose", ["", "other", "old_phone", "new_phone", "close"])
def test_no_other_purposes(client, purpose):
    response = client.post(SEND, {"purpose": purpose, "phone": PHONE})

    assert response.status_code == 404
    assert VerificationCode.objects.count() == 0


@pytest.mark.parametrize("purpose", ["register", "login", "reset"])
def test_the_answer_is_the_same_for_known_and_unknown_phones(client, purpose):
    known = UserFactory(phone=make_phone(7123))

    first = client.post(SEND, {"purpose": purpose, "phone": known.phone})
    second = client.post(SEND, {"purpose": purpose, "phone": make_phone(7456)})

    assert first.status_code == second.status_code == 200
    assert first.content.decode().replace(
        "7123", ""
    ) == second.content.decode().replace("7456", "")


# --- Units ---------------------------------------------------------------------------------
def test_units_of_the_region_by_part_of_the_name(client, regions):
    for name in ("示例中学校", "渝中区示例小学校", "另一单位"):
        UnitFactory(name=name, region=regions["500103"])
    UnitFactory(name="示例医院", region=regions["500106"])
    UnitFactory(name="示例旧单位", region=regions["500103"], is_active=False)

    response = client.post(
        reverse("accounts:unit-search"), {"region": "500103", "unit_name": " 示例 "}
    )

    assert re.findall(r'data-value="([^"]+)"', response.content.decode()) == [
        "示例中学校",
        "渝中区示例小学校",
    ]


@pytest.mark.parametrize(
    ("region", "text", "words"),
    [
        ("", "示例", "请先选择区县"),
        ("500103", "没有的", "请直接填写单位全称"),
        ("500103", "示", ""),
    ],
)
def test_no_units(client, regions, region, text, words):
    UnitFactory(name="示例中学校", region=regions["500103"])

    response = client.post(
        reverse("accounts:unit-search"), {"region": region, "unit_name": text}
    )

    html = response.content.decode()
    assert "data-value" not in html
    assert words in html


def test_at_most_eight_units(client, regions):
    for number in range(12):
        UnitFactory(name=f"示例{number:02d}", region=regions["500103"])

    response = client.post(
        reverse("accounts:unit-search"), {"region": "500103", "unit_name": "示例"}
    )

    assert response.content.decode().count("data-value") == 8
