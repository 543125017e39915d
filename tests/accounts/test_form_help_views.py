import re

import pytest
from django.urls import reverse

from accounts.models import VerificationCode
from accounts.queries import find_unit
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
def search(client, region, text):
    response = client.post(
        reverse("accounts:unit-search"), {"region": region, "unit_name": text}
    )
    return response.content.decode()


def offered(html):
    return re.findall(r'data-value="([^"]+)" data-region="([^"]+)"', html)


def test_units_of_the_region_first_and_of_them_those_that_begin_so(client, regions):
    for name in ("渝中区示例小学校", "示例中学校", "另一单位"):
        UnitFactory(name=name, region=regions["500103"])
    UnitFactory(name="沙坪坝区示例医院", region=regions["500106"])
    UnitFactory(name="示例医院", region=regions["500106"])
    UnitFactory(name="示例旧单位", region=regions["500103"], is_active=False)

    html = search(client, "500103", " 示例 ")

    assert offered(html) == [
        ("示例中学校", "500103"),
        ("渝中区示例小学校", "500103"),
        ("示例医院", "500106"),
        ("沙坪坝区示例医院", "500106"),
    ]
    assert ">渝中区</span>" in html
    assert "没有您的单位？请选择您档案所在区县，并直接填写单位全称。" in html


def test_without_a_region_all_are_searched(client, regions):
    UnitFactory(name="渝中区示例小学校", region=regions["500103"])
    UnitFactory(name="示例医院", region=regions["500106"])

    assert offered(search(client, "", "示例")) == [
        ("示例医院", "500106"),
        ("渝中区示例小学校", "500103"),
    ]


def test_a_unit_of_a_merged_region_is_found_in_the_new_one(client, regions):
    unit = UnitFactory(name="江北示例小学校", region=regions["500105"])
    UnitFactory(name="渝中示例小学校", region=regions["500103"])

    html = search(client, "500157", "示例")

    assert offered(html)[0] == ("江北示例小学校", "500157")
    assert ">两江新区</span>" in html
    assert find_unit(region=regions["500157"], name="江北示例小学校") == unit
    assert find_unit(region=regions["500103"], name="江北示例小学校") is None


def test_of_two_units_of_a_name_the_regions_own_is_meant(regions):
    UnitFactory(name="示例小学校", region=regions["500105"])
    own = UnitFactory(name="示例小学校", region=regions["500157"])

    assert find_unit(region=regions["500157"], name="示例小学校") == own


def test_latin_letters_of_either_case(client, regions):
    UnitFactory(name="重庆ABC科技公司", region=regions["500103"])

    assert offered(search(client, "500103", "abc")) == [("重庆ABC科技公司", "500103")]


@pytest.mark.parametrize(
    ("region", "text", "words"),
    [
        ("", "没有的", "查找不到单位？请选择您档案所在区县"),
        ("500103", "没有的", "并直接填写单位全称"),
        ("500103", "示", ""),
        ("500103", "示例\0", ""),
        ("500103\0", "示例", ""),
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
