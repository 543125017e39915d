"""单位工作台 · 批量注册: who may see what, and what the pages do."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from accounts.documents import NOTES_SHEET
from accounts.models import PrivateFile, RegistrationList, User
from accounts.rules.lists import MAX_BYTES
from accounts.services.lists import create_accounts
from tests.factories.accounts import (
    UnitAppointmentFactory,
    UnitFactory,
    make_id_number,
    make_phone,
)
from tests.factories.lists import (
    FIRST,
    make_approved_list,
    make_checked_list,
    make_coordinator,
    make_line,
    make_lines,
    make_sheet,
)

pytestmark = pytest.mark.django_db
State = RegistrationList.State
INDEX = reverse("accounts:list-index")
UPLOAD = reverse("accounts:list-upload")
BAD = make_line(7, name="吴 七")


@pytest.fixture
def checked(unit, coordinator):
    return make_checked_list(
        [*make_lines(2), BAD],
        unit=unit,
        coordinator=coordinator,
        now=timezone.now(),
        reply_mail="hr@example.org",
    )


@pytest.fixture
def done(unit, coordinator, staff):
    row = make_approved_list(
        make_lines(2),
        unit=unit,
        coordinator=coordinator,
        staff=staff,
        now=timezone.now(),
    )
    create_accounts(list_id=row.pk, clock=timezone.now)
    row.refresh_from_db()
    return row


def address(page, row):
    return reverse(f"accounts:list-{page}", args=[row.code])


def xlsx(content, name="名单.xlsx"):
    return SimpleUploadedFile(name, content)


def send(client, content, run_tasks, **query):
    with run_tasks():
        return client.post(
            UPLOAD + ("?replaces=" + query["replaces"] if query else ""),
            {"file": xlsx(content), "reply_mail": ""},
        )


def test_upload_is_checked_and_shown(client_of, coordinator, run_tasks):
    client = client_of(coordinator)

    response = send(client, make_sheet([*make_lines(2), BAD]), run_tasks)

    row = RegistrationList.objects.get()
    assert response.url == address("detail", row)
    assert (row.state, row.row_count, row.valid_count) == (State.CHECKED, 3, 2)
    page = client.get(response.url).content.decode()
    assert "有 1 行需要修改" in page
    assert "500103********" in page
    assert make_id_number(FIRST) not in page
    assert make_phone(FIRST) not in page


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n picture", "请上传 .xlsx 文件"),
        (b"", "文件是空的"),
        (b"PK\x03\x04" + b"x" * 5 * 1024 * 1024, "超过 5 MB"),
    ],
)
def test_what_is_no_sheet_is_refused_at_once(
    client_of, coordinator, run_tasks, content, words
):
    response = send(client_of(coordinator), content, run_tasks)

    assert words in response.content.decode()
    assert RegistrationList.objects.count() == 0
    assert PrivateFile.objects.count() == 0


def test_a_file_that_is_no_list_says_why(client_of, coordinator, run_tasks):
    client = client_of(coordinator)

    response = send(client, b"PK\x03\x04 not a zip file", run_tasks)

    row = RegistrationList.objects.get()
    assert row.state == State.REFUSED
    assert row.rows.count() == 0
    assert row.reason in client.get(response.url).content.decode()


def test_only_rows_with_problems_can_be_shown(client_of, coordinator, checked):
    client = client_of(coordinator)

    everything = client.get(address("detail", checked)).context["rows"]
    problems = client.get(address("detail", checked) + "?show=problems").context["rows"]

    assert len(everything) == 3
    assert [row.name for row in problems] == ["吴 七"]
    assert [column for column, _ in problems[0].problems] == ["姓名"]


def test_submitting_wants_both_choices(client_of, coordinator, checked):
    client, url = client_of(coordinator), address("submit", checked)
    for data in ({}, {"is_checked": "on"}, {"leaves_out_invalid": "on"}):
        response = client.post(url, data)

        assert response.status_code == 200
        checked.refresh_from_db()
        assert checked.state == State.CHECKED

    response = client.post(url, {"is_checked": "on", "leaves_out_invalid": "on"})

    checked.refresh_from_db()
    assert response.url == address("detail", checked)
    assert checked.state == State.SUBMITTED
    assert checked.leaves_out_invalid


def test_a_corrected_file_takes_the_place(client_of, coordinator, checked, run_tasks):
    client = client_of(coordinator)

    response = send(client, make_sheet(make_lines(3)), run_tasks, replaces=checked.code)

    checked.refresh_from_db()
    row = RegistrationList.objects.latest("pk")
    assert (checked.state, row.replaces) == (State.WITHDRAWN, checked)
    assert (row.state, row.invalid_count) == (State.CHECKED, 0)
    page = client.get(response.url)
    assert page.context["history"] == [checked]


def test_a_corrected_file_with_fewer_people_says_so(
    client_of, coordinator, checked, run_tasks
):
    """Only the wrong rows were sent again: everybody else would be forgotten."""
    client = client_of(coordinator)

    response = send(client, make_sheet(make_lines(1)), run_tasks, replaces=checked.code)

    row = RegistrationList.objects.latest("pk")
    page = client.get(response.url)
    assert page.context["missing_count"] == 2
    assert "本名单比更正前少 <b>2</b> 人" in page.content.decode()
    assert "2 人，请确认没有遗漏" in client.get(address("submit", row)).content.decode()
    before = client.get(address("detail", checked)).content.decode()
    assert address("detail", row) in before
    assert f"?replaces={checked.code}" not in before


def test_a_long_history_is_not_read_for_ever(
    client_of, unit, coordinator, django_assert_max_num_queries
):
    row = None
    for _ in range(9):
        row = make_checked_list(
            make_lines(1),
            unit=unit,
            coordinator=coordinator,
            now=timezone.now(),
            replaces=row,
        )
    client = client_of(coordinator)
    client.get(INDEX)

    with django_assert_max_num_queries(14):
        page = client.get(address("detail", row))
    assert len(page.context["history"]) == 5


def test_a_letter_is_shown_to_the_unit_and_left_to_staff(
    client_of, coordinator, unit, staff
):
    row = make_checked_list(
        make_lines(2),
        unit=unit,
        coordinator=staff,
        now=timezone.now(),
        channel=RegistrationList.Channel.MAIL,
    )
    client = client_of(coordinator)

    page = client.get(address("detail", row)).content.decode()

    assert "名单由工作人员根据来信代传" in page
    for name in ("submit", "withdraw"):
        assert address(name, row) not in page
        client.post(address(name, row), {"is_checked": "on"})
    assert f"?replaces={row.code}" not in page
    row.refresh_from_db()
    assert row.state == State.CHECKED


def test_a_large_list_never_lies_in_a_temporary_folder(
    client_of, coordinator, run_tasks, monkeypatch
):
    def fail(*_args):
        raise AssertionError("written in the clear")

    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", fail)
    content = b"PK\x03\x04" + bytes(MAX_BYTES - 4)

    send(client_of(coordinator), content, run_tasks)

    assert RegistrationList.objects.get().state == State.REFUSED


def test_withdrawing_asks_first(client_of, coordinator, checked):
    client, url = client_of(coordinator), address("withdraw", checked)
    assert client.get(url).status_code == 200
    checked.refresh_from_db()
    assert checked.state == State.CHECKED

    client.post(url)

    checked.refresh_from_db()
    assert checked.state == State.WITHDRAWN


def test_the_template_names_the_rule_of_this_portal(client_of, coordinator, settings):
    settings.FIRST_PASSWORD_RULE = "zeros"

    response = client_of(coordinator).get(reverse("accounts:list-template"))

    assert response["Content-Disposition"].startswith("attachment;")
    notes = load_workbook(BytesIO(response.content))[NOTES_SHEET]
    text = "\n".join(str(cell.value) for row in notes.rows for cell in row)
    assert "初始密码为000000（六个零）" in text


# --- Progress -------------------------------------------------------------------------------


def test_htmx_gets_the_bar_while_a_worker_is_at_it(client_of, coordinator, checked):
    RegistrationList.objects.filter(pk=checked.pk).update(
        state=State.CREATING, new_count=1
    )
    client = client_of(coordinator)

    response = client.get(address("detail", checked), headers={"HX-Request": "true"})

    assert "已完成 <b>50</b>%" in response.content.decode()
    assert "<html" not in response.content.decode()


def test_htmx_is_told_to_reload_at_the_end(client_of, coordinator, done):
    client = client_of(coordinator)

    response = client.get(address("detail", done), headers={"HX-Request": "true"})

    assert response["HX-Refresh"] == "true"


# --- Files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["errors", "results"])
def test_files_are_for_the_uploader_and_a_day(
    client_of, coordinator, unit, checked, done, kind
):
    row = checked if kind == "errors" else done
    colleague = make_coordinator(unit)

    assert client_of(coordinator).get(address(kind, row)).status_code == 200
    assert client_of(colleague).get(address("detail", row)).status_code == 200
    assert client_of(colleague).get(address(kind, row)).status_code == 404
    PrivateFile.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client_of(coordinator).get(address(kind, row)).status_code == 404

    client_of(colleague).post(address("renew-file", row))
    assert client_of(coordinator).get(address(kind, row)).status_code == 404
    client_of(coordinator).post(address("renew-file", row))
    assert client_of(coordinator).get(address(kind, row)).status_code == 200


# --- Strangers ------------------------------------------------------------------------------

PAGES = ("detail", "submit", "withdraw", "errors", "results")


def test_others_find_nothing(client_of, checked, owner, staff):
    other = make_coordinator(UnitFactory())
    for person in (other, owner, staff):
        client = client_of(person)
        for page in PAGES:
            assert client.get(address(page, checked)).status_code == 404
        for page in ("submit", "withdraw", "renew-file"):
            assert client.post(address(page, checked)).status_code == 404
        query = f"?replaces={checked.code}"
        assert client.get(UPLOAD + query).status_code == 404
    assert client_of(other).get(INDEX).context["page_obj"].paginator.count == 0
    checked.refresh_from_db()
    assert checked.state == State.CHECKED


def test_who_acts_for_no_unit_has_no_such_pages(client_of, owner, run_tasks):
    client = client_of(owner)
    for url in (INDEX, UPLOAD, reverse("accounts:list-template")):
        assert client.get(url).status_code == 404
    assert send(client, make_sheet(make_lines(1)), run_tasks).status_code == 404
    assert RegistrationList.objects.count() == 0


def test_a_coordinator_of_yesterday_finds_nothing(
    client_of, coordinator, unit, checked
):
    coordinator.appointments.update(ended_at=timezone.now())
    UnitAppointmentFactory(person=coordinator)

    client = client_of(coordinator)

    assert client.get(address("detail", checked)).status_code == 404
    assert client.post(address("withdraw", checked)).status_code == 404


def test_the_pages_cost_the_same_for_many_rows(
    client_of, unit, coordinator, django_assert_max_num_queries
):
    row = make_checked_list(
        make_lines(40), unit=unit, coordinator=coordinator, now=timezone.now()
    )
    client = client_of(coordinator)
    client.get(INDEX)

    with django_assert_max_num_queries(7):
        client.get(address("detail", row))
    assert User.objects.filter(state=User.State.PENDING).count() == 0
