import re

import pytest
from django.urls import reverse

from accounts.models import AuditEntry, Consent, Profile
from accounts.queries import find_profile
from tests.factories.accounts import ProfileFactory, UnitFactory, UserFactory

PROFILE = reverse("accounts:profile")
USERNAME = reverse("accounts:username-change")
LEVELS = reverse("accounts:level-options")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)


@pytest.fixture
def person(regions):
    """A person of 渝中区 whose profile lacks series and level."""
    person = UserFactory(name="赵一")
    ProfileFactory(
        person=person,
        unit=None,
        region=regions["500103"],
        unit_name="示例学校",
        series="",
        level="",
        education="",
    )
    return person


FORM = {
    "region": "500106",
    "unit_name": "示例中学校",
    "series": "22",
    "level": "clerk",
    "education": "bachelor",
}


def values(person):
    profile = find_profile(person)
    return {
        "region": profile.region.code,
        "unit_name": profile.unit_name,
        "series": profile.series,
        "level": profile.level,
        "education": profile.education,
    }


def test_numbers_are_masked(client_of, person):
    html = client_of(person).get(PROFILE).content.decode()

    assert person.masked_id_number in html
    assert person.masked_phone in html
    assert person.id_number not in html
    assert person.phone not in html


def test_it_is_kept_by_nobody(client_of, person):
    assert "no-store" in client_of(person).get(PROFILE).headers["Cache-Control"]


def test_few_queries(client_of, person, django_assert_max_num_queries):
    client = client_of(person)
    with django_assert_max_num_queries(12):
        client.get(PROFILE)


def test_a_change_is_written_and_noted(client_of, person, regions, now):
    unit = UnitFactory(name="示例中学校", region=regions["500106"])

    assert client_of(person).post(PROFILE, FORM).url == PROFILE

    assert values(person) == FORM
    profile = Profile.objects.get(person=person)
    assert (profile.unit, profile.updated_at) == (unit, now)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("profile.updated", person)
    assert entry.detail == {
        "fields": ["region", "unit", "unit_name", "series", "level", "education"]
    }


def test_the_same_again_is_no_change(client_of, person):
    client = client_of(person)
    client.post(PROFILE, FORM)

    client.post(PROFILE, FORM)

    assert AuditEntry.objects.count() == 1


def test_a_person_without_profile_gets_one(client_of, regions):
    person = UserFactory()

    client_of(person).post(PROFILE, FORM)

    assert values(person) == FORM


def test_the_page_that_sent_here_follows(client_of, person):
    client = client_of(person)

    assert (
        client.post(PROFILE, FORM | {"next": "/certificates/"}).url == "/certificates/"
    )
    assert client.post(PROFILE, FORM | {"next": "//evil.example"}).url == PROFILE


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"region": ""}, "region", "请选择区县"),
        ({"region": "500112"}, "region", "该区县已调整"),
        ({"unit_name": ""}, "unit_name", "请填写工作单位全称"),
        ({"series": ""}, "series", "请选择专业序列"),
        ({"level": ""}, "level", "请选择专业级别"),
        ({"series": "01"}, "level", "所选专业序列没有该级别"),
        ({"level": "boss"}, "level", "所选专业序列没有该级别"),
    ],
)
def test_one_wrong_field(client_of, person, change, field, words):
    before = values(person)

    response = client_of(person).post(PROFILE, FORM | change)

    errors = response.context["form"].errors
    assert words in errors[field][0]
    assert values(person) == before
    assert AuditEntry.objects.count() == 0


def test_dom_12_levels_follow_the_series(client):
    html = client.get(LEVELS, {"series": "01"}).content.decode()

    assert re.findall(r">([^<]+)</option>", html) == [
        "请选择",
        "助理级",
        "中级",
        "副高级",
        "正高级",
        "无职称",
    ]


@pytest.mark.parametrize("series", ["", "99", "<b>"])
def test_no_levels_without_a_series(client, series):
    html = client.get(LEVELS, {"series": series}).content.decode()

    assert re.findall(r">([^<]+)</option>", html) == ["请先选择专业序列"]


# --- DOM-11: districts that were merged ---------------------------------------------------
@pytest.fixture
def person_of_yubei(regions):
    person = UserFactory()
    ProfileFactory(
        person=person,
        unit=None,
        region=regions["500112"],
        unit_name="示例单位",
        series="05",
    )
    return person


def test_dom_11_the_new_district_is_proposed(client_of, person_of_yubei):
    html = client_of(person_of_yubei).get(PROFILE).content.decode()

    assert "您选择的“渝北区”已并入“两江新区”" in html
    assert "茨竹镇划归北碚区" in html
    assert "水土街道" in html


@pytest.mark.parametrize("code", ["500105", "500112"])
def test_dom_11_nobody_else_can_choose_the_old_ones(client_of, person, code):
    before = values(person)

    html = client_of(person).get(PROFILE).content.decode()
    client_of(person).post(PROFILE, FORM | {"region": code})

    assert f'value="{code}"' not in html
    assert 'value="500157"' in html
    assert values(person) == before


def test_dom_11_the_old_one_may_stay(client_of, person_of_yubei):
    form = {
        "region": "500112",
        "unit_name": "示例单位",
        "series": "05",
        "level": "senior",
        "education": "",
    }

    client_of(person_of_yubei).post(PROFILE, form)

    assert values(person_of_yubei) == form


def test_dom_11_once_left_it_cannot_be_chosen_again(client_of, person_of_yubei):
    client = client_of(person_of_yubei)
    client.post(PROFILE, FORM | {"region": "500157"})

    response = client.post(PROFILE, FORM | {"region": "500112"})

    assert list(response.context["form"].errors) == ["region"]
    assert values(person_of_yubei)["region"] == "500157"


def test_nothing_is_proposed_to_the_others(client_of, person):
    assert "已并入" not in client_of(person).get(PROFILE).content.decode()


# --- Consents, user name -------------------------------------------------------------------
def test_own_consents_are_listed(client_of, person, stranger, now):
    for one, version in ((person, "2026-01"), (stranger, "1999-09")):
        Consent.objects.create(
            person=one, kind="privacy", version=version, given_at=now
        )

    html = client_of(person).get(PROFILE).content.decode()

    assert "《隐私政策》" in html
    assert "版本 2026-01，2026-06-15 10:00 同意" in html
    assert "1999-09" not in html


@pytest.mark.parametrize(
    ("kind", "version"), [("privacy", "2026-11"), ("sensitive", "2026-01")]
)
def test_notices_are_there_for_everybody_in_every_version(client, kind, version):
    current = client.get(reverse("accounts:notice", args=[kind]))
    named = client.get(reverse("accounts:notice-version", args=[kind, "2026-01"]))

    assert current.status_code == named.status_code == 200
    assert f"版本 {version}" in current.content.decode()
    assert "版本 2026-01" in named.content.decode()


def test_an_old_notice_keeps_its_words(client):
    """What people agreed to is shown as it was, and says that it is not today's."""
    old = client.get(reverse("accounts:notice-version", args=["privacy", "2026-01"]))
    new = client.get(reverse("accounts:notice", args=["privacy"]))

    assert "这是历史版本" in old.content.decode()
    assert "或者注销账号，请联系在线客服" in old.content.decode()
    assert "证明材料" not in old.content.decode()
    assert "这是历史版本" not in new.content.decode()
    assert reverse("accounts:close") in new.content.decode()


@pytest.mark.parametrize(
    ("kind", "version"), [("privacy", "1999"), ("other", "2026-01")]
)
def test_no_other_notices(client, kind, version):
    url = reverse("accounts:notice-version", args=[kind, version])

    assert client.get(url).status_code == 404


def test_a_user_name_of_ones_own(client_of, person):
    client_of(person).post(USERNAME, {"username": " Zhao_Yi "})

    person.refresh_from_db()
    assert person.username == "zhao_yi"
    assert AuditEntry.objects.get().action == "account.username_changed"


@pytest.mark.parametrize("username", ["", "abc", "13800138000", "zhao yi"])
def test_user_names_that_are_refused(client_of, person, username):
    before = person.username

    response = client_of(person).post(USERNAME, {"username": username}, follow=True)

    person.refresh_from_db()
    assert person.username == before
    assert "notice-error" in response.content.decode()


def test_a_user_name_of_somebody_else(client_of, person, stranger):
    before = person.username

    response = client_of(person).post(
        USERNAME, {"username": stranger.username}, follow=True
    )

    person.refresh_from_db()
    assert person.username == before
    assert "该用户名已被使用" in response.content.decode()


# --- Nobody else ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name", ["profile", "password-change", "register-done", "wechat-link"]
)
def test_pages_of_a_person_want_a_login(client, name):
    url = reverse(f"accounts:{name}")

    assert client.get(url).url == f"{reverse('accounts:login')}?next={url}"


def test_a_stranger_sees_and_changes_the_own_things_only(client_of, person, stranger):
    before = values(person)
    client = client_of(stranger)

    html = client.get(PROFILE).content.decode()
    client.post(PROFILE, FORM)
    client.post(USERNAME, {"username": "some_stranger"})

    assert person.masked_id_number not in html
    assert values(person) == before
    assert values(stranger) == FORM
