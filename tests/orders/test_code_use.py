"""Using codes: typed or given, once, and never on what somebody has already."""

from datetime import date, datetime, timedelta

import pytest

from accounts.models import ThrottleCounter, User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import (
    CodeMistypedError,
    CodeNotFoundError,
    CodeNotNeededError,
    CodeOverError,
    CodeRefusedError,
    CodeThrottledError,
    CodeWaitingError,
)
from orders.models import ActivationCode, Order
from orders.rules import make_secret
from orders.services import place_personal_order
from orders.services.codes import (
    activate_code,
    give_code,
    redeem_code,
    void_codes,
)
from tests.factories.accounts import UserFactory
from tests.factories.codes import make_codes
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import (
    make_endless_plan,
    make_order,
)

pytestmark = pytest.mark.django_db
CodeState = ActivationCode.State
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


# --- Using ---------------------------------------------------------------------------------


def test_a_typed_code_opens_the_plan_once(
    stranger: User, plan: Plan, codes: list[ActivationCode], now: datetime
) -> None:
    used = redeem(stranger, codes[0], now)

    enrolment = Enrolment.objects.get()
    assert (enrolment.person, enrolment.plan) == (stranger, plan)
    assert (enrolment.source, enrolment.source_number) == ("code", used.number)
    used.refresh_from_db()
    assert (used.state, used.person, used.used_at) == (CodeState.USED, stranger, now)
    assert states() == ["used", "unused", "unused"]


def test_used_unknown_given_and_void_codes_get_one_answer(
    owner: User,
    stranger: User,
    member: User,
    plan: Plan,
    codes: list[ActivationCode],
    now: datetime,
) -> None:
    used = redeem(member, codes[0], now)
    given = give_code(owner=owner, plan=plan, person=UserFactory(), now=now)
    void_codes(line=codes[0].line, count=1, reference="T1", now=now)
    void = ActivationCode.objects.get(state=CodeState.VOID)
    words = set()

    for typed in (used, given, void, make_secret()):
        with pytest.raises(CodeRefusedError) as refused:
            redeem(stranger, typed, now)
        words.add(str(refused.value))

    assert len(words) == 1
    assert not Enrolment.objects.filter(person=stranger).exists()
    assert states() == ["used", "given", "void"]


def test_who_used_a_code_is_told_the_same_as_others(
    stranger: User, codes: list[ActivationCode], now: datetime
) -> None:
    redeem(stranger, codes[0], now)

    with pytest.raises(CodeRefusedError):
        redeem(stranger, codes[0], now)


def test_a_mistyped_code_costs_no_try(stranger: User, now: datetime) -> None:
    with pytest.raises(CodeMistypedError):
        redeem(stranger, "1234-5678", now)

    assert ThrottleCounter.objects.count() == 0


def test_wrong_codes_are_counted_for_the_person(
    stranger: User, member: User, codes: list[ActivationCode], now: datetime
) -> None:
    for _ in range(10):
        with pytest.raises(CodeRefusedError):
            redeem(stranger, make_secret(), now)

    with pytest.raises(CodeThrottledError):
        redeem(stranger, codes[0], now)
    assert states() == ["unused"] * 3
    redeem(member, codes[0], now)
    redeem(stranger, codes[1], now + timedelta(hours=1))
    assert states() == ["used", "used", "unused"]


def test_wrong_codes_are_counted_for_the_address(
    codes: list[ActivationCode], now: datetime
) -> None:
    for person in UserFactory.create_batch(10):
        for _ in range(10):
            with pytest.raises(CodeRefusedError):
                redeem(person, make_secret(), now)

    with pytest.raises(CodeThrottledError):
        redeem(UserFactory(), codes[0], now)


def test_right_codes_are_not_counted(owner: User, plan: Plan, now: datetime) -> None:
    for code in make_codes(owner, plan, 12):
        redeem(UserFactory(), code, now)

    assert sum(ThrottleCounter.objects.values_list("count", flat=True)) == 0


def test_a_code_is_not_spent_on_what_one_has(
    stranger: User, plan: Plan, codes: list[ActivationCode], now: datetime
) -> None:
    EnrolmentFactory(person=stranger, plan=plan)

    with pytest.raises(CodeNotNeededError):
        redeem(stranger, codes[0], now)
    assert states() == ["unused"] * 3


@pytest.mark.parametrize("trait", [{}, {"paid": True}])
def test_a_code_is_not_spent_on_what_one_is_buying(
    stranger: User,
    plan: Plan,
    codes: list[ActivationCode],
    now: datetime,
    trait: dict[str, bool],
) -> None:
    make_order(stranger, plan, **trait)

    with pytest.raises(CodeNotNeededError):
        redeem(stranger, codes[0], now)
    assert states() == ["unused"] * 3
    assert Enrolment.objects.count() == 0


def test_a_closed_order_is_in_nobodys_way(
    stranger: User, plan: Plan, codes: list[ActivationCode], now: datetime
) -> None:
    make_order(stranger, plan, expired=True)

    redeem(stranger, codes[0], now)

    assert Enrolment.objects.get().person == stranger


def test_a_code_ends_with_the_training(
    owner: User, stranger: User, now: datetime
) -> None:
    plan = make_endless_plan(sells_codes=True, training_end=date(2026, 6, 14))
    code = make_codes(owner, plan)[0]

    with pytest.raises(CodeOverError):
        redeem(stranger, code, now)
    with pytest.raises(CodeOverError):
        give_code(owner=owner, plan=plan, person=stranger, now=now)
    assert states() == ["unused"] * 3


def test_a_given_code_is_used_by_its_person(
    owner: User,
    stranger: User,
    member: User,
    plan: Plan,
    codes: list[ActivationCode],
    now: datetime,
) -> None:
    code = give_code(owner=owner, plan=plan, person=stranger, now=now)

    with pytest.raises(CodeNotFoundError):
        activate_code(person=member, number=code.number, now=now)
    with pytest.raises(CodeNotFoundError):
        activate_code(person=owner, number=code.number, now=now)
    assert Enrolment.objects.count() == 0
    first = activate_code(person=stranger, number=code.number, now=now)
    again = activate_code(
        person=stranger, number=code.number, now=now + timedelta(days=1)
    )

    assert first.used_at == again.used_at == now
    assert Enrolment.objects.get().source_number == code.number


def test_the_person_may_also_type_the_code_that_was_given(
    owner: User,
    stranger: User,
    plan: Plan,
    codes: list[ActivationCode],
    now: datetime,
) -> None:
    code = give_code(owner=owner, plan=plan, person=stranger, now=now)

    assert redeem(stranger, code, now).number == code.number
    assert states() == ["used", "unused", "unused"]


def test_a_second_code_is_not_spent_beside_a_given_one(
    owner: User,
    stranger: User,
    plan: Plan,
    codes: list[ActivationCode],
    now: datetime,
) -> None:
    give_code(owner=owner, plan=plan, person=stranger, now=now)

    with pytest.raises(CodeNotNeededError, match="获赠"):
        redeem(stranger, codes[2], now)
    assert states() == ["given", "unused", "unused"]


def test_who_was_given_a_code_is_not_charged(
    owner: User,
    stranger: User,
    plan: Plan,
    codes: list[ActivationCode],
    now: datetime,
) -> None:
    give_code(owner=owner, plan=plan, person=stranger, now=now)

    with pytest.raises(CodeWaitingError):
        place_personal_order(buyer=stranger, plan=plan, now=now)
    assert not Order.objects.filter(buyer=stranger).exists()


def test_a_code_whose_person_lost_the_plan_does_not_serve_twice(
    stranger: User, plan: Plan, codes: list[ActivationCode], now: datetime
) -> None:
    redeem(stranger, codes[0], now)
    Enrolment.objects.update(state=Enrolment.State.REVOKED)

    with pytest.raises(CodeNotNeededError):
        redeem(stranger, codes[1], now)
    assert states() == ["used", "unused", "unused"]
