"""The sample people, loaded as `manage.py demo` does, without the videos' files."""

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db.models import Model
from django.utils import timezone

from accounts.models import IntegrityRecord, UnitAppointment, User
from certificates.models import CertificateIssue
from learning.models import Enrolment, RefusedTime, UnitHours
from orders.models import (
    ActivationCode,
    BillDay,
    BillDifference,
    Claim,
    GatewayMessage,
    GroupCheck,
    Order,
    PaymentException,
    Refund,
)
from orders.payments.protocol import Return, State
from orders.payments.registry import get_gateway
from orders.services.payment import describe_charge
from portal.demo import LOGINS
from portal.demo.catalog import load_catalogue
from portal.demo.people import COORDINATOR, PEOPLE, TRAINEE, id_number_of, load_people
from portal.lib.identity import parse_person_number
from portal.sandbox import SandboxServer

pytestmark = pytest.mark.django_db

CHANGED: tuple[type[Model], ...] = (
    *(User, UnitAppointment, Order, Enrolment, CertificateIssue, GroupCheck),
    *(ActivationCode, Claim, Refund, GatewayMessage, PaymentException),
    *(BillDay, BillDifference, IntegrityRecord, UnitHours),
)


@pytest.fixture
def now(settings: LazySettings, tmp_path: Path, sandbox: SandboxServer) -> datetime:
    settings.MEDIA_ROOT = tmp_path / "media"
    # Nobody listens there: what the simulator has to tell waits for a portal.
    settings.SITE_URL = "http://127.0.0.1:1"
    now = timezone.now()
    load_catalogue(now, with_videos=False)
    return now


def test_people_are_in_every_state_and_loading_again_changes_nothing(
    now: datetime,
) -> None:
    load_people(now)
    first = count_rows()
    load_people(now)

    assert count_rows() == first
    assert Counter(Order.objects.values_list("kind", "state")) == {
        ("personal", "paid"): 10,
        ("personal", "pending"): 3,
        ("personal", "refunded"): 1,
        ("group", "paid"): 1,
        ("group", "pending"): 1,
        ("codes", "paid"): 1,
    }
    assert Counter(Enrolment.objects.values_list("state", flat=True)) == {
        "completed": 6,
        "open": 13,
        "revoked": 1,
    }
    assert (
        list(CertificateIssue.objects.values_list("state", flat=True)) == ["ready"] * 4
    )
    assert UnitAppointment.objects.count() == 1
    assert RefusedTime.objects.count() == 0
    check_printed_logins()
    check_unit_orders()
    check_staff_work()


def count_rows() -> list[int]:
    return [model._default_manager.count() for model in CHANGED]


def check_printed_logins() -> None:
    phones = {person.phone: person for person in User.objects.all()}
    for _role, login, password in LOGINS:
        person = phones.get(login) or User.objects.get(username=login)
        assert person.check_password(password)
        assert not person.has_given_password


def check_unit_orders() -> None:
    """The coordinator's group order has people in several states, her codes are in all."""
    order = Order.objects.get(kind="group", state="paid")
    assert (order.buyer.phone, order.unit and order.unit.name) == (
        COORDINATOR.phone,
        COORDINATOR.unit.name,
    )
    assert order.invoice_request.get_buyer_kind_display() == "事业单位及其他"
    enrolled = Enrolment.objects.filter(source_number=order.number)
    assert Counter(enrolled.values_list("state", flat=True)) == {
        "completed": 1,
        "open": 4,
    }
    assert enrolled.filter(state="open", elective_earned__gt=0).count() == 1
    assert Counter(ActivationCode.objects.values_list("state", flat=True)) == {
        "unused": 6,
        "given": 2,
        "used": 2,
    }


def check_staff_work() -> None:
    """Finance and reviewers have something to decide; what was decided went the whole way."""
    claims = Claim.objects.values_list("kind", "state")
    assert Counter(claims) == {
        ("voucher", "open"): 1,
        ("voucher", "approved"): 1,
        ("commitment", "approved"): 1,
    }
    assert IntegrityRecord.objects.get().person.phone == TRAINEE.phone
    assert Counter(Refund.objects.values_list("state", flat=True)) == {
        "requested": 2,
        "done": 1,
    }
    assert Counter(PaymentException.objects.values_list("kind", "state")) == {
        ("amount", "open"): 1,
        ("unknown_attempt", "open"): 1,
    }
    bill = BillDay.objects.get()
    assert (bill.state, bill.our_payments, bill.their_payments) == ("read", 1, 2)
    difference = bill.differences.get()
    assert (difference.kind, difference.their_fen) == ("theirs_only", 3300)
    notified = GatewayMessage.objects.filter(source="notification")
    assert set(notified.values_list("verdict", "state")) == {("verified", "done")}
    check_gateway_knows_what_may_go_back()


def check_gateway_knows_what_may_go_back() -> None:
    """A refund that finance approve on the sample portal finds its payment at the gateway."""
    refund = Refund.objects.filter(state="requested").order_by("pk")[0]
    gateway = get_gateway(refund.attempt.gateway)
    charge = describe_charge(refund.attempt)
    assert gateway.query(charge).state is State.PAID
    back = Return(refund.number, refund.amount_fen, refund.requested_at)
    assert gateway.refund(charge, back, "") is State.REFUNDED


def test_numbers_are_valid_and_of_nobody_living() -> None:
    for sample in PEOPLE:
        number = parse_person_number(
            id_number_of(sample), today=timezone.localdate(timezone.now())
        )
        assert number.birth_date is not None
        assert number.birth_date.year < 1905
        assert sample.phone.startswith("199000000")


def test_the_unit_has_recorded_hours(now: datetime) -> None:
    load_people(now)

    states = UnitHours.objects.order_by("pk").values_list("state", flat=True)
    assert sorted(states) == ["passed", "recorded", "withdrawn"]
