"""The figures of the staff's start page, read at most once a minute for everybody."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Count, Q, Sum
from django.utils import timezone

from accounts.models import Message, PersonRequest, RegistrationList, User
from accounts.rules.decisions import WAITING
from catalog.models import Video
from certificates.models import Certificate, CertificateIssue
from invoices.models import Invoice
from learning.models import Appeal, Enrolment, PersonClock, StudyFlag
from orders.models import (
    BillDifference,
    Claim,
    GroupCheck,
    Order,
    PaymentException,
    Refund,
)
from portal.support.models import Conversation

CACHE_KEY = "portal.staff-figures"
# Counting a million rows takes a fraction of a second: not for every click of every clerk.
CACHE_SECONDS = 60
# A learner's player reports every ten seconds; two minutes bridge a bad line.
LEARNING_NOW = timedelta(minutes=2)
# Nobody marks a failed message as seen: older ones would be counted for ever.
FAILURE_AGE = timedelta(days=7)


def read_figures(*, now: datetime) -> Mapping[str, int]:
    """Return the figures by name, up to `CACHE_SECONDS` old."""
    # Each minute has a key of its own: no figure of yesterday is shown after midnight.
    key = f"{CACHE_KEY}.{int(now.timestamp()) // CACHE_SECONDS}"
    found: Mapping[str, int] | None = cache.get(key)
    if found is None:
        found = count_figures(now=now)
        cache.set(key, found, CACHE_SECONDS)
    return found


def count_figures(*, now: datetime) -> Mapping[str, int]:
    """Count afresh: what happened since midnight in Chongqing, what is to do, what there is."""
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return count_today(today, now) | count_waiting(now)


def count_today(today: datetime, now: datetime) -> dict[str, int]:
    people = User.objects.filter(is_staff=False).aggregate(
        total=Count("pk"), today=Count("pk", filter=Q(date_joined__gte=today))
    )
    orders = Order.objects.filter(state=Order.State.PAID, paid_at__gte=today).aggregate(
        count=Count("pk"), fen=Sum("total_fen", default=0)
    )
    enrolments = Enrolment.objects.aggregate(
        open=Count("pk", filter=Q(state=Enrolment.State.OPEN)),
        completed=Count("pk", filter=Q(state=Enrolment.State.COMPLETED)),
    )
    certificates = Certificate.objects.filter(state=Certificate.State.VALID).aggregate(
        total=Count("pk"), today=Count("pk", filter=Q(issued_at__gte=today))
    )
    return {
        "people": people["total"],
        "people_today": people["today"],
        "orders_today": orders["count"],
        "orders_today_fen": orders["fen"],
        "enrolments_open": enrolments["open"],
        "enrolments_completed": enrolments["completed"],
        "certificates": certificates["total"],
        "certificates_today": certificates["today"],
        "learning_now": PersonClock.objects.filter(
            last_beat_at__gt=now - LEARNING_NOW
        ).count(),
    }


def count_waiting(now: datetime) -> dict[str, int]:
    return {
        "lists": RegistrationList.objects.filter(
            state=RegistrationList.State.SUBMITTED
        ).count(),
        "conversations": Conversation.objects.filter(
            state=Conversation.State.OPEN
        ).count(),
        "requests": PersonRequest.objects.filter(state__in=WAITING).count(),
        "claims": Claim.objects.filter(state__in=WAITING).count(),
        "appeals": Appeal.objects.filter(state__in=WAITING).count(),
        "flags": StudyFlag.objects.filter(state=StudyFlag.State.OPEN).count(),
        "payments": PaymentException.objects.filter(
            state=PaymentException.State.OPEN
        ).count(),
        "group_checks": GroupCheck.objects.filter(alarm=GroupCheck.Alarm.OPEN).count(),
        "refunds": Refund.objects.filter(
            state__in=[Refund.State.REQUESTED, Refund.State.FAILED]
        ).count(),
        "differences": BillDifference.objects.filter(
            state=BillDifference.State.OPEN
        ).count(),
        "invoices": Invoice.objects.filter(state=Invoice.State.FAILED).count(),
        "issues": CertificateIssue.objects.filter(
            state=CertificateIssue.State.NEEDS_ATTENTION
        ).count(),
        "videos": Video.objects.filter(state=Video.State.FAILED).count(),
        "messages": Message.objects.filter(
            state=Message.State.FAILED, created_at__gte=now - FAILURE_AGE
        ).count(),
    }
