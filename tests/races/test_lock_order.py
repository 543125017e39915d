"""Pairs of steps that lock the same rows, led to the moment at which each of them holds its
first lock: there they would deadlock if one took the locks the other way round.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from threading import Barrier, BrokenBarrierError
from types import ModuleType
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, User
from catalog.models import Plan
from learning.models import Enrolment
from learning.services import enrolments
from orders.errors import GroupStateError
from orders.models import GroupCheck, Order
from orders.services.groups import ordering, submitting
from orders.services.refunds import asking
from tests.factories.accounts import UnitFactory
from tests.factories.groups import hand_in, make_checked, paste
from tests.factories.lists import make_coordinator
from tests.orders.bank import Bank
from tests.orders.shop import buy
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

# Whoever is kept waiting by the other's lock does not come to the meeting.
PATIENCE = 1


def meet_after(
    monkeypatch: pytest.MonkeyPatch, *functions: tuple[ModuleType, str]
) -> None:
    """Let whoever has come back from one of these functions wait for the other."""
    meeting = Barrier(len(functions))

    def waiting(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def work(*args: Any, **facts: Any) -> Any:
            found = function(*args, **facts)
            with suppress(BrokenBarrierError):
                meeting.wait(timeout=PATIENCE)
            return found

        return work

    for module, name in functions:
        monkeypatch.setattr(module, name, waiting(getattr(module, name)))


def test_staff_open_a_plan_while_its_refund_begins(
    bank: Bank, buyer: User, plan: Plan, finance: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both lock the enrolment and the head of the audit chain."""
    order = buy(bank, buyer, plan, timezone.now())
    meet_after(monkeypatch, (asking, "record_audit"), (enrolments, "open_enrolments"))

    def give_back() -> str:
        return asking.start_refund(
            order=order, line_ids=None, reason="x", actor=finance, now=timezone.now()
        ).state

    def open_again() -> str:
        return enrolments.open_enrolment_by_staff(
            plan=plan, person=buyer, reason="x", actor=finance, now=timezone.now()
        ).state

    assert run_together(give_back, open_again) == ["approved", Enrolment.State.OPEN]

    actions = AuditEntry.objects.values_list("action", flat=True)
    assert sorted(actions) == ["enrolment.opened_by_staff", "orders.refund_started"]
    assert Enrolment.objects.live().get().source == Enrolment.Source.STAFF


def test_list_is_corrected_while_it_is_ordered(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both lock the list and the coordinator, who is on it."""
    unit = UnitFactory()
    coordinator = make_coordinator(unit)
    facts: Any = {
        "buyer": coordinator,
        "unit": unit,
        "plan": plan,
        "now": timezone.now(),
    }
    check = make_checked(paste(coordinator), **facts)
    meet_after(monkeypatch, (submitting, "lock_people"), (ordering, "lock_check"))

    def correct() -> str:
        try:
            return hand_in(paste(coordinator), replaces=check, **facts).state
        except GroupStateError:
            return "refused"

    def order() -> str:
        try:
            return ordering.place_group_order(
                check_id=check.pk, actor=coordinator, now=timezone.now()
            ).state
        except GroupStateError:
            return "refused"

    outcomes = run_together(correct, order)

    is_ordered = outcomes == ["refused", Order.State.PENDING]
    assert is_ordered or outcomes == [GroupCheck.State.WAITING, "refused"]
    assert Order.objects.count() == int(is_ordered)
    check.refresh_from_db()
    assert check.state == ("ordered" if is_ordered else "replaced")
