"""Telling everybody for whom a group order opened a plan."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from accounts.models import User
from accounts.services.messages import send_to_many
from learning.models import Enrolment
from orders.models import Order

# Thousands of notices wait for the hourly cap; after some days nobody needs them any more.
TOLD_WITHIN = timedelta(days=7)


def tell_people(order: Order, *, now: datetime) -> None:
    """Write a message to each person for whom this order opened its plan.

    To be called in the transaction that delivers; wake `accounts.tasks.deliver_messages`.
    Who has not logged in yet is told how to.
    """
    line = order.lines.order_by("pk").select_related("plan").first()
    if line is None:
        return
    # Both through the order's people: a plan has hundreds of thousands of enrolments.
    people = User.objects.filter(
        order_lines__order=order,
        enrolments__plan=line.plan_id,
        enrolments__source=Enrolment.Source.ORDER,
        enrolments__source_number=order.number,
        phone_cipher__isnull=False,
    ).exclude(pk=order.buyer_id)
    values = {
        "unit": order.unit.name if order.unit else order.buyer.name,
        "plan": line.plan_title,
    }
    for state, template, page in (
        (User.State.ACTIVE, "group_opened", "learning:training"),
        (User.State.PENDING, "group_opened_pending", "accounts:activate"),
    ):
        chosen = people.filter(state=state).only("code", "phone_cipher").order_by("pk")
        send_to_many(
            phones=(person.phone for person in chosen),
            template=template,
            context=values | {"address": f"{settings.SITE_URL}{reverse(page)}"},
            now=now,
            expires_at=now + TOLD_WITHIN,
        )
