import pytest
from django.urls import reverse

from accounts.models import PersonRequest, PrivateFile, UnitAppointment
from accounts.services.request_decisions import return_request
from tests.factories.accounts import make_id_number
from tests.factories.requests import (
    UNIT_CODE,
    file_appointment,
    file_lost_phone,
    file_name_change,
    make_picture,
    make_staff,
    upload,
)

LIST = reverse("accounts:requests")
NAME = reverse("accounts:request-new", args=["name-change"])
NUMBER = reverse("accounts:request-new", args=["number-change"])
UNIT = reverse("accounts:request-new", args=["appointment"])

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)


def page(name, row, *arguments):
    return reverse(f"accounts:{name}", args=[row.code, *arguments])


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def give_back(row, now):
    return return_request(
        request_id=row.pk,
        seen_version=row.version,
        reason="请上传身份证背面",
        actor=make_staff("审核", name="审核员甲"),
        now=now,
    )


# --- Filing --------------------------------------------------------------------------------
def test_a_name_change(client_of, owner):
    response = client_of(owner).post(
        NAME, {"name": " 赵易 ", "proofs": [upload(), upload()]}
    )

    row = PersonRequest.objects.get()
    assert response.url == page("request", row)
    assert (row.person, row.wanted, row.files.count()) == (owner, {"name": "赵易"}, 2)


def test_a_number_change_in_any_spelling(client_of, owner):
    number = make_id_number(7001)

    client_of(owner).post(
        NUMBER, {"id_number": f" {number.lower()} ", "proofs": [upload()]}
    )

    assert PersonRequest.objects.get().wanted == {"id_number": number}


def test_an_appointment(client_of, owner, regions):
    form = {
        "region": "500103",
        "unit_name": "重庆市示例学校",
        "credit_code": "9111 0000 6000 37341l",
        "proofs": [upload()],
    }

    response = client_of(owner).post(UNIT, form)

    row = PersonRequest.objects.get()
    assert response.url == page("request", row)
    assert row.wanted["credit_code"] == UNIT_CODE
    assert UnitAppointment.objects.count() == 0


def test_the_own_unit_is_filled_in(client_of, owner):
    assert owner.profile.unit_name in text(client_of(owner).get(UNIT))


@pytest.mark.parametrize(
    ("url", "form", "field", "words"),
    [
        (NAME, {"name": ""}, "name", "请填写姓名"),
        (NAME, {"name": "赵 易"}, "name", "中间不能有空格"),
        (NAME, {"name": "赵一"}, "__all__", "相同"),
        (NUMBER, {"id_number": "500103190001010011"}, "id_number", "校验"),
        (UNIT, {"credit_code": "911100006000373410"}, "credit_code", "校验不通过"),
        (UNIT, {"region": "500112"}, "region", "该区县已调整"),
        (NAME, {"proofs": []}, "proofs", "请上传证明材料"),
        (NAME, {"proofs": [upload(b"text")]}, "proofs", "不是图片或PDF"),
        (NAME, {"proofs": [upload(b"")]}, "proofs", "空的"),
        (NAME, {"proofs": [upload() for _ in range(7)]}, "proofs", "最多上传6个"),
    ],
)
def test_one_wrong_field(client_of, owner, regions, url, form, field, words):
    right = {
        "name": "赵易",
        "id_number": make_id_number(7001),
        "region": "500103",
        "unit_name": "重庆市示例学校",
        "credit_code": UNIT_CODE,
        "proofs": [upload(make_picture())],
    }

    response = client_of(owner).post(url, right | form)

    errors = response.context["form"].errors
    assert list(errors) == [field]
    assert words in errors[field][0]
    assert PersonRequest.objects.count() == 0
    assert PrivateFile.objects.count() == 0


def test_a_second_one_waits_for_the_first(client_of, owner, now):
    file_name_change(owner, now=now)
    client = client_of(owner)

    assert "同类申请正在办理" in text(client.get(NAME))
    client.post(NAME, {"name": "赵艺", "proofs": [upload()]})

    assert PersonRequest.objects.get().wanted == {"name": "赵易"}


def test_ten_a_day(client_of, owner):
    client = client_of(owner)
    for _ in range(10):
        client.post(NAME, {"name": "赵易", "proofs": [upload(b"text")]})

    response = client.post(NAME, {"name": "赵易", "proofs": [upload()]})

    assert "次数过多" in response.context["form"].non_field_errors()[0]
    assert PersonRequest.objects.count() == 0


@pytest.mark.parametrize("kind", ["phone-lost", "other"])
def test_no_other_kinds(client_of, owner, kind):
    url = reverse("accounts:request-new", args=[kind])

    assert client_of(owner).get(url).status_code == 404
    assert client_of(owner).post(url, {"proofs": [upload()]}).status_code == 404


# --- Looking, withdrawing, sending again ---------------------------------------------------
def test_the_list_and_the_page(client_of, owner, now):
    row = file_name_change(owner, now=now)
    client = client_of(owner)

    assert row.code in text(client.get(LIST))
    html = text(client.get(page("request", row)))

    for words in ("赵一", "赵易", "2026年6月18日", "提交申请", "待审核"):
        assert words in html


def test_the_page_names_no_staff_and_no_number(client_of, owner, now, regions):
    row = file_appointment(owner, now=now)
    give_back(row, now)

    html = text(client_of(owner).get(page("request", row)))

    assert "请上传身份证背面" in html
    assert "审核员甲" not in html
    assert owner.id_number not in html


def test_pages_are_kept_by_nobody(client_of, owner, now):
    row = file_name_change(owner, now=now)
    client = client_of(owner)

    for url in (LIST, NAME, page("request", row)):
        assert "no-store" in client.get(url).headers["Cache-Control"]


def test_few_queries(client_of, owner, now, django_assert_max_num_queries, regions):
    file_name_change(owner, now=now)
    file_appointment(owner, now=now)
    client = client_of(owner)

    with django_assert_max_num_queries(8):
        client.get(LIST)


def test_a_proof_is_shown_to_its_owner(client_of, owner, now):
    row = file_name_change(owner, now=now)

    response = client_of(owner).get(page("request-file", row, row.files.get().code))

    assert response["Content-Type"] == "image/jpeg"
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Disposition"].startswith("inline")
    assert response.content.startswith(b"\xff\xd8\xff")


def test_withdrawn_by_the_person(client_of, owner, now):
    row = file_name_change(owner, now=now)

    response = client_of(owner).post(page("request-withdraw", row))

    assert response.url == page("request", row)
    row.refresh_from_db()
    assert row.state == "withdrawn"


def test_a_returned_one_is_corrected(client_of, owner, now):
    row = give_back(file_name_change(owner, now=now), now)
    client = client_of(owner)

    html = text(client.get(page("request-resend", row)))
    assert "请上传身份证背面" in html
    assert 'value="赵易"' in html

    response = client.post(page("request-resend", row), {"name": "赵艺"})
    assert response.url == page("request", row)
    row.refresh_from_db()
    assert (row.state, row.wanted) == ("open", {"name": "赵艺"})
    assert row.files.count() == 1


def test_only_returned_ones_can_be_corrected(client_of, owner, now):
    row = file_name_change(owner, now=now)

    response = client_of(owner).post(page("request-resend", row), {"name": "赵艺"})

    assert response.url == page("request", row)
    row.refresh_from_db()
    assert row.wanted == {"name": "赵易"}


# --- Nobody else ---------------------------------------------------------------------------
def test_a_stranger_finds_nothing(client_of, owner, stranger, now):
    row = give_back(file_name_change(owner, now=now), now)
    client = client_of(stranger)
    file = row.files.get().code

    for response in (
        client.get(page("request", row)),
        client.get(page("request-resend", row)),
        client.post(page("request-resend", row), {"name": "钱贰"}),
        client.post(page("request-withdraw", row)),
        client.get(page("request-file", row, file)),
    ):
        assert response.status_code == 404
    assert row.code not in text(client.get(LIST))
    row.refresh_from_db()
    assert (row.state, row.wanted) == ("returned", {"name": "赵易"})


def test_a_strangers_proofs_are_not_shown_to_the_account(client_of, owner, now):
    row = file_lost_phone(owner, now=now)
    PersonRequest.objects.update(person=owner)
    client = client_of(owner)

    url = page("request-file", row, row.files.get().code)
    assert client.get(url).status_code == 404
    html = text(client.get(page("request", row)))
    assert "有人申请变更您账号的手机号码" in html
    assert url not in html


@pytest.mark.parametrize("url", [LIST, NAME, UNIT])
def test_a_login_is_wanted(client, url):
    assert client.get(url).url == f"{reverse('accounts:login')}?next={url}"


def test_the_profile_leads_to_the_requests(client_of, owner):
    html = text(client_of(owner).get(reverse("accounts:profile")))

    for url in (NAME, NUMBER, LIST):
        assert f'href="{url}"' in html
