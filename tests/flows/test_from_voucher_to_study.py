"""Paid on a former platform, proved, decided by two, studied for nothing; a letter as well."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, IntegrityRecord, Message, User
from accounts.services.audit import find_chain_fault
from learning.models import Enrolment
from orders.models import Claim, Order
from tests.factories.accounts import UserFactory
from tests.factories.claims import LETTER, make_past_plan
from tests.factories.requests import make_staff, upload

pytestmark = [pytest.mark.django_db(transaction=True)]


def decide(client: Client, claim: Claim, decision: str, reason: str = "") -> None:
    claim.refresh_from_db()
    client.post(
        reverse("admin:orders_claim_change", args=[claim.pk]),
        {"decision": decision, "version": claim.version, "reason": reason},
    )
    claim.refresh_from_db()


def told(person: User) -> list[str]:
    messages = Message.objects.filter(is_code=False).order_by("pk")
    return [each.template for each in messages if each.recipient == person.phone]


def test_a_voucher_opens_the_year(client_of: Any) -> None:
    person, plan = UserFactory(name="赵一"), make_past_plan()
    mine, first = client_of(person), client_of(make_staff("业务"))
    second = client_of(make_staff("审核"))
    data = {
        "plan": plan.code,
        "order_number": "GX-2019-0001",
        "payer": "赵一",
        "paid_on": "2019-06-30",
        "amount_fen": "33",
        "platform": "原公需科目学习网",
    }

    # The first picture cannot be read: returned, corrected, decided by two.
    mine.post(
        reverse("orders:claim-new", args=["voucher"]), data | {"proofs": [upload()]}
    )
    claim = Claim.objects.get()
    decide(first, claim, "return", "截图看不清")
    mine.post(
        reverse("orders:claim-resend", args=[claim.code]),
        data | {"proofs": [upload(), upload()]},
    )
    decide(first, claim, "approve")
    decide(first, claim, "approve")
    assert claim.state == "first_approved"
    decide(second, claim, "approve")

    assert claim.state == "approved"
    enrolment = Enrolment.objects.get()
    assert (enrolment.person, enrolment.plan) == (person, plan)
    assert not Order.objects.exists()
    assert told(person) == ["claim_returned", "claim_approved"]
    study = mine.get(reverse("learning:course-list", args=[plan.code]))
    assert study.status_code == 200
    # Nobody buys what was given.
    bought = mine.get(reverse("orders:checkout", args=[plan.code])).content.decode()
    assert "您已开通该学习计划，无需重复购买。" in bought
    assert not IntegrityRecord.objects.exists()
    assert find_chain_fault() is None


def test_a_commitment_stays_in_the_record(client_of: Any) -> None:
    person, plan = UserFactory(name="赵一"), make_past_plan()
    mine = client_of(person)
    mine.post(reverse("accounts:send-code"), {"purpose": "sign"})
    (code,) = re.findall(r"验证码(\d{6})", Message.objects.get().text)

    mine.post(
        reverse("orders:claim-new", args=["commitment"]),
        LETTER
        | {"plan": plan.code, "sign": "1", "understood": "on"}
        | {"signature": "赵一", "code": code},
    )
    claim = Claim.objects.get()
    for role in ("业务", "审核"):
        decide(client_of(make_staff(role)), claim, "approve")

    record = mine.get(reverse("accounts:integrity")).content.decode()
    assert "因原平台已关闭原因，无法提供缴费凭证。" in record
    assert f"时 间：{timezone.localdate().year}年" in record
    actions = list(
        AuditEntry.objects.order_by("position").values_list("action", flat=True)
    )
    assert actions[-4:] == [
        "claim.filed",
        "claim.first_approved",
        "integrity.recorded",
        "claim.approved",
    ]
