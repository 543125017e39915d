"""我的凭证 in the browser: filled in, signed, looked at by its owner and by nobody else."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Message, PrivateFile, User
from catalog.models import Plan
from orders.models import Claim
from orders.services.claims import return_claim
from tests.factories.claims import (
    LETTER,
    approve,
    file_commitment,
    file_voucher,
    make_past_plan,
)
from tests.factories.learning import EnrolmentFactory
from tests.factories.requests import make_staff, upload

pytestmark = pytest.mark.django_db
LogIn = Callable[[User], Client]

LIST = reverse("orders:claims")
VOUCHER_FORM = reverse("orders:claim-new", args=["voucher"])
LETTER_FORM = reverse("orders:claim-new", args=["commitment"])


@pytest.fixture(autouse=True)
def clock(time_machine: Any, now: datetime) -> None:
    time_machine.move_to(now, tick=False)


@pytest.fixture
def plan(db: None) -> Plan:
    return make_past_plan()


def voucher(plan: Plan, **changes: Any) -> dict[str, Any]:
    return {
        "plan": plan.code,
        "order_number": "GX-2019-0001",
        "payer": "赵一",
        "paid_on": "2019-06-30",
        "amount_fen": "33.00",
        "platform": "原公需科目学习网",
        "proofs": [upload()],
    } | changes


def page_of(name: str, claim: Claim, *arguments: str) -> str:
    return reverse(f"orders:{name}", args=[claim.code, *arguments])


def text(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


def give_back(claim: Claim, now: datetime, reason: str = "截图看不清") -> None:
    return_claim(
        claim_id=claim.pk,
        seen_version=claim.version,
        reason=reason,
        actor=make_staff("审核", name="审核员甲"),
        now=now,
    )


# --- Vouchers --------------------------------------------------------------------------------
def test_voucher_is_handed_in(owner: User, plan: Plan, client_of: LogIn) -> None:
    response = client_of(owner).post(VOUCHER_FORM, voucher(plan))

    claim = Claim.objects.get()
    assert response["Location"] == page_of("claim", claim)
    assert (claim.kind, claim.person, claim.plan) == ("voucher", owner, plan)
    assert claim.wanted == {
        "order_number": "GX-2019-0001",
        "payer": "赵一",
        "paid_on": "2019-06-30",
        "amount_fen": "3300",
        "platform": "原公需科目学习网",
    }
    assert claim.files.count() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"plan": "none"}, "该年度不受理缴费凭证"),
        ({"order_number": ""}, "请填写订单编号。"),
        ({"payer": ""}, "请填写付款人。"),
        ({"platform": ""}, "请填写缴费平台。"),
        ({"paid_on": "昨天"}, "请填写日期，如 2019-06-30。"),
        ({"paid_on": "2026-06-16"}, "缴费时间不能晚于今天。"),
        ({"amount_fen": "三十三"}, "请填写金额"),
        ({"proofs": []}, "请上传证明材料。"),
    ],
)
def test_mistake_files_nothing(
    owner: User, plan: Plan, client_of: LogIn, change: dict[str, Any], words: str
) -> None:
    response = client_of(owner).post(VOUCHER_FORM, voucher(plan) | change)

    assert words in text(response)
    assert not Claim.objects.exists()
    assert not PrivateFile.objects.exists()


def test_file_that_is_no_picture(owner: User, plan: Plan, client_of: LogIn) -> None:
    fake = upload(b"<?php echo 1; ?>", "截图.jpg")

    response = client_of(owner).post(VOUCHER_FORM, voucher(plan, proofs=[fake]))

    assert "第1个文件不是图片或PDF" in text(response)
    assert not Claim.objects.exists()


def test_form_offers_the_years_that_accept_claims(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    make_past_plan(title="2018年公需科目", year=2018, accepts_claims=False)
    make_past_plan(title="2026年公需科目", year=2026)

    page = text(client_of(owner).get(VOUCHER_FORM))

    assert re.findall(r"(20\d\d)年度　", page) == ["2019"]


def test_without_such_a_year_the_page_says_so(owner: User, client_of: LogIn) -> None:
    assert "目前没有受理缴费凭证的年度" in text(client_of(owner).get(VOUCHER_FORM))


def test_eleventh_try_of_a_day(owner: User, plan: Plan, client_of: LogIn) -> None:
    client = client_of(owner)
    EnrolmentFactory(person=owner, plan=plan)
    for _ in range(10):
        assert "已开通" in text(client.post(VOUCHER_FORM, voucher(plan)))

    page = text(client.post(VOUCHER_FORM, voucher(plan)))

    assert "次数过多" in page
    assert not Claim.objects.exists()


# --- Letters ---------------------------------------------------------------------------------
def test_letter_is_read_then_signed(owner: User, plan: Plan, client_of: LogIn) -> None:
    client = client_of(owner)
    filled = LETTER | {"plan": plan.code}

    page = text(client.post(LETTER_FORM, filled))

    assert "因原平台已关闭原因，无法提供缴费凭证。" in page
    assert owner.masked_id_number in page
    assert owner.id_number not in page
    assert owner.phone not in page
    assert not Claim.objects.exists()

    sent = client.post(reverse("accounts:send-code"), {"purpose": "sign"})
    assert sent.status_code == 200
    (code,) = re.findall(r"验证码(\d{6})", Message.objects.get().text)
    signature = {"sign": "1", "understood": "on", "signature": "赵一", "code": code}
    response = client.post(LETTER_FORM, filled | signature)

    claim = Claim.objects.get()
    assert response["Location"] == page_of("claim", claim)
    assert claim.kind == "commitment"
    assert claim.wanted["letter"].endswith("承诺人：赵一\n时 间：2026年6月15日")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"signature": "钱二"}, "签名与账号登记的姓名不一致。"),
        ({"signature": "赵 一"}, "请填写与证件一致的姓名"),
        ({"signature": ""}, "请输入您的姓名签署。"),
        ({"code": "000000"}, "验证码"),
        ({"code": ""}, "请填写短信验证码。"),
        ({"understood": ""}, "请确认已阅读承诺书全文。"),
    ],
)
def test_letter_without_a_signature_is_no_letter(
    owner: User, plan: Plan, client_of: LogIn, change: dict[str, str], words: str
) -> None:
    signature = {"sign": "1", "understood": "on", "signature": "赵一", "code": "123456"}
    filled = LETTER | {"plan": plan.code} | signature | change

    page = text(client_of(owner).post(LETTER_FORM, filled))

    assert words in page
    assert "请阅读全文" in page
    assert not Claim.objects.exists()


def test_letter_for_a_plan_that_is_held_is_not_even_shown(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    EnrolmentFactory(person=owner, plan=plan)

    page = text(client_of(owner).post(LETTER_FORM, LETTER | {"plan": plan.code}))

    assert "该学习计划已开通" in page
    assert "请阅读全文" not in page


def test_code_for_a_signature_goes_to_the_phone_on_file_only(
    owner: User, client_of: LogIn
) -> None:
    address = reverse("accounts:send-code")

    assert Client().post(address, {"purpose": "sign"}).status_code == 404
    client_of(owner).post(address, {"purpose": "sign", "phone": "19900009999"})

    assert Message.objects.get().recipient == owner.phone


# --- Whose it is -----------------------------------------------------------------------------
@pytest.fixture
def claim(owner: User, plan: Plan, now: datetime) -> Claim:
    return file_voucher(owner, plan, now=now)


def addresses_of(claim: Claim) -> list[str]:
    file = claim.files.get()
    return [
        page_of("claim", claim),
        page_of("claim-resend", claim),
        page_of("claim-file", claim, file.code),
    ]


def test_owner_sees_what_was_handed_in(
    owner: User, claim: Claim, client_of: LogIn
) -> None:
    client = client_of(owner)

    listed, page = text(client.get(LIST)), text(client.get(page_of("claim", claim)))
    picture = client.get(page_of("claim-file", claim, claim.files.get().code))

    assert claim.code in listed
    for shown in ("GX-2019-0001", "33.00", "不晚于 2026年6月18日", "待审核"):
        assert shown in page
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/jpeg")
    assert "no-store" in picture["Cache-Control"]


def test_strangers_and_staff_find_nothing_here(
    claim: Claim, stranger: User, client_of: LogIn
) -> None:
    for person in (stranger, make_staff("审核")):
        client = client_of(person)
        answers = [client.get(address).status_code for address in addresses_of(claim)]
        answers.append(client.post(page_of("claim-withdraw", claim)).status_code)
        assert answers == [404] * 4
        assert claim.code not in text(client.get(LIST))
    claim.refresh_from_db()
    assert claim.state == "open"


def test_visitors_are_led_to_the_login(claim: Claim) -> None:
    for address in (LIST, VOUCHER_FORM, LETTER_FORM, *addresses_of(claim)):
        assert Client().get(address)["Location"].startswith("/accounts/login/")
    assert Client().post(page_of("claim-withdraw", claim)).status_code == 302
    claim.refresh_from_db()
    assert claim.state == "open"


def test_list_costs_the_same_for_many(
    owner: User, client_of: LogIn, now: datetime, django_assert_max_num_queries: Any
) -> None:
    for year in range(2011, 2021):
        file_voucher(owner, make_past_plan(year=year), now=now)
    client = client_of(owner)

    with django_assert_max_num_queries(8):
        client.get(LIST)


# --- Further on ------------------------------------------------------------------------------
def test_withdrawn(owner: User, claim: Claim, client_of: LogIn) -> None:
    client = client_of(owner)

    response = client.post(page_of("claim-withdraw", claim), follow=True)

    assert "已撤回，证明材料已删除。" in text(response)
    assert not PrivateFile.objects.exists()
    again = client.post(page_of("claim-withdraw", claim), follow=True)
    assert "当前状态不能办理" in text(again)


def test_corrected_after_a_return(
    owner: User, claim: Claim, plan: Plan, client_of: LogIn, now: datetime
) -> None:
    give_back(claim, now)
    client = client_of(owner)

    page = text(client.get(page_of("claim", claim)))
    form = text(client.get(page_of("claim-resend", claim)))
    changed = voucher(plan, payer="赵父", proofs=[])
    response = client.post(page_of("claim-resend", claim), changed)

    assert "截图看不清" in page
    assert "审核员甲" not in page
    assert 'value="GX-2019-0001"' in form
    assert 'value="33.00"' in form
    assert response["Location"] == page_of("claim", claim)
    claim.refresh_from_db()
    assert (claim.state, claim.wanted["payer"]) == ("open", "赵父")
    assert claim.files.count() == 1


def test_waiting_claim_has_no_form(owner: User, claim: Claim, client_of: LogIn) -> None:
    response = client_of(owner).get(page_of("claim-resend", claim))

    assert response["Location"] == page_of("claim", claim)


def test_returned_letter_is_signed_anew(
    owner: User, plan: Plan, client_of: LogIn, now: datetime
) -> None:
    claim = file_commitment(owner, plan, now=now)
    give_back(claim, now, "请写明原因")
    client = client_of(owner)
    filled = {"plan": plan.code, "paid_on": "2019-06-30", "reason": "手机遗失"}
    address = page_of("claim-resend", claim)

    assert "因手机遗失原因" in text(client.post(address, filled))
    claim.refresh_from_db()
    assert claim.state == "returned"
    client.post(reverse("accounts:send-code"), {"purpose": "sign"})
    (code,) = re.findall(r"验证码(\d{6})", Message.objects.latest("pk").text)
    signature = {"sign": "1", "understood": "on", "signature": "赵一", "code": code}
    client.post(address, filled | signature)

    claim.refresh_from_db()
    assert claim.state == "open"
    assert "因手机遗失原因" in claim.wanted["letter"]


def test_approved_claim_leads_to_the_study_and_the_record(
    owner: User, plan: Plan, client_of: LogIn, now: datetime
) -> None:
    claim = file_commitment(owner, plan, now=now)
    approve(claim, make_staff("业务"), now=now)
    approve(claim, make_staff("审核"), now=now)
    client = client_of(owner)

    page = text(client.get(page_of("claim", claim)))
    record = text(client.get(reverse("accounts:integrity")))

    assert "2019年度补学已免费开通" in page
    assert reverse("accounts:integrity") in page
    assert "因原平台已关闭原因" in record
    assert owner.masked_id_number in record
    assert owner.id_number not in record


def test_numbers_never_stand_in_an_address(claim: Claim, owner: User) -> None:
    for address in addresses_of(claim):
        assert owner.id_number not in address
        assert owner.phone not in address
