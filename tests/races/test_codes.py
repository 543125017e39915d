"""One code and many people at the same instant; giving, typing, paying and refunding at once.

Real rows, real locks. On PostgreSQL this proves the row locks; on SQLite, whose transactions
take turns, that waiting for one's turn is enough.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Message, User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import OrderError
from orders.models import (
    ActivationCode,
    CodeImport,
    GatewayMessage,
    Order,
    OrderLine,
    Refund,
    RefundLine,
)
from orders.payments.protocol import Report, State
from orders.services import apply_report, place_personal_order
from orders.services.codes import (
    activate_code,
    check_import,
    confirm_import,
    give_code,
    hand_out,
    place_codes_order,
    redeem_code,
    upload_import,
    void_codes,
)
from orders.services.refunds.asking import start_refund
from tests.factories.accounts import UserFactory
from tests.factories.codes import make_codes, make_codes_order, make_people_sheet
from tests.factories.orders import PaymentAttemptFactory, make_endless_plan
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)
EIGHT = 8


def at_once(*works: Callable[[], Any]) -> list[str]:
    """Run all at one moment; "done" or the name of what each was refused with."""
    outcomes = run_together(*works, refusals=(OrderError,))
    return [
        type(each).__name__ if isinstance(each, OrderError) else "done"
        for each in outcomes
    ]


@pytest.fixture
def plan() -> Plan:
    return make_endless_plan(sells_codes=True)


@pytest.fixture
def giver() -> User:
    person: User = UserFactory()
    return person


def typing(code: ActivationCode, person: User) -> Callable[[], Any]:
    return lambda: redeem_code(
        person=person,
        typed=code.secret,
        address="203.0.113.7",
        now=timezone.now(),
    )


def giving(giver: User, plan: Plan, person: User) -> Callable[[], Any]:
    return lambda: give_code(owner=giver, plan=plan, person=person, now=timezone.now())


def states() -> list[str]:
    return sorted(ActivationCode.objects.values_list("state", flat=True))


def test_eight_people_type_one_code_and_one_gets_it(giver: User, plan: Plan) -> None:
    code = make_codes(giver, plan, 1)[0]
    people = UserFactory.create_batch(EIGHT)

    outcomes = at_once(*(typing(code, person) for person in people))

    assert sorted(outcomes) == ["CodeRefusedError"] * (EIGHT - 1) + ["done"]
    winner = people[outcomes.index("done")]
    code.refresh_from_db()
    assert (code.state, code.person) == ("used", winner)
    assert [each.person for each in Enrolment.objects.all()] == [winner]


def test_one_person_types_eight_codes_and_spends_one(giver: User, plan: Plan) -> None:
    person = UserFactory()
    codes = make_codes(giver, plan, EIGHT)

    outcomes = at_once(*(typing(code, person) for code in codes))

    assert sorted(outcomes) == ["CodeNotNeededError"] * (EIGHT - 1) + ["done"]
    assert states() == ["unused"] * (EIGHT - 1) + ["used"]
    assert Enrolment.objects.count() == 1


def test_eight_clicks_activate_once(giver: User, plan: Plan) -> None:
    make_codes(giver, plan, 1)
    person = UserFactory()
    code = give_code(owner=giver, plan=plan, person=person, now=timezone.now())

    outcomes = at_once(
        *[lambda: activate_code(person=person, number=code.number, now=timezone.now())]
        * EIGHT
    )

    assert outcomes == ["done"] * EIGHT
    assert states() == ["used"]
    assert Enrolment.objects.count() == 1


def test_one_code_is_given_or_typed(giver: User, plan: Plan) -> None:
    code = make_codes(giver, plan, 1)[0]
    typist, recipient = UserFactory(), UserFactory()

    typed, given = at_once(typing(code, typist), giving(giver, plan, recipient))

    code.refresh_from_db()
    assert (typed, given, code.state, code.person) in [
        ("done", "NoCodeLeftError", "used", typist),
        ("CodeRefusedError", "done", "given", recipient),
    ]
    assert Enrolment.objects.count() == (typed == "done")
    assert Message.objects.count() == (given == "done")


def test_who_types_takes_no_code_from_who_is_given_another(
    giver: User, plan: Plan
) -> None:
    first, _ = make_codes(giver, plan, 2)

    outcomes = at_once(typing(first, UserFactory()), giving(giver, plan, UserFactory()))

    # The giver's code may be the typed one, then the typist is refused; never both in vain.
    assert outcomes in (["done", "done"], ["CodeRefusedError", "done"])


def test_eight_gifts_to_one_person_give_one_code(plan: Plan) -> None:
    givers = UserFactory.create_batch(EIGHT)
    for each in givers:
        make_codes(each, plan, 1)
    person = UserFactory()

    outcomes = at_once(*(giving(each, plan, person) for each in givers))

    assert sorted(outcomes) == ["RecipientProvidedError"] * (EIGHT - 1) + ["done"]
    assert states() == ["given"] + ["unused"] * (EIGHT - 1)
    assert Message.objects.count() == 1


def test_eight_gifts_of_one_owner_never_give_one_code_twice(
    giver: User, plan: Plan
) -> None:
    make_codes(giver, plan, EIGHT - 3)
    people = UserFactory.create_batch(EIGHT)

    outcomes = at_once(*(giving(giver, plan, person) for person in people))

    assert sorted(outcomes) == ["NoCodeLeftError"] * 3 + ["done"] * (EIGHT - 3)
    assert states() == ["given"] * (EIGHT - 3)


def test_a_code_is_used_or_refunded(giver: User, plan: Plan) -> None:
    code = make_codes(giver, plan, 1)[0]
    person = UserFactory()

    typed, voided = at_once(
        typing(code, person),
        lambda: void_codes(
            line=OrderLine.objects.select_related("order").get(pk=code.line_id),
            count=1,
            reference="T1",
            now=timezone.now(),
        ),
    )

    code.refresh_from_db()
    assert (typed, voided, code.state) in [
        ("done", "CodesTakenError", "used"),
        ("CodeRefusedError", "done", "void"),
    ]
    assert Enrolment.objects.count() == (typed == "done")


def test_codes_are_given_or_refunded(giver: User, plan: Plan) -> None:
    codes = make_codes(giver, plan, 4)
    people = UserFactory.create_batch(4)

    *_, voided = at_once(
        *(giving(giver, plan, person) for person in people),
        lambda: void_codes(
            line=OrderLine.objects.select_related("order").get(pk=codes[0].line_id),
            count=2,
            reference="T1",
            now=timezone.now(),
        ),
    )

    if voided == "done":
        assert states() == ["given", "given", "void", "void"]
    else:
        assert voided == "CodesTakenError"
        assert "void" not in states()


def paid_for(giver: User, plan: Plan, quantity: int) -> Order:
    """An order with its codes, paid just now, and the attempt that brought the money."""
    order = make_codes(giver, plan, quantity)[0].line.order
    Order.objects.update(paid_at=timezone.now())
    PaymentAttemptFactory(order=order, amount_fen=order.total_fen, pays=True)
    return order


def returning(order: Order, count: int) -> Callable[[], Any]:
    """Let staff give back codes of an order at once."""
    finance = UserFactory(is_staff=True)
    return lambda: start_refund(
        order=order,
        line_ids=None,
        count=count,
        reason="x",
        actor=finance,
        now=timezone.now(),
    )


def test_the_last_code_is_refunded_or_typed_or_given(giver: User, plan: Plan) -> None:
    order = paid_for(giver, plan, 1)
    code = ActivationCode.objects.get()

    returned, *others = at_once(
        returning(order, 1),
        typing(code, UserFactory()),
        giving(giver, plan, UserFactory()),
    )

    code.refresh_from_db()
    assert [returned, *others].count("done") == 1
    assert (returned == "done") == (code.state == "void")
    assert Refund.objects.count() == (returned == "done")
    assert Enrolment.objects.count() == (others[0] == "done")


def test_refund_of_an_order_against_its_gifts(giver: User, plan: Plan) -> None:
    order = paid_for(giver, plan, 4)
    people = UserFactory.create_batch(4)

    *_, returned = at_once(
        *(giving(giver, plan, person) for person in people), returning(order, 2)
    )

    if returned == "done":
        assert states() == ["given", "given", "void", "void"]
        assert Refund.objects.get().amount_fen == 2 * plan.price_fen
    else:
        assert returned in ("CodesTakenError", "RefundRefusedError")
        assert "void" not in states()
        assert Refund.objects.count() == RefundLine.objects.count() == 0


def test_nobody_pays_for_what_a_code_opens(giver: User, plan: Plan) -> None:
    """The person orders the plan while typing a code: one of the two is refused."""
    code = make_codes(giver, plan, 1)[0]
    person = UserFactory()

    ordered, typed = at_once(
        lambda: place_personal_order(buyer=person, plan=plan, now=timezone.now()),
        typing(code, person),
    )

    assert sorted([ordered, typed]) in [
        ["CodeNotNeededError", "done"],
        ["PlanAlreadyHeldError", "done"],
    ]
    assert Order.objects.filter(buyer=person).count() + Enrolment.objects.count() == 1


def test_nobody_is_given_a_code_for_what_they_order(giver: User, plan: Plan) -> None:
    make_codes(giver, plan, 1)
    person = UserFactory()

    ordered, given = at_once(
        lambda: place_personal_order(buyer=person, plan=plan, now=timezone.now()),
        giving(giver, plan, person),
    )

    assert (ordered, given) in [
        ("done", "RecipientProvidedError"),
        ("CodeWaitingError", "done"),
    ]


def test_twelve_reports_issue_the_codes_once(giver: User, plan: Plan) -> None:
    order = make_codes_order(giver, plan, 20, created_at=timezone.now())
    attempt = PaymentAttemptFactory(order=order)

    at_once(
        *[
            lambda: apply_report(
                gateway="alipay",
                report=Report(attempt.number, State.PAID, order.total_fen),
                source=GatewayMessage.Source.NOTIFICATION,
                now=timezone.now(),
            )
        ]
        * 12
    )

    assert ActivationCode.objects.count() == 20


def test_two_windows_order_codes_once(giver: User, plan: Plan) -> None:
    outcomes = at_once(
        *[
            lambda: place_codes_order(
                buyer=giver, plan=plan, quantity=3, now=timezone.now()
            )
        ]
        * 4
    )

    assert sorted(outcomes) == ["CodesBeingBoughtError"] * 3 + ["done"]
    assert Order.objects.count() == 1


def test_two_owners_sheets_of_the_same_people_in_opposite_order(plan: Plan) -> None:
    givers = UserFactory.create_batch(2)
    people = UserFactory.create_batch(12)
    rows = []
    for number, each in enumerate(givers):
        make_codes(each, plan, 12)
        lines = [(person.name, person.phone) for person in people]
        sheet = make_people_sheet(*(reversed(lines) if number else lines))
        now = timezone.now()
        row = upload_import(owner=each, plan=plan, content=sheet, now=now)
        check_import(import_id=row.pk, clock=timezone.now)
        confirm_import(import_id=row.pk, now=timezone.now())
        rows.append(row)

    at_once(
        *(
            lambda pk=row.pk: hand_out(import_id=pk, clock=timezone.now, size=3)
            for row in rows
        )
    )

    given = ActivationCode.objects.filter(state="given")
    assert sorted(code.person_id or 0 for code in given) == [p.pk for p in people]
    assert Message.objects.count() == 12
    done = CodeImport.objects.filter(state=CodeImport.State.DONE)
    assert sum(done.values_list("given_count", flat=True)) == 12
    assert sum(done.values_list("failed_count", flat=True)) == 12


def test_two_workers_hand_out_one_sheet_once(giver: User, plan: Plan) -> None:
    make_codes(giver, plan, 9)
    people = UserFactory.create_batch(9)
    sheet = make_people_sheet(*((person.name, person.phone) for person in people))
    row = upload_import(owner=giver, plan=plan, content=sheet, now=timezone.now())
    check_import(import_id=row.pk, clock=timezone.now)
    confirm_import(import_id=row.pk, now=timezone.now())

    at_once(
        *[lambda: hand_out(import_id=row.pk, clock=timezone.now, size=2)] * 3,
        # One whose clock says that the first one's lease is over.
        lambda: hand_out(
            import_id=row.pk,
            clock=lambda: timezone.now() + timedelta(minutes=5),
            size=2,
        ),
    )

    assert states() == ["given"] * 9
    assert Message.objects.count() == 9
