import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.models import (
    AuditEntry,
    PersonRequest,
    PrivateFile,
    UnitAppointment,
    User,
)
from accounts.services.request_decisions import approve_request
from tests.factories.accounts import make_id_number, make_phone
from tests.factories.requests import (
    file_appointment,
    file_lost_phone,
    file_name_change,
    file_number_change,
    make_staff,
    upload,
)

LIST = reverse("admin:accounts_personrequest_changelist")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    return time_machine.move_to(now, tick=False)


@pytest.fixture
def reviewer(db):
    return make_staff("审核", name="审核员甲")


@pytest.fixture
def desk(client_of, reviewer):
    return client_of(reviewer)


def page(row):
    return reverse("admin:accounts_personrequest_change", args=[row.pk])


def file_page(row):
    code = row.files.first().code
    return reverse("admin:accounts_personrequest_file", args=[row.pk, code])


def unmask_page(row):
    return reverse("admin:accounts_personrequest_unmask", args=[row.pk])


def filing_page(person, kind):
    return reverse("admin:accounts_personrequest_file_for", args=[person.code, kind])


def text(response):
    assert response.status_code == 200
    return response.content.decode()


# --- The list ------------------------------------------------------------------------------
def test_overdue_is_seen_and_filtered(
    client_of, reviewer, owner, stranger, now, time_machine
):
    late = file_name_change(owner, now=now)
    time_machine.move_to("2026-06-19 09:00+08:00")
    fresh = file_name_change(stranger, now=now.replace(day=18), name="钱贰")
    # A session of the morning of the 15th is over by now.
    desk = client_of(reviewer)

    html = text(desk.get(LIST))
    assert late.code in html
    assert fresh.code in html
    assert html.count("已超期</b>") == 1

    overdue = text(desk.get(LIST, {"due": "overdue"}))
    assert late.code in overdue
    assert fresh.code not in overdue


def test_what_is_done_is_not_waiting(desk, owner, now, reviewer):
    row = file_name_change(owner, now=now)
    approve_request(request_id=row.pk, seen_version=1, actor=reviewer, now=now)

    assert row.code not in text(desk.get(LIST, {"due": "waiting"}))
    assert row.code in text(desk.get(LIST, {"state": "approved"}))


def test_the_start_page_counts_what_waits(desk, owner, now):
    file_name_change(owner, now=now)

    html = text(desk.get(reverse("admin:index")))

    assert f"{LIST}?due=waiting" in html
    assert "待审批申请" in html


def test_few_queries(desk, owner, stranger, now, django_assert_max_num_queries):
    file_name_change(owner, now=now)
    file_name_change(stranger, now=now, name="钱贰")

    with django_assert_max_num_queries(12):
        desk.get(LIST)


# --- The page ------------------------------------------------------------------------------
def test_old_beside_new_masked_with_the_proofs(desk, owner, now):
    row = file_number_change(owner, now=now)

    html = text(desk.get(page(row)))

    assert owner.masked_id_number in html
    assert owner.id_number not in html
    assert make_id_number(7001) not in html
    assert f'<img src="{file_page(row)}"' in html
    assert unmask_page(row) in html
    assert AuditEntry.objects.filter(action="request.proof_opened").count() == 0


def test_a_proof_is_opened_and_noted(desk, owner, reviewer, now):
    row = file_name_change(owner, now=now)

    response = desk.get(file_page(row))

    assert response["Content-Type"] == "image/jpeg"
    assert "no-store" in response["Cache-Control"]
    entry = AuditEntry.objects.latest("position")
    assert (entry.action, entry.actor) == ("request.proof_opened", reviewer)
    assert entry.target == f"request:{row.code}"


def test_a_proof_of_another_request_is_not_found_here(desk, owner, stranger, now):
    row = file_name_change(owner, now=now)
    other = file_name_change(stranger, now=now, name="钱贰")
    code = other.files.get().code

    url = reverse("admin:accounts_personrequest_file", args=[row.pk, code])

    assert desk.get(url).status_code == 404


def test_full_numbers_need_a_reason(desk, owner, reviewer, now):
    row = file_number_change(owner, now=now)

    without = text(desk.post(unmask_page(row), {"reason": ""}))
    assert owner.id_number not in without
    html = text(desk.post(unmask_page(row), {"reason": "核对身份证照片"}))

    assert owner.id_number in html
    assert make_id_number(7001) in html
    entry = AuditEntry.objects.get(action="personal_data.unmasked")
    assert (entry.actor, entry.target) == (reviewer, f"request:{row.code}")
    assert entry.detail == {"reason": "核对身份证照片"}


def test_who_is_bound_to_regions_unmasks_no_request(client_of, owner, reviewer, now):
    reviewer.groups.add(Group.objects.get(name="区县督导"))
    row, desk = file_number_change(owner, now=now), client_of(reviewer)

    answer = desk.post(unmask_page(row), {"reason": "核对身份证照片"})

    assert unmask_page(row) not in text(desk.get(page(row)))
    assert answer.status_code == 403
    assert not AuditEntry.objects.filter(action="personal_data.unmasked").exists()


# --- Deciding ------------------------------------------------------------------------------
def decide(client, row, decision, **values):
    form = {"decision": decision, "version": row.version, "reason": ""} | values
    return client.post(page(row), form)


def test_approved(desk, client_of, owner, now, regions):
    row = file_appointment(owner, now=now)
    clerk = make_staff("业务")

    response = decide(client_of(clerk), row, "approve")

    assert response.url == LIST
    assert UnitAppointment.objects.get().person == owner
    assert PersonRequest.objects.get().first_decider == clerk


@pytest.mark.parametrize(
    ("decision", "state"), [("return", "returned"), ("refuse", "refused")]
)
def test_turned_down_with_a_reason_only(desk, owner, now, decision, state):
    row = file_name_change(owner, now=now)

    html = text(decide(desk, row, decision, reason="  "))
    assert "请填写原因" in html
    row.refresh_from_db()
    assert row.state == "open"

    assert decide(desk, row, decision, reason="照片看不清").url == LIST
    row.refresh_from_db()
    assert row.state == state
    assert row.events.get(kind=state).reason == "照片看不清"


def test_two_colleagues_for_a_lost_phone(desk, client_of, owner, now):
    row = file_lost_phone(owner, now=now)

    decide(desk, row, "approve")
    row.refresh_from_db()
    assert row.state == "first_approved"
    html = text(desk.get(page(row)))
    assert "须由另一名工作人员复核" in html
    assert 'value="approve"' not in html
    assert "另一名工作人员复核" in text(decide(desk, row, "approve"))

    decide(client_of(make_staff("业务")), row, "approve")
    row.refresh_from_db()
    assert row.state == "approved"
    assert User.objects.get(pk=owner.pk).phone == make_phone(7002)


def test_a_page_that_is_out_of_date_decides_nothing(desk, owner, now):
    row = file_name_change(owner, now=now)

    html = text(decide(desk, row, "approve", version=7))

    assert "已有变化" in html
    row.refresh_from_db()
    owner.refresh_from_db()
    assert (row.state, owner.name) == ("open", "赵一")


def test_warnings_stand_above(desk, owner, now):
    row = file_lost_phone(owner, now=now)
    User.objects.filter(pk=owner.pk).update(name="赵壹")

    assert "姓名不一致" in text(desk.get(page(row)))


# --- Rights --------------------------------------------------------------------------------
@pytest.mark.parametrize("role", ["财务", "系统", "区县督导"])
def test_roles_that_see_nothing(client_of, owner, now, role):
    row = file_name_change(owner, now=now)
    client = client_of(make_staff(role))

    for response in (
        client.get(LIST),
        client.get(page(row)),
        decide(client, row, "approve"),
        client.get(file_page(row)),
        client.post(unmask_page(row), {"reason": "核对身份证照片"}),
        client.get(filing_page(owner, "name_change")),
    ):
        assert response.status_code == 403
    owner.refresh_from_db()
    assert owner.name == "赵一"
    assert AuditEntry.objects.count() == 1


def test_auditors_read_and_neither_open_nor_decide(client_of, owner, now):
    row = file_name_change(owner, now=now)
    client = client_of(make_staff("审计"))

    html = text(client.get(page(row)))
    assert "查看证明材料需要审批权限" in html
    assert 'name="decision"' not in html
    assert client.get(file_page(row)).status_code == 403
    assert decide(client, row, "approve").status_code == 403
    row.refresh_from_db()
    assert row.state == "open"


def test_the_business_role_does_not_change_names(client_of, owner, now):
    row = file_name_change(owner, now=now)
    client = client_of(make_staff("业务"))

    html = text(client.get(page(row)))
    assert "没有审批该类申请的权限" in html
    decide(client, row, "approve")

    owner.refresh_from_db()
    assert owner.name == "赵一"
    # Nor does it look at identity cards that it has nothing to decide on.
    assert "查看证明材料需要审批权限" in html
    assert client.get(file_page(row)).status_code == 403
    assert not AuditEntry.objects.filter(action="request.proof_opened").exists()


def test_a_trainee_gets_nowhere(client_of, owner, stranger, now):
    row = file_name_change(owner, now=now)
    client = client_of(stranger)

    for response in (
        client.get(LIST),
        client.get(page(row)),
        decide(client, row, "approve"),
        client.get(file_page(row)),
    ):
        assert response.url.startswith(reverse("admin:login"))
    row.refresh_from_db()
    assert row.state == "open"


@pytest.mark.parametrize("name", ["nothing", "999999"])
def test_what_is_not_there(desk, name):
    url = reverse("admin:accounts_personrequest_change", args=[name])

    assert desk.get(url).status_code == 404


# --- On somebody's behalf ------------------------------------------------------------------
def test_filed_at_the_counter_and_decided_by_others(desk, client_of, owner, reviewer):
    user_page = reverse("admin:accounts_user_change", args=[owner.pk])
    assert filing_page(owner, "phone_lost") in text(desk.get(user_page))

    response = desk.post(
        filing_page(owner, "phone_lost"),
        {"phone": make_phone(7002), "contact": "单位电话", "proofs": [upload()]},
    )

    row = PersonRequest.objects.get()
    assert response.url == page(row)
    assert (row.person, row.filed_by) == (owner, reviewer)
    assert row.wanted["id_number"] == owner.id_number
    html = text(desk.get(page(row)))
    assert "该申请由您登记" in html
    assert "单位电话" not in html
    unmasked = desk.post(unmask_page(row), {"reason": "核对联系方式"})
    assert "单位电话" in text(unmasked)
    decide(desk, row, "approve")
    row.refresh_from_db()
    assert row.state == "open"
    for colleague in (make_staff("审核"), make_staff("业务")):
        decide(client_of(colleague), row, "approve")
        row.refresh_from_db()
    assert row.state == "approved"
    assert User.objects.get(pk=owner.pk).phone == make_phone(7002)


def test_the_counter_refuses_what_the_person_would_be_refused(desk, owner, now):
    file_name_change(owner, now=now)

    response = desk.post(
        filing_page(owner, "name_change"), {"name": "赵艺", "proofs": [upload()]}
    )

    assert "同类申请正在办理" in text(response)
    assert PersonRequest.objects.count() == 1
    assert PrivateFile.objects.count() == 1


@pytest.mark.parametrize("kind", ["name_change", "number_change", "appointment"])
def test_every_kind_has_its_form(desk, owner, kind):
    assert (
        "证明材料" in text(desk.get(filing_page(owner, kind))) or kind == "appointment"
    )


def test_no_other_kinds_and_no_other_people(desk, owner):
    assert desk.get(filing_page(owner, "other")).status_code == 404
    url = reverse(
        "admin:accounts_personrequest_file_for", args=["nobody", "phone_lost"]
    )
    assert desk.get(url).status_code == 404
