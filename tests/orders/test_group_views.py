"""团体购买 and 团体报名: who may see what, the words, and what the pages do."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from accounts.models import PrivateFile
from catalog.models import Plan
from orders.models import GroupCheck, Order
from orders.services.groups import forget_old_checks
from tests.factories.accounts import UnitAppointmentFactory, UnitFactory, make_id_number
from tests.factories.groups import (
    hand_in,
    make_checked,
    make_sheet,
    make_trainees,
    paste,
)
from tests.factories.orders import make_endless_plan

pytestmark = pytest.mark.django_db
UNKNOWN = [make_id_number(n) for n in range(900_000, 900_060)]
INDEX = reverse("orders:groups")
LATER = {"invoice": "later", "agreement": "on"}


@pytest.fixture
def given(coordinator, unit, plan):
    return {"buyer": coordinator, "unit": unit, "plan": plan, "now": timezone.now()}


@pytest.fixture
def people(db):
    return make_trainees(3)


@pytest.fixture
def check(given, people):
    return make_checked(paste(*people, UNKNOWN[0]), **given)


@pytest.fixture
def client(client_of, coordinator):
    return client_of(coordinator)


@pytest.fixture
def run_tasks(django_capture_on_commit_callbacks):
    """A context in which tasks that wait for the commit run at its end."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def address(page, row):
    return reverse(f"orders:{page}", args=[row.code])


def text_of(response):
    assert response.status_code == 200
    return response.content.decode()


# --- The way in --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("entry", "label", "button"), [(1, "团体购买", "立即购买"), (2, "团体报名", "确定")]
)
def test_each_entry_has_its_words(entry, label, button, client, people):
    plan = make_endless_plan(entry=entry)
    start = reverse("orders:group-start", args=[plan.code])

    page = text_of(client.get(reverse("plan-detail", args=[plan.code])))
    assert f'href="{start}">{label}</a>' in page
    assert f">{button}</button>" in text_of(client.get(start))


def test_a_plan_that_is_not_sold_has_no_button(client, plan):
    Plan.objects.update(sale_end=timezone.localdate() - timedelta(days=1))
    start = reverse("orders:group-start", args=[plan.code])

    assert start not in text_of(client.get(reverse("plan-detail", args=[plan.code])))
    assert "当前不在报名时间内" in text_of(client.get(start))
    client.post(start, {"unit": "x", "numbers": UNKNOWN[0]})
    assert GroupCheck.objects.count() == 0


def test_who_belongs_to_no_unit_is_led_to_the_profile(client_of, plan, stranger):
    stranger.profile.delete()
    client = client_of(stranger)
    start = reverse("orders:group-start", args=[plan.code])

    page = text_of(client.get(start))

    assert "请先在个人信息中填写工作单位" in page
    assert reverse("accounts:profile") in page
    client.post(start, {"numbers": UNKNOWN[0]})
    assert GroupCheck.objects.count() == 0


def test_a_draft_is_404(client, plan):
    Plan.objects.update(is_published=False)

    start = reverse("orders:group-start", args=[plan.code])
    assert client.get(start).status_code == 404


def test_the_template_takes_numbers_as_text(client):
    response = client.get(reverse("orders:group-template"))

    sheet = load_workbook(BytesIO(response.content)).active
    assert [cell.value for cell in sheet[1]] == ["身份证号码", "姓名（选填）"]
    assert sheet.column_dimensions["A"].number_format == "@"


# --- Handing in --------------------------------------------------------------------------
def test_paste_is_checked_and_shown(client, unit, plan, people, run_tasks):
    start = reverse("orders:group-start", args=[plan.code])
    text = f"{people[0].id_number}\r\n  {people[1].id_number}\r\n\r\n{UNKNOWN[0]}"

    with run_tasks():
        response = client.post(start, {"unit": unit.code, "numbers": text})

    check = GroupCheck.objects.get()
    assert response.url == address("group-check", check)
    assert (check.state, check.free_count, check.unit) == ("checked", 2, unit)
    page = text_of(client.get(response.url))
    assert "有 1 人不能购买" in page
    assert "可以先购买其余 2 人" in page
    assert "已自动处理" in page
    assert "已略去空行（1处）" in page
    assert "未注册或已购买" in page
    for number in (people[0].id_number, UNKNOWN[0]):
        assert number not in page
        assert f"{number[:6]}********{number[-4:]}" in page
    # Whose numbers those are is nobody's business.
    assert people[0].name not in page


def test_a_sheet_is_checked(client, unit, plan, people, run_tasks):
    start = reverse("orders:group-start", args=[plan.code])
    content = make_sheet([(each.id_number, each.name) for each in people])

    with run_tasks():
        client.post(
            start,
            {
                "unit": unit.code,
                "numbers": "",
                "file": SimpleUploadedFile("a.xlsx", content),
            },
        )

    check = GroupCheck.objects.get()
    assert (check.is_sheet, check.free_count) == (True, 3)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"numbers": " \n "}, "请粘贴身份证号码，或上传填写好的表格"),
        ({"numbers": "x", "unit": "nothing"}, "请选择购买单位"),
        ({"numbers": "1" * 1_000_001}, "内容过长"),
        (
            {"numbers": "x", "file": SimpleUploadedFile("a.xlsx", b"PK\x03\x04")},
            "请选择一种方式",
        ),
        ({"file": SimpleUploadedFile("a.xls", b"\xd0\xcf\x11\xe0")}, "旧版 .xls"),
    ],
)
def test_what_cannot_be_taken_is_said_beside_the_field(sent, words, client, unit, plan):
    start = reverse("orders:group-start", args=[plan.code])

    response = client.post(start, {"unit": unit.code, "numbers": ""} | sent)

    assert words in text_of(response)
    assert GroupCheck.objects.count() == PrivateFile.objects.count() == 0


def test_a_unit_of_others_cannot_be_named(client, plan):
    start = reverse("orders:group-start", args=[plan.code])

    response = client.post(start, {"unit": UnitFactory().code, "numbers": UNKNOWN[0]})

    assert "请选择购买单位" in text_of(response)
    assert GroupCheck.objects.count() == 0


def test_who_acts_for_several_units_chooses(client, coordinator, unit, plan):
    other = UnitFactory()
    UnitAppointmentFactory(unit=other, person=coordinator)
    start = reverse("orders:group-start", args=[plan.code])

    assert "<select" in text_of(client.get(start))
    client.post(start, {"unit": other.code, "numbers": UNKNOWN[0]})

    assert GroupCheck.objects.get().unit == other


def test_the_limit_of_a_day_is_said(client, settings, given, plan, unit):
    settings.GROUP_PURCHASE = settings.GROUP_PURCHASE | {"daily_checks": 1}
    make_checked(UNKNOWN[0], **given)
    start = reverse("orders:group-start", args=[plan.code])

    response = client.post(start, {"unit": unit.code, "numbers": UNKNOWN[0]})

    assert "您今天提交的名单已达上限" in text_of(response)
    assert GroupCheck.objects.count() == 1


# --- Whose it is -------------------------------------------------------------------------
PAGES = ["group-check", "group-errors", "group-correct", "group-checkout"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", ["stranger", "member", "staff", "colleague"])
def test_a_check_is_its_buyers_alone(
    page, who, client_of, check, request, unit, stranger
):
    if who == "colleague":
        UnitAppointmentFactory(unit=unit, person=stranger)
    person = stranger if who == "colleague" else request.getfixturevalue(who)
    other = client_of(person)

    assert other.get(address(page, check)).status_code == 404
    if page in ("group-correct", "group-checkout"):
        sent = LATER | {"unit": unit.code, "numbers": UNKNOWN[1]}
        assert other.post(address(page, check), sent).status_code == 404
    assert GroupCheck.objects.count() == 1
    assert Order.objects.count() == 0


@pytest.mark.parametrize("page", PAGES)
def test_nobody_is_led_to_the_login(page, check):
    from django.test import Client  # noqa: PLC0415

    response = Client().get(address(page, check))

    assert response.status_code == 302
    assert response.url.startswith(reverse("accounts:login"))


def test_the_error_file_is_fetched_by_its_owner_for_a_day(client, check):
    response = client.get(address("group-errors", check))

    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(
        load_workbook(BytesIO(response.content)).active.iter_rows(values_only=True)
    )
    assert rows[1:] == [("4", UNKNOWN[0], None, "未注册或已购买")]
    GroupCheck.objects.update(kept_until=timezone.now())
    assert client.get(address("group-errors", check)).status_code == 404


def test_without_errors_there_is_no_file(client, given, people):
    check = make_checked(paste(*people), **given)

    assert client.get(address("group-errors", check)).status_code == 404


# --- Progress ----------------------------------------------------------------------------
def test_the_progress_asks_again_until_it_is_done(client, given):
    check = hand_in(UNKNOWN[0], **given)
    GroupCheck.objects.update(row_count=200, checked_count=50, state="checking")
    url = address("group-check", check)

    part = text_of(client.get(url, headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert f'hx-get="{url}"' in part
    assert "<b>25</b>%" in part
    assert 'hx-trigger="load delay:1s"' in text_of(client.get(url))

    GroupCheck.objects.update(state="checked")
    done = client.get(url, headers={"HX-Request": "true"})
    assert done.headers["HX-Refresh"] == "true"


def test_rows_are_paged_and_filtered(client, given):
    people = make_trainees(2)
    check = make_checked(paste(*people, *UNKNOWN), **given)
    url = address("group-check", check)

    assert text_of(client.get(url)).count("<tr") == 51
    assert text_of(client.get(url, {"page": 2})).count("<tr") == 13
    assert text_of(client.get(url, {"show": "problems", "page": 2})).count("<tr") == 11


def test_after_a_day_the_rows_are_not_shown_even_before_the_sweep(client, check):
    GroupCheck.objects.update(kept_until=timezone.now())
    url = address("group-check", check)

    page = text_of(client.get(url))
    assert "已按规定清除" in page
    assert UNKNOWN[0][-4:] not in page
    assert client.get(address("group-checkout", check)).url == url
    assert client.get(address("group-correct", check)).url == url

    forget_old_checks(now=timezone.now())
    assert "已按规定清除" in text_of(client.get(url))


# --- Correcting --------------------------------------------------------------------------
def test_correcting_shows_what_was_wrong_and_keeps_the_rest(
    client, unit, check, run_tasks
):
    fourth = make_trainees(1)[0]
    url = address("group-correct", check)

    page = text_of(client.get(url))
    assert UNKNOWN[0] in page
    assert "上次可购买的 3 人" in page
    with run_tasks():
        response = client.post(
            url,
            {"unit": unit.code, "numbers": fourth.id_number, "keeps_free": "on"},
        )

    corrected = GroupCheck.objects.get(replaces=check)
    assert response.url == address("group-check", corrected)
    assert (corrected.free_count, corrected.bad_count) == (4, 0)
    assert "验证通过，4 人均可购买" in text_of(client.get(response.url))
    old = text_of(client.get(address("group-check", check)))
    assert address("group-check", corrected) in old
    assert client.get(address("group-checkout", check)).status_code == 302
