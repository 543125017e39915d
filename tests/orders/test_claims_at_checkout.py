"""Who waits for a claim on a plan is told so before they buy it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from catalog.models import Plan
from orders.models import Claim
from tests.factories.claims import file_voucher, make_past_plan

pytestmark = pytest.mark.django_db
LogIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def clock(time_machine: Any, now: datetime) -> None:
    time_machine.move_to(now, tick=False)


@pytest.fixture
def plan(db: None) -> Plan:
    return make_past_plan()


@pytest.fixture
def claim(owner: User, plan: Plan, now: datetime) -> Claim:
    return file_voucher(owner, plan, now=now)


def checkout_of(person: User, plan: Plan, client_of: LogIn) -> str:
    response = client_of(person).get(reverse("orders:checkout", args=[plan.code]))
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.mark.parametrize(
    ("state", "word"), [("open", "待审核"), ("returned", "已退回")]
)
def test_buyer_is_told_of_the_own_unfinished_claim(
    owner: User, plan: Plan, claim: Claim, client_of: LogIn, state: str, word: str
) -> None:
    Claim.objects.update(state=state)

    html = checkout_of(owner, plan, client_of)

    assert f"您为该学习计划提交的缴费凭证{word}，审核通过后免费开通。" in html
    assert reverse("orders:claim", args=[claim.code]) in html
    assert "提交订单</button>" in html


def test_buyer_is_not_told_of_other_claims(
    owner: User, stranger: User, plan: Plan, claim: Claim, client_of: LogIn
) -> None:
    other = make_past_plan(year=2018)

    of_another = checkout_of(stranger, plan, client_of)
    for_another = checkout_of(owner, other, client_of)
    Claim.objects.update(state="refused")
    of_the_past = checkout_of(owner, plan, client_of)

    for html in (of_another, for_another, of_the_past):
        assert "提交订单</button>" in html
        assert "审核通过后免费开通" not in html
