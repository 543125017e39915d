"""Giving codes away: to whom, how a person is found, and what a search tells nobody."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Message, ThrottleCounter, UnitMember, User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import (
    NoCodeLeftError,
    RecipientNotFoundError,
    RecipientProvidedError,
    SearchThrottledError,
)
from orders.models import ActivationCode
from orders.services.codes import (
    activate_code,
    find_recipients,
    give_code,
    redeem_code,
    void_codes,
)
from tests.factories.accounts import UnitMemberFactory, UserFactory
from tests.factories.codes import make_codes
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import make_endless_plan, make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan() -> Plan:
    return make_endless_plan(sells_codes=True)


@pytest.fixture
def codes(owner: User, plan: Plan) -> list[ActivationCode]:
    return make_codes(owner, plan)


def find(giver: User, now: datetime, account: str = "", name: str = "") -> list[User]:
    return find_recipients(owner=giver, account=account, name=name, now=now)


def states() -> list[str]:
    rows = ActivationCode.objects.order_by("pk")
    return list(rows.values_list("state", flat=True))


# --- Finding -------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["username", "phone", "id_number"])
def test_anybody_is_found_by_account_and_name(
    owner: User, stranger: User, now: datetime, which: str
) -> None:
    account = getattr(stranger, which)

    assert find(owner, now, account, f" {stranger.name} ") == [stranger]


@pytest.mark.parametrize("which", ["username", "phone", "id_number"])
def test_a_colleague_is_found_by_account_or_name(
    coordinator: User, member: User, now: datetime, which: str
) -> None:
    assert find(coordinator, now, getattr(member, which)) == [member]
    assert find(coordinator, now, "", member.name) == [member]


def test_namesakes_of_the_unit_are_all_found(
    coordinator: User, unit: Any, member: User, now: datetime
) -> None:
    namesake = UserFactory(name=member.name)
    UnitMemberFactory(unit=unit, person=namesake)
    UserFactory(name=member.name)

    assert find(coordinator, now, "", member.name) == [member, namesake]


def test_pending_people_of_a_list_are_found(owner: User, now: datetime) -> None:
    person = UserFactory(pending=True)

    assert find(owner, now, person.phone, person.name) == [person]


def test_a_search_does_not_tell_who_has_an_account(
    owner: User, coordinator: User, stranger: User, member: User, now: datetime
) -> None:
    """Nobody, another name, a name alone, a number alone, a closed account, a former
    colleague: one answer."""
    closed = UserFactory(closed=True)
    left = UserFactory()
    UnitMember.objects.create(
        unit=member.memberships.get().unit,
        person=left,
        source="list",
        joined_at=now - timedelta(days=9),
        ended_at=now,
    )
    words = set()

    for giver, account, name in (
        (owner, "19900009999", "张三"),
        (owner, stranger.phone, "张三"),
        (owner, stranger.phone, ""),
        (owner, "", stranger.name),
        (owner, closed.username, closed.name),
        (owner, member.username, ""),
        (coordinator, stranger.id_number, ""),
        (coordinator, "", stranger.name),
        (coordinator, left.username, ""),
    ):
        with pytest.raises(RecipientNotFoundError) as refused:
            find(giver, now, account, name)
        words.add(str(refused.value))

    assert len(words) == 1


def test_looks_that_find_nobody_are_counted(
    owner: User, stranger: User, now: datetime
) -> None:
    for _ in range(30):
        with pytest.raises(RecipientNotFoundError):
            find(owner, now, stranger.phone, "张三")

    with pytest.raises(SearchThrottledError):
        find(owner, now, stranger.phone, stranger.name)
    tomorrow = now + timedelta(days=1)
    assert find(owner, tomorrow, stranger.phone, stranger.name) == [stranger]


def test_looks_that_find_somebody_are_not_counted(
    owner: User, stranger: User, now: datetime
) -> None:
    for _ in range(40):
        find(owner, now, stranger.phone, stranger.name)

    assert ThrottleCounter.objects.get().count == 0


# --- Giving --------------------------------------------------------------------------------


def test_a_given_code_waits_for_its_person_who_is_told(
    owner: User,
    stranger: User,
    plan: Plan,
    codes: list[ActivationCode],
    now: datetime,
) -> None:
    code = give_code(owner=owner, plan=plan, person=stranger, now=now)

    code.refresh_from_db()
    assert (code.state, code.person, code.given_at) == ("given", stranger, now)
    assert states() == ["given", "unused", "unused"]
    assert Enrolment.objects.count() == 0
    message = Message.objects.get()
    assert message.recipient == stranger.phone
    assert plan.title in message.text
    assert owner.name in message.text
    assert code.secret not in message.text
    assert code.written_secret not in message.text


def test_codes_on_paper_are_given_last(
    owner: User, plan: Plan, codes: list[ActivationCode], now: datetime
) -> None:
    ActivationCode.objects.filter(pk__in=[codes[0].pk, codes[2].pk]).update(
        printed_at=now
    )

    given = [
        give_code(owner=owner, plan=plan, person=UserFactory(), now=now).pk
        for _ in range(3)
    ]

    assert given == [codes[1].pk, codes[0].pk, codes[2].pk]


def provide(person: User, plan: Plan, owner: User, way: str, now: datetime) -> None:
    if way == "studies":
        EnrolmentFactory(person=person, plan=plan)
    elif way == "buys":
        make_order(person, plan)
    elif way == "bought":
        make_order(person, plan, paid=True)
    else:
        code = give_code(owner=owner, plan=plan, person=person, now=now)
        if way == "used":
            activate_code(person=person, number=code.number, now=now)


@pytest.mark.parametrize("way", ["studies", "buys", "bought", "given", "used"])
def test_who_has_bought_or_been_given_gets_one_answer(
    owner: User,
    stranger: User,
    plan: Plan,
    codes: list[ActivationCode],
    now: datetime,
    way: str,
) -> None:
    provide(stranger, plan, owner, way, now)
    before, told = states(), Message.objects.count()

    with pytest.raises(RecipientProvidedError, match=r"^该用户已被分配过激活码$"):
        give_code(owner=owner, plan=plan, person=stranger, now=now)

    assert states() == before
    assert Message.objects.count() == told


def test_another_buyers_gift_counts_as_well(
    owner: User, member: User, stranger: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan)
    make_codes(member, plan)
    give_code(owner=owner, plan=plan, person=stranger, now=now)

    with pytest.raises(RecipientProvidedError):
        give_code(owner=member, plan=plan, person=stranger, now=now)


def test_only_own_unused_codes_of_the_plan_are_given(
    owner: User, member: User, stranger: User, plan: Plan, now: datetime
) -> None:
    make_codes(member, plan)
    make_codes(owner, make_endless_plan(sells_codes=True))
    own = make_codes(owner, plan, 2)
    redeem_code(
        person=UserFactory(), typed=own[0].secret, address="203.0.113.7", now=now
    )
    void_codes(line=own[0].line, count=1, reference="T1", now=now)

    with pytest.raises(NoCodeLeftError):
        give_code(owner=owner, plan=plan, person=stranger, now=now)
    assert not ActivationCode.objects.filter(state="given").exists()


def test_nothing_is_given_to_a_closed_account(
    owner: User, plan: Plan, codes: list[ActivationCode], now: datetime
) -> None:
    with pytest.raises(RecipientNotFoundError):
        give_code(owner=owner, plan=plan, person=UserFactory(closed=True), now=now)
    assert states() == ["unused"] * 3


def test_who_has_no_phone_is_given_a_code_all_the_same(
    owner: User, plan: Plan, codes: list[ActivationCode], now: datetime
) -> None:
    person = UserFactory(phone="")

    give_code(owner=owner, plan=plan, person=person, now=now)

    assert states() == ["given", "unused", "unused"]
    assert Message.objects.count() == 0


def test_who_never_logged_in_is_told_how_to(
    owner: User, plan: Plan, now: datetime
) -> None:
    make_codes(owner, plan, 2)
    for person in (UserFactory(), UserFactory(pending=True)):
        give_code(owner=owner, plan=plan, person=person, now=now)

    told, invited = Message.objects.order_by("pk")
    assert (told.template, invited.template) == ("code_given", "code_given_pending")
    assert "首次登录" in invited.text
    assert reverse("accounts:activate") in invited.text
