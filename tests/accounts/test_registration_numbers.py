"""C1 of the domain standards at the registration itself: what the form says, what the page
of confirmation shows, what the account becomes."""

import pytest
from django.urls import reverse

from accounts.models import User
from tests.factories.accounts import make_phone

REGISTER = reverse("accounts:register")
CONFIRM = reverse("accounts:register-confirm")
SEND = reverse("accounts:send-code")
PHONE = make_phone(7000)
PASSWORD = "hongyadong-1900"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)


@pytest.fixture
def enter(client, regions, read_code):
    """A function that sends the form with this number."""
    client.post(SEND, {"purpose": "register", "phone": PHONE})
    form = {
        "name": "欧阳春梅",
        "phone": PHONE,
        "code": read_code(),
        "password": PASSWORD,
        "password_again": PASSWORD,
        "region": "500103",
        "unit_name": "重庆市渝中区示例学校",
        "agree_privacy": "on",
        "agree_sensitive": "on",
    }
    return lambda number, **more: client.post(
        REGISTER, form | {"id_number": number} | more
    )


def read_confirmation(client, response):
    assert response.url == CONFIRM
    return client.get(CONFIRM).content.decode()


@pytest.mark.parametrize(
    ("number", "birth", "gender", "kind"),
    [
        ("11010519491231002X", "1949年12月31日", "女", "id_card"),
        ("500105199003074512", "1990年3月7日", "男", "id_card"),
        ("51022519850612003X", "1985年6月12日", "男", "id_card"),
        ("810000199408230021", "1994年8月23日", "女", "id_card"),
        ("820000199408230023", "1994年8月23日", "女", "id_card"),
        ("830000199201300022", "1992年1月30日", "女", "id_card"),
        ("931101199001010019", "1990年1月1日", "男", "foreign_pr"),
    ],
    ids=[
        "DOM-01",
        "DOM-03",
        "DOM-03b",
        "DOM-05-hk",
        "DOM-05-mo",
        "DOM-05-tw",
        "DOM-05",
    ],
)
def test_birth_and_gender_are_read_out_of_the_number(
    client, enter, number, birth, gender, kind
):
    html = read_confirmation(client, enter(number))

    assert f"{birth}<span" in html
    assert f"<dd>{gender}<span" in html
    client.post(CONFIRM)
    person = User.objects.get()
    assert (person.id_kind, person.id_number) == (kind, number)


def test_dom_05_the_older_residence_card_says_neither(client, enter):
    html = read_confirmation(client, enter("usa110090010112", name="JOHN SMITH"))

    assert "USA110090010112" in html
    for absent in ("出生日期", "性别", "请再次核对"):
        assert absent not in html
    client.post(CONFIRM)
    assert User.objects.get().id_kind == User.IdKind.FOREIGN_PR


@pytest.mark.parametrize("prints_full", [True, False])
def test_the_preview_is_of_what_prints(client, enter, settings, prints_full):
    """Everything typed, in full, and the number as the certificate will carry it."""
    settings.CERTIFICATE_FULL_ID_NUMBER = prints_full

    html = read_confirmation(client, enter("500105199003074512"))

    for shown in ("欧阳春梅", "渝中区", "重庆市渝中区示例学校", "500105199003074512"):
        assert shown in html
    assert ("证书上印为 500105********4512" in html) is not prints_full


def test_dom_06_an_unknown_county_is_asked_about_and_let_through(client, enter):
    html = read_confirmation(client, enter("500199199003074512"))

    assert "证件号码前6位不是已知的区县代码，请再次核对。" in html
    client.post(CONFIRM)
    assert User.objects.count() == 1


def test_dom_06_a_new_district_without_a_warning_of_the_county(client, enter):
    html = read_confirmation(client, enter("500157202601010018"))

    assert "区县代码" not in html
    # Half a year old: the other doubt.
    assert "年龄不在16至100岁之间" in html


@pytest.mark.parametrize(
    "spelling",
    [
        " 11010519491231002x ",
        "１１０１０５１９４９１２３１００２ｘ",
        "\u300011010519491231002X",
    ],
)
def test_dom_07_other_characters_are_the_same_number(client, enter, spelling):
    read_confirmation(client, enter(spelling))
    client.post(CONFIRM)

    assert User.objects.get().id_number == "11010519491231002X"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("440524188001010014", "证件号码中的出生年份早于1900年，请核对。"),
        ("500105199003074511", "证件号码校验不通过，请核对每一位数字。"),
        (
            "500105199902300018",
            "证件号码中的出生日期（第7至14位）不存在，请核对。",
        ),
        ("500112202701010012", "证件号码中的出生日期晚于今天，请核对。"),
        (
            "1101054912310 02",
            "证件号码应为18位，前17位为数字，末位为数字或大写字母X。",
        ),
        ("110105491231002", "15位旧号码不再受理，请填写18位证件号码。"),
        ("1101 0519491231002X", "证件号码中间不能有空格或其他符号。"),
        ("160105199003074510", "证件号码的前两位不是有效的地区代码，请核对。"),
    ],
    ids=[
        *("DOM-02", "DOM-04-checksum", "DOM-04-birth", "DOM-04-future"),
        *("DOM-04-format", "DOM-04-fifteen", "DOM-07-blank", "region"),
    ],
)
def test_a_refused_number_says_why(enter, number, words):
    response = enter(number)

    assert response.context["form"].errors == {"id_number": [words]}
    assert User.objects.count() == 0


@pytest.mark.parametrize("phone", ["12800138000", "1380013800"])
def test_dom_09_a_refused_phone(enter, phone):
    response = enter("11010519491231002X", phone=phone)

    assert response.context["form"].errors == {
        "phone": ["请填写11位手机号码，例如 138 0013 8000。"]
    }


def test_dom_09_a_phone_in_another_spelling(client, enter):
    spelled = f"+86 {PHONE[:3]}-{PHONE[3:7]}-{PHONE[7:]}"
    read_confirmation(client, enter("11010519491231002X", phone=spelled))
    client.post(CONFIRM)

    assert User.objects.get().phone == PHONE
