"""The staff's queue: two persons, due dates, letters."""

import re
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.errors import ListNotAllowedError
from accounts.models import (
    AuditEntry,
    Message,
    PrivateFile,
    RegistrationList,
    User,
)
from accounts.services.lists import submit_list
from accounts.services.reference_data import load_roles
from tests.factories.accounts import UserFactory
from tests.factories.lists import (
    hand_in,
    make_checked_list,
    make_line,
    make_lines,
    make_sheet,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("working_calendar")]
State = RegistrationList.State
LIST = "admin:accounts_registrationlist"
QUEUE = reverse(f"{LIST}_changelist")


@pytest.fixture
def colleague(db):
    """A member of the staff with a role, not every right."""
    load_roles()

    def make(role):
        person = UserFactory(is_staff=True)
        person.groups.add(Group.objects.get(name=role))
        return person

    return make


@pytest.fixture
def submitted(unit, coordinator):
    now = timezone.now()
    row = make_checked_list(make_lines(2), unit=unit, coordinator=coordinator, now=now)
    submit_list(list_id=row.pk, leaves_out_invalid=False, actor=coordinator, now=now)
    row.refresh_from_db()
    return row


def address(name, row):
    return reverse(f"{LIST}_{name}", args=[row.pk])


def test_review_approves_and_accounts_are_there(
    client_of, colleague, submitted, run_tasks
):
    client = client_of(colleague("审核"))
    assert client.get(address("approve", submitted)).status_code == 200

    with run_tasks():
        response = client.post(address("approve", submitted), {"is_checked": "on"})

    submitted.refresh_from_db()
    assert response.url == address("change", submitted)
    assert (submitted.state, submitted.new_count) == (State.DONE, 2)
    page = client.get(response.url).content.decode()
    assert "共2行" in page
    assert "500103********" in page


def test_returning_wants_a_reason_and_creates_nothing(
    client_of, colleague, submitted, coordinator, run_tasks
):
    client = client_of(colleague("业务"))
    people = User.objects.count()
    client.post(address("return", submitted), {"reason": ""})
    submitted.refresh_from_db()
    assert submitted.state == State.SUBMITTED

    with run_tasks():
        client.post(address("return", submitted), {"reason": "单位名称与公章不一致"})

    submitted.refresh_from_db()
    assert (submitted.state, submitted.reason) == (
        State.RETURNED,
        "单位名称与公章不一致",
    )
    assert User.objects.count() == people
    message = Message.objects.get(template="list_returned")
    assert message.recipient == coordinator.phone
    assert "单位名称与公章不一致" in message.text


@pytest.mark.parametrize("role", ["财务", "系统", "审计", "区县督导"])
def test_other_roles_decide_nothing(client_of, colleague, submitted, role):
    client = client_of(colleague(role))

    for name in ("approve", "return"):
        assert client.get(address(name, submitted)).status_code == 403
        assert client.post(address(name, submitted), {}).status_code == 403
    assert client.get(reverse(f"{LIST}_upload")).status_code == 403

    submitted.refresh_from_db()
    assert submitted.state == State.SUBMITTED


def test_overdue_lists_are_red_and_first(
    client_of, staff, submitted, unit, coordinator
):
    RegistrationList.objects.filter(pk=submitted.pk).update(due_date=date(2020, 1, 2))
    now = timezone.now()
    given = {"unit": unit, "coordinator": coordinator, "now": now}
    later = make_checked_list(make_lines(1, start=5), **given)
    submit_list(list_id=later.pk, leaves_out_invalid=False, actor=coordinator, now=now)
    newest = make_checked_list(make_lines(1, start=6), **given)

    response = client_of(staff).get(QUEUE)

    assert list(response.context["cl"].result_list) == [submitted, later, newest]
    # In a year whose days off nobody has entered yet the date says so.
    overdue = r'<b class="is-overdue">2020-01-02\S* 已超期</b>'
    assert len(re.findall(overdue, response.content.decode())) == 1


@pytest.fixture
def letter(unit, colleague):
    """A list that a clerk uploaded, with one row that is wrong."""
    return make_checked_list(
        [*make_lines(2), make_line(3, name="吴 三")],
        unit=unit,
        coordinator=colleague("业务"),
        now=timezone.now(),
        channel=RegistrationList.Channel.MAIL,
        reply_mail="hr@example.org",
    )


def test_a_letter_for_the_wrong_unit_is_taken_back(client_of, colleague, letter):
    client, reviewer = client_of(letter.uploaded_by), client_of(colleague("审核"))
    url = address("withdraw", letter)
    assert url in client.get(address("change", letter)).content.decode()
    assert reviewer.post(url).status_code == 403
    assert client.get(url).status_code == 200
    letter.refresh_from_db()
    assert letter.state == State.CHECKED

    client.post(url)

    letter.refresh_from_db()
    assert letter.state == State.WITHDRAWN
    assert url not in client.get(address("change", letter)).content.decode()


def test_staff_take_no_coordinators_list_back(client_of, colleague, submitted):
    client = client_of(colleague("业务"))

    client.post(address("withdraw", submitted))

    submitted.refresh_from_db()
    assert submitted.state == State.SUBMITTED


def test_the_file_of_a_letter_is_made_again_after_a_day(client_of, colleague, letter):
    client, other = client_of(letter.uploaded_by), client_of(colleague("业务"))
    file = reverse(f"{LIST}_file", args=[letter.pk, "errors"])
    PrivateFile.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(file).status_code == 404
    page = client.get(address("change", letter)).content.decode()
    assert file not in page
    assert address("renew", letter) in page
    assert other.post(address("renew", letter)).status_code == 404
    assert client.get(file).status_code == 404

    client.post(address("renew", letter))

    assert client.get(file).status_code == 200
    assert AuditEntry.objects.filter(action="list.error_file_renewed").count() == 1


def correct(client, row, unit, run_tasks):
    with run_tasks():
        return client.post(
            reverse(f"{LIST}_upload") + f"?replaces={row.code}",
            {
                "unit": unit.pk,
                "file": SimpleUploadedFile("x.xlsx", make_sheet(make_lines(3))),
                "reply_mail": "hr@example.org",
                "received_at": "2026-01-05T09:00",
            },
        )


def test_a_corrected_letter_takes_the_place(client_of, letter, unit, run_tasks):
    client = client_of(letter.uploaded_by)
    form = client.get(reverse(f"{LIST}_upload") + f"?replaces={letter.code}").context[
        "form"
    ]
    assert form.initial == {"unit": unit.pk, "reply_mail": "hr@example.org"}

    correct(client, letter, unit, run_tasks)

    letter.refresh_from_db()
    row = RegistrationList.objects.latest("pk")
    assert (letter.state, row.replaces, row.valid_count) == (
        State.WITHDRAWN,
        letter,
        3,
    )


def test_neither_side_ends_the_others_list(
    client_of, colleague, letter, unit, coordinator, run_tasks
):
    own = make_checked_list(
        make_lines(1), unit=unit, coordinator=coordinator, now=timezone.now()
    )

    response = correct(client_of(colleague("业务")), own, unit, run_tasks)
    with pytest.raises(ListNotAllowedError):
        hand_in(
            make_lines(1),
            unit=unit,
            coordinator=coordinator,
            now=timezone.now(),
            replaces=letter,
        )

    assert ListNotAllowedError.message in response.content.decode()
    assert RegistrationList.objects.count() == 2
    for row in (own, letter):
        row.refresh_from_db()
        assert row.state == State.CHECKED


def test_a_letter_is_uploaded_by_one_and_decided_by_another(
    client_of, colleague, unit, run_tasks
):
    clerk, reviewer = colleague("业务"), colleague("业务")
    client = client_of(clerk)
    received = timezone.localtime() - timedelta(hours=1)
    with run_tasks():
        response = client.post(
            reverse(f"{LIST}_upload"),
            {
                "unit": unit.pk,
                "file": SimpleUploadedFile(
                    "x.xlsx", make_sheet([*make_lines(2), make_line(3, name="吴 三")])
                ),
                "reply_mail": "hr@example.org",
                "received_at": f"{received:%Y-%m-%dT%H:%M}",
            },
        )
    row = RegistrationList.objects.get()
    assert response.url == address("change", row)
    assert (row.channel, row.state, row.reply_mail) == (
        "mail",
        State.CHECKED,
        "hr@example.org",
    )
    assert (
        client.get(reverse(f"{LIST}_file", args=[row.pk, "errors"])).status_code == 200
    )
    client.post(
        address("submit", row), {"is_checked": "on", "leaves_out_invalid": "on"}
    )
    row.refresh_from_db()
    assert (row.state, row.submitted_by) == (State.SUBMITTED, clerk)

    client.post(address("approve", row), {"is_checked": "on"})
    row.refresh_from_db()
    assert row.state == State.SUBMITTED, "nobody approves the own upload"

    with run_tasks():
        client_of(reviewer).post(address("approve", row), {"is_checked": "on"})
    row.refresh_from_db()
    assert (row.state, row.new_count) == (State.DONE, 2)
    assert Message.objects.get(template="list_reply").recipient == "hr@example.org"
    assert Message.objects.filter(template="list_done").count() == 0
    assert (
        client_of(reviewer)
        .get(reverse(f"{LIST}_file", args=[row.pk, "results"]))
        .status_code
        == 404
    )


def test_a_letter_from_tomorrow_is_refused(client_of, staff, unit):
    tomorrow = timezone.localtime() + timedelta(days=1)

    response = client_of(staff).post(
        reverse(f"{LIST}_upload"),
        {
            "unit": unit.pk,
            "file": SimpleUploadedFile("x.xlsx", make_sheet(make_lines(1))),
            "reply_mail": "hr@example.org",
            "received_at": f"{tomorrow:%Y-%m-%dT%H:%M}",
        },
    )

    assert "不能晚于现在" in response.content.decode()
    assert RegistrationList.objects.count() == 0


def test_staff_read_which_part_contradicts(client_of, staff, unit, coordinator):
    UserFactory(name="原名", id_number=make_line(0)[2])
    row = make_checked_list(
        make_lines(1), unit=unit, coordinator=coordinator, now=timezone.now()
    )

    page = client_of(staff).get(address("change", row)).content.decode()

    assert "证件号码已被其他姓名注册" in page


def test_htmx_gets_the_bar(client_of, staff, submitted):
    RegistrationList.objects.filter(pk=submitted.pk).update(
        state=State.CREATING, new_count=1
    )

    response = client_of(staff).get(
        address("change", submitted), headers={"HX-Request": "true"}
    )

    assert "<b>50%</b>" in response.content.decode()
