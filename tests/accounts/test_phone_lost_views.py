import re

import pytest
from django.urls import reverse

from accounts.models import Message, PersonRequest, PrivateFile, VerificationCode
from accounts.services.request_decisions import return_request
from tests.factories.accounts import UserFactory, make_id_number, make_phone
from tests.factories.requests import make_staff, upload

FORM = reverse("accounts:phone-lost")
SENT = reverse("accounts:phone-lost-sent")
STATE = reverse("accounts:phone-lost-state")
SEND = reverse("accounts:send-code")
NEW = make_phone(7002)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    return time_machine.move_to(now, tick=False)


@pytest.fixture
def fetch_code(client, read_code):
    """A function that asks for a code to the new phone and reads it."""

    def fetch(phone=NEW):
        response = client.post(SEND, {"purpose": "request", "phone": phone})
        assert response.status_code == 200
        return read_code()

    return fetch


def values(person, code, **change):
    return {
        "name": person.name,
        "id_number": person.id_number,
        "phone": NEW,
        "code": code,
        "contact": "",
        "proofs": [upload(), upload()],
    } | change


def test_a_request_is_filed_and_its_number_told(client, owner, fetch_code):
    response = client.post(FORM, values(owner, fetch_code()))

    assert response.url == SENT
    row = PersonRequest.objects.get()
    assert (row.kind, row.person, row.filed_by) == ("phone_lost", None, None)
    assert row.files.count() == 2
    assert set(row.files.values_list("owner", flat=True)) == {None}
    assert row.code in client.get(SENT).content.decode()


def test_what_is_answered_is_the_same_without_an_account(
    client, owner, fetch_code, time_machine
):
    """Word for word, but for the number of the request and the secret of the form."""
    nobody = UserFactory.build(name="无名", id_number=make_id_number(7777))
    pages = []
    for person, moment in ((owner, "2026-06-15 10:10"), (nobody, "2026-06-15 10:20")):
        time_machine.move_to(f"{moment}+08:00", tick=False)
        response = client.post(FORM, values(person, fetch_code()), follow=True)
        row = PersonRequest.objects.latest("pk")
        html = response.content.decode().replace(row.code, "NUMBER")
        pages.append(re.sub(r'csrf\w+" value="\w+"|"X-CSRFToken": "\w+"', "", html))

    assert pages[0] == pages[1]
    assert PersonRequest.objects.count() == 2


def test_who_has_not_proved_the_phone_files_nothing(client, owner, fetch_code):
    fetch_code()

    response = client.post(FORM, values(owner, "000000"))

    assert list(response.context["form"].errors) == ["code"]
    assert PersonRequest.objects.count() == 0
    assert PrivateFile.objects.count() == 0


def test_a_code_of_another_purpose_is_none(client, owner, read_code):
    client.post(SEND, {"purpose": "register", "phone": NEW})

    response = client.post(FORM, values(owner, read_code()))

    assert list(response.context["form"].errors) == ["code"]


def test_a_bad_picture_does_not_use_up_the_code(client, owner, fetch_code):
    code = fetch_code()

    response = client.post(FORM, values(owner, code, proofs=[upload(b"text")]))

    assert list(response.context["form"].errors) == ["proofs"]
    assert VerificationCode.objects.get().used_at is None
    assert client.post(FORM, values(owner, code)).url == SENT


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "赵 一"}, "name"),
        ({"id_number": "500103190001010011"}, "id_number"),
        ({"phone": "123"}, "phone"),
        ({"code": ""}, "code"),
        ({"proofs": []}, "proofs"),
    ],
)
def test_one_wrong_field(client, owner, fetch_code, change, field):
    response = client.post(FORM, values(owner, fetch_code()) | change)

    assert list(response.context["form"].errors) == [field]
    assert PersonRequest.objects.count() == 0


def test_a_phone_with_an_account_is_told_to_its_holder(
    client, owner, stranger, fetch_code
):
    code = fetch_code(stranger.phone)

    response = client.post(FORM, values(owner, code, phone=stranger.phone))

    assert "该手机号码已注册账号" in response.context["form"].errors["phone"][0]
    assert PersonRequest.objects.count() == 0


def test_twenty_a_day_from_one_address(client, owner):
    for _ in range(20):
        client.post(FORM, values(owner, "000000", proofs=[upload(b"text")]))

    response = client.post(FORM, values(owner, "000000"))

    assert response.status_code == 429
    assert "次数过多" in response.content.decode()
    other = client.post(FORM, values(owner, "000000"), REMOTE_ADDR="203.0.113.9")
    assert other.status_code == 200


def test_without_a_request_there_is_no_number(client):
    assert client.get(SENT).url == FORM


def test_the_ways_in_lead_here(client):
    for name in ("login", "password-reset"):
        assert (
            f'href="{FORM}"' in client.get(reverse(f"accounts:{name}")).content.decode()
        )


# --- How far it is -------------------------------------------------------------------------
@pytest.fixture
def filed(client, owner, fetch_code, time_machine):
    client.post(FORM, values(owner, fetch_code()))
    time_machine.move_to("2026-06-15 10:30+08:00", tick=False)
    return PersonRequest.objects.get()


def test_its_state_by_number_and_code(client, filed, fetch_code, now):
    return_request(
        request_id=filed.pk,
        seen_version=1,
        reason="手持照片看不清",
        actor=make_staff("审核", name="审核员甲"),
        now=now,
    )
    code = fetch_code()
    reference = f"{filed.code[:8].lower()}-{filed.code[8:]}"

    response = client.post(STATE, {"reference": reference, "phone": NEW, "code": code})

    html = response.content.decode()
    for words in ("已退回", "手持照片看不清", filed.code, "重新提交申请"):
        assert words in html
    assert "审核员甲" not in html
    assert "赵一" not in html


def test_the_number_alone_says_nothing(client, filed, fetch_code):
    fetch_code()

    response = client.post(
        STATE, {"reference": filed.code, "phone": NEW, "code": "000000"}
    )

    assert list(response.context["form"].errors) == ["code"]


def test_another_phone_says_nothing(client, filed, fetch_code):
    code = fetch_code(make_phone(7003))

    response = client.post(
        STATE, {"reference": filed.code, "phone": make_phone(7003), "code": code}
    )

    assert "没有找到" in response.context["form"].non_field_errors()[0]
    assert "待审核" not in response.content.decode()


def test_the_sms_tell_no_numbers(filed):
    texts = [message.text for message in Message.objects.all()]

    assert not any(make_id_number(0)[:6] in text for text in texts)
    assert any(filed.code in text for text in texts)
