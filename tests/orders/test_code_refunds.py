"""Codes taken back for a refund, and what the database itself holds of a code."""

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import (
    CodesTakenError,
)
from orders.models import ActivationCode
from orders.queries.codes import count_free_codes
from orders.services.codes import (
    give_code,
    redeem_code,
    restore_codes,
    void_codes,
)
from tests.factories.accounts import UserFactory
from tests.factories.codes import ActivationCodeFactory, make_codes
from tests.factories.orders import (
    make_endless_plan,
)

pytestmark = pytest.mark.django_db
ADDRESS = "203.0.113.7"


@pytest.fixture
def plan() -> Plan:
    return make_endless_plan(sells_codes=True)


@pytest.fixture
def codes(owner: User, plan: Plan) -> list[ActivationCode]:
    return make_codes(owner, plan)


def redeem(person: User, code: ActivationCode | str, now: datetime) -> ActivationCode:
    typed = code if isinstance(code, str) else code.written_secret
    return redeem_code(person=person, typed=typed, address=ADDRESS, now=now)


def states() -> list[str]:
    rows = ActivationCode.objects.order_by("pk")
    return list(rows.values_list("state", flat=True))


# --- Taking back ---------------------------------------------------------------------------


def test_unused_codes_are_voided_for_a_refund_once(
    owner: User, plan: Plan, codes: list[ActivationCode], now: datetime
) -> None:
    give_code(owner=owner, plan=plan, person=UserFactory(), now=now)
    line = codes[0].line
    assert count_free_codes(line) == 2

    first = void_codes(line=line, count=2, reference="T1", now=now)
    again = void_codes(line=line, count=2, reference="T1", now=now)

    assert {code.pk for code in first} == {code.pk for code in again}
    assert states() == ["given", "void", "void"]
    assert set(
        ActivationCode.objects.filter(state="void").values_list(
            "voided_for", "voided_at"
        )
    ) == {("T1", now)}


def test_given_and_used_codes_are_not_taken_back(
    owner: User, plan: Plan, codes: list[ActivationCode], now: datetime
) -> None:
    give_code(owner=owner, plan=plan, person=UserFactory(), now=now)
    redeem(UserFactory(), codes[1], now)

    with pytest.raises(CodesTakenError, match="只有 1 个"):
        void_codes(line=codes[0].line, count=2, reference="T1", now=now)
    assert states() == ["given", "used", "unused"]


def test_codes_on_paper_are_voided_last(
    codes: list[ActivationCode], now: datetime
) -> None:
    ActivationCode.objects.filter(pk__in=[codes[0].pk, codes[1].pk]).update(
        printed_at=now
    )

    voided = void_codes(line=codes[0].line, count=2, reference="T1", now=now)

    assert [code.pk for code in voided] == [codes[2].pk, codes[0].pk]


def test_a_refund_that_fails_gives_the_codes_back(
    stranger: User, codes: list[ActivationCode], now: datetime
) -> None:
    line = codes[0].line
    void_codes(line=line, count=3, reference="T1", now=now)
    void_codes(line=line, count=0, reference="T2", now=now)

    assert restore_codes(line=line, reference="T2") == 0
    assert restore_codes(line=line, reference="T1") == 3
    assert restore_codes(line=line, reference="T1") == 0

    assert states() == ["unused"] * 3
    redeem(stranger, codes[0], now)
    assert Enrolment.objects.count() == 1


# --- What the database holds ---------------------------------------------------------------


def test_a_person_has_one_live_code_of_a_plan(
    owner: User, stranger: User, now: datetime
) -> None:
    first = ActivationCodeFactory(state="given", person=stranger, given_at=now)

    for fields in (
        {"state": "given", "given_at": now},
        {"state": "used", "used_at": now},
    ):
        with (
            pytest.raises(IntegrityError, match=r"(?i)unique"),
            transaction.atomic(),
        ):
            ActivationCodeFactory(line=first.line, person=stranger, **fields)
    assert ActivationCode.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "facts"),
    [
        ("unused", {"person", "given_at"}),
        ("unused", {"used_at"}),
        ("given", {"person"}),
        ("given", {"given_at"}),
        ("given", {"person", "given_at", "used_at"}),
        ("used", {"used_at"}),
        ("used", {"person"}),
        ("used", {"person", "used_at", "voided_at"}),
        ("void", set()),
        ("void", {"voided_at", "person"}),
    ],
)
def test_a_state_has_its_facts_and_no_others(
    stranger: User, now: datetime, state: str, facts: set[str]
) -> None:
    fields = {name: stranger if name == "person" else now for name in facts}

    with pytest.raises(IntegrityError, match="code_state_has_its_facts"):
        ActivationCodeFactory(state=state, **fields)
