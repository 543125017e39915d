"""The staff's queue of claims: due dates, proofs by right, four eyes, letters by mail."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from catalog.models import Plan
from learning.models import Enrolment
from orders.models import Claim
from tests.factories.accounts import make_id_number
from tests.factories.claims import (
    LETTER,
    VOUCHER,
    approve,
    file_commitment,
    file_voucher,
    make_past_plan,
)
from tests.factories.learning import EnrolmentFactory
from tests.factories.requests import make_staff, upload

pytestmark = pytest.mark.django_db
LogIn = Callable[[User], Client]

LIST = reverse("admin:orders_claim_changelist")


@pytest.fixture(autouse=True)
def clock(time_machine: Any, now: datetime) -> Any:
    return time_machine.move_to(now, tick=False)


@pytest.fixture
def plan(db: None) -> Plan:
    return make_past_plan()


@pytest.fixture
def claim(owner: User, plan: Plan, now: datetime) -> Claim:
    return file_voucher(owner, plan, now=now)


def page_of(claim: Claim) -> str:
    return reverse("admin:orders_claim_change", args=[claim.pk])


def file_of(claim: Claim) -> str:
    code = claim.files.get().code
    return reverse("admin:orders_claim_file", args=[claim.pk, code])


def enter_page(kind: str) -> str:
    return reverse("admin:orders_claim_enter", args=[kind])


def text(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


def decide(client: Client, claim: Claim, decision: str, reason: str = "") -> str:
    claim.refresh_from_db()
    data = {"decision": decision, "version": claim.version, "reason": reason}
    return text(client.post(page_of(claim), data, follow=True))


# --- The queue -------------------------------------------------------------------------------
def test_longest_overdue_first_and_what_is_done_last(
    owner: User, stranger: User, plan: Plan, client_of: LogIn, now: datetime
) -> None:
    done = file_voucher(owner, make_past_plan(year=2017), now=now - timedelta(days=40))
    approve(done, make_staff("业务"), now=now)
    approve(done, make_staff("审核"), now=now)
    fresh = file_voucher(owner, plan, now=now)
    late = file_voucher(stranger, plan, now=now - timedelta(days=10))
    later = file_voucher(owner, make_past_plan(year=2018), now=now - timedelta(days=20))

    page = text(client_of(make_staff("审核")).get(LIST))

    places = [page.index(each.code) for each in (later, late, fresh, done)]
    assert places == sorted(places)
    assert page.count("已超期</b>") == 2


def test_filter_by_what_is_overdue(
    owner: User, stranger: User, plan: Plan, client_of: LogIn, now: datetime
) -> None:
    fresh = file_voucher(owner, plan, now=now)
    late = file_voucher(stranger, plan, now=now - timedelta(days=10))
    client = client_of(make_staff("业务"))

    waiting = text(client.get(LIST, {"due": "waiting"}))
    overdue = text(client.get(LIST, {"due": "overdue"}))

    assert fresh.code in waiting
    assert late.code in waiting
    assert fresh.code not in overdue
    assert late.code in overdue


def test_list_costs_the_same_for_many(
    owner: User, client_of: LogIn, now: datetime, django_assert_max_num_queries: Any
) -> None:
    for year in range(2011, 2025):
        file_voucher(owner, make_past_plan(year=year), now=now)
    client = client_of(make_staff("审核"))

    with django_assert_max_num_queries(12):
        client.get(LIST)


# --- Deciding --------------------------------------------------------------------------------
def test_two_of_the_staff_open_the_plan(
    claim: Claim, owner: User, plan: Plan, client_of: LogIn
) -> None:
    first, second = client_of(make_staff("业务")), client_of(make_staff("审核"))

    assert "初审通过，须由另一名工作人员复核。" in decide(first, claim, "approve")
    assert not Enrolment.objects.exists()
    mine = text(first.get(page_of(claim)))
    assert "您已完成初审" in mine
    assert 'value="approve"' not in mine
    assert "已通过。" in decide(second, claim, "approve")

    enrolment = Enrolment.objects.get()
    assert (enrolment.person, enrolment.plan) == (owner, plan)
    assert "该申请已办结。" in text(second.get(page_of(claim)))


def test_first_approver_cannot_force_the_second(claim: Claim, client_of: LogIn) -> None:
    first = client_of(make_staff("业务"))
    decide(first, claim, "approve")

    page = decide(first, claim, "approve")

    assert "须由另一名工作人员复核" in page
    assert not Enrolment.objects.exists()


def test_page_shows_the_claim_masked(
    claim: Claim, owner: User, client_of: LogIn
) -> None:
    page = text(client_of(make_staff("审核")).get(page_of(claim)))

    for shown in ("GX-2019-0001", "33.00", "原公需科目学习网", "2019-06-30"):
        assert shown in page
    assert owner.masked_id_number in page
    assert owner.id_number not in page
    assert owner.phone not in page


def test_letter_is_shown_masked(
    owner: User, plan: Plan, client_of: LogIn, now: datetime
) -> None:
    claim = file_commitment(owner, plan, now=now)

    page = text(client_of(make_staff("审核")).get(page_of(claim)))

    assert "因原平台已关闭原因，无法提供缴费凭证。" in page
    assert owner.id_number not in page
    assert owner.phone not in page


def test_page_warns_of_a_plan_held_meanwhile(
    claim: Claim, owner: User, plan: Plan, client_of: LogIn
) -> None:
    EnrolmentFactory(person=owner, plan=plan)
    client = client_of(make_staff("审核"))

    assert "该学习计划已开通，无需提交缴费凭证。不能通过。" in text(
        client.get(page_of(claim))
    )
    assert "该学习计划已开通" in decide(client, claim, "approve")
    claim.refresh_from_db()
    assert claim.state == "open"


@pytest.mark.parametrize("decision", ["return", "refuse"])
def test_no_without_a_reason(claim: Claim, client_of: LogIn, decision: str) -> None:
    page = decide(client_of(make_staff("审核")), claim, decision)

    assert "请填写原因" in page
    claim.refresh_from_db()
    assert claim.state == "open"


def test_page_left_open_decides_nothing(claim: Claim, client_of: LogIn) -> None:
    decide(client_of(make_staff("业务")), claim, "approve")
    client = client_of(make_staff("审核"))

    page = text(
        client.post(page_of(claim), {"decision": "approve", "version": 1}, follow=True)
    )

    assert "已有变化" in page
    assert not Enrolment.objects.exists()


# --- Rights ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "status"),
    [("财务", 200), ("审计", 200), ("系统", 403), ("区县督导", 403)],
)
def test_others_see_at_most_and_decide_nothing(
    claim: Claim, client_of: LogIn, role: str, status: int
) -> None:
    client = client_of(make_staff(role))

    assert client.get(page_of(claim)).status_code == status
    assert client.get(file_of(claim)).status_code == 403
    data = {"decision": "approve", "version": 1}
    assert client.post(page_of(claim), data).status_code == 403
    assert client.get(enter_page("voucher")).status_code == 403
    claim.refresh_from_db()
    assert claim.state == "open"
    assert not AuditEntry.objects.filter(action="claim.proof_opened").exists()


def test_who_may_only_look_sees_no_proofs(claim: Claim, client_of: LogIn) -> None:
    page = text(client_of(make_staff("财务")).get(page_of(claim)))

    assert "查看证明材料需要审批权限。" in page
    assert file_of(claim) not in page
    assert 'value="approve"' not in page


def test_trainees_and_visitors_are_kept_out(
    claim: Claim, owner: User, client_of: LogIn
) -> None:
    for client in (Client(), client_of(owner)):
        for address in (LIST, page_of(claim), file_of(claim), enter_page("voucher")):
            assert client.get(address).status_code in {302, 403}


def test_each_look_at_a_proof_is_noted(claim: Claim, client_of: LogIn) -> None:
    reviewer = make_staff("审核")

    response = client_of(reviewer).get(file_of(claim))

    assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
    note = AuditEntry.objects.get(action="claim.proof_opened")
    assert (note.target, note.actor) == (f"claim:{claim.code}", reviewer)


def test_proof_of_another_claim_is_not_found(
    claim: Claim, stranger: User, plan: Plan, client_of: LogIn, now: datetime
) -> None:
    other = file_voucher(stranger, plan, now=now)
    address = reverse(
        "admin:orders_claim_file", args=[claim.pk, other.files.get().code]
    )

    assert client_of(make_staff("审核")).get(address).status_code == 404


# --- Letters by mail -------------------------------------------------------------------------
def mailed(person: User, plan: Plan, **values: Any) -> dict[str, Any]:
    data = VOUCHER | {"amount_fen": "33.00", "proofs": [upload()]}
    return data | {"id_number": person.id_number, "plan": plan.code} | values


def test_letter_by_mail_is_entered_and_decided_by_others(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    clerk = make_staff("业务", name="吴六")
    desk = client_of(clerk)

    assert enter_page("voucher") in text(desk.get(LIST))
    desk.post(enter_page("voucher"), mailed(owner, plan))

    claim = Claim.objects.get()
    assert (claim.person, claim.filed_by) == (owner, clerk)
    page = decide(desk, claim, "approve")
    assert "该申请由您登记，请由其他工作人员审批。" in page
    claim.refresh_from_db()
    assert claim.state == "open"
    decide(client_of(make_staff("业务")), claim, "approve")
    decide(client_of(make_staff("审核")), claim, "approve")
    assert Enrolment.objects.get().person == owner


def test_commitment_by_mail_needs_its_scan(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    desk = client_of(make_staff("业务"))
    data = LETTER | {"id_number": owner.id_number, "plan": plan.code}

    page = text(desk.post(enter_page("commitment"), data))
    assert "请上传证明材料。" in page
    assert not Claim.objects.exists()
    desk.post(enter_page("commitment"), data | {"proofs": [upload()]})

    claim = Claim.objects.get()
    assert claim.kind == "commitment"
    assert claim.files.count() == 1
    assert claim.wanted["letter"].startswith("本人赵一，身份证号码：")


def test_nobody_with_that_number(plan: Plan, client_of: LogIn, owner: User) -> None:
    desk = client_of(make_staff("业务"))
    data = mailed(owner, plan, id_number=make_id_number(9999))

    page = text(desk.post(enter_page("voucher"), data))

    assert "没有使用该证件号码的账号" in page
    assert not Claim.objects.exists()


def test_unknown_kind_of_letter(client_of: LogIn) -> None:
    assert client_of(make_staff("业务")).get(enter_page("none")).status_code == 404
