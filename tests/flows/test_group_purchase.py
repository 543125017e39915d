"""A unit buys a plan for its people: numbers, mistakes, an order, the cashier, and all study."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Message
from accounts.services.messages import deliver_due_messages
from learning.models import Enrolment
from orders.models import GroupCheck, Order, PaymentAttempt, PaymentException
from portal.sandbox import SandboxServer
from tests.factories.accounts import UserFactory, make_id_number
from tests.factories.groups import make_trainees
from tests.factories.orders import make_endless_plan
from tests.orders.purchases import FORM, NOTIFY_PATH

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("entry", "words"), [(1, "团体购买"), (2, "团体报名")])
def test_from_the_numbers_to_everybody_studying(
    entry: int,
    words: str,
    client_of: Any,
    coordinator: Any,
    unit: Any,
    sandbox: SandboxServer,
) -> None:
    plan = make_endless_plan(entry=entry, unit_price_fen=110, hours=30)
    people = [*make_trainees(4), UserFactory(pending=True)]
    late = UserFactory()
    client = client_of(coordinator)

    # From the plan's page to the numbers: one of them is nobody's yet, one is wrong.
    page = client.get(reverse("plan-detail", args=[plan.code])).content.decode()
    found = re.search(rf'href="([^"]+)">{words}</a>', page)
    assert found is not None
    unknown = make_id_number(900_000)
    lines = [*(person.id_number for person in people), unknown, unknown[:-1]]
    numbers = "身份证号码\r\n" + "\r\n".join(lines).lower()
    led = client.post(found[1], {"unit": unit.code, "numbers": numbers})
    checked = client.get(led.url).content.decode()
    assert "未注册或已购买" in checked
    assert "有 2 人不能" in checked

    # The error file is corrected and handed in; those who were right are kept.
    check = GroupCheck.objects.get()
    correct = reverse("orders:group-correct", args=[check.code])
    assert (
        client.get(reverse("orders:group-errors", args=[check.code])).status_code == 200
    )
    again = client.post(
        correct, {"unit": unit.code, "numbers": late.id_number, "keeps_free": "on"}
    )
    check = GroupCheck.objects.get(code=again.url.rstrip("/").rpartition("/")[2])
    assert (check.free_count, check.bad_count) == (6, 0)

    # Meanwhile one of them buys it alone: the rest is offered, and ordered.
    eager = client_of(late)
    checkout = reverse("orders:checkout", args=[plan.code])
    shown_fen = eager.get(checkout).context["plan"].price_fen
    assert (
        eager.post(
            checkout, {"invoice": "later", "agreement": "on", "shown_fen": shown_fen}
        ).status_code
        == 302
    )
    group_checkout = reverse("orders:group-checkout", args=[check.code])
    sent = {"invoice": "later", "agreement": "on", "shown_fen": shown_fen}
    offered = client.post(group_checkout, sent, follow=True).content.decode()
    assert "有 1 人刚刚已开通或已有订单，不能再购买；其余 5 人仍可购买。" in offered
    ordered = client.post(group_checkout, sent)
    order = Order.objects.get(kind=Order.Kind.GROUP)
    assert ordered.url == reverse("orders:detail", args=[order.number])
    assert (order.total_fen, order.lines.count()) == (5 * 3300, 5)

    # Paid at the cashier; the gateway's notification opens the plan for all of them.
    pay(client, order, sandbox)
    order.refresh_from_db()
    assert order.state == Order.State.PAID
    enrolled = Enrolment.objects.filter(source_number=order.number)
    assert set(enrolled.values_list("person_id", flat=True)) == {p.pk for p in people}
    assert PaymentException.objects.count() == 0
    told = Message.objects.filter(template__startswith="group_opened")
    assert {message.recipient for message in told} == {p.phone for p in people}
    deliver_due_messages(clock=timezone.now)
    assert set(told.values_list("state", flat=True)) == {Message.State.SENT}
    detail = client.get(ordered.url).content.decode()
    assert "学员（5 人）" in detail
    assert detail.count("学习中") >= 5
    assert order.number in client.get(reverse("orders:groups")).content.decode()

    # Each of them may study at once.
    for person in people[:4]:
        course_list = reverse("learning:course-list", args=[plan.code])
        assert client_of(person).get(course_list).status_code == 200


def pay(client: Client, order: Order, sandbox: SandboxServer) -> None:
    """Enter the cashier, pay there, and let its notification arrive."""
    answer = client.post(
        reverse("orders:pay", args=[order.number]), {"gateway": "alipay"}
    )
    assert requests.get(answer.url, timeout=5).status_code == 200
    attempt = PaymentAttempt.objects.get(order=order)
    assert attempt.subject.endswith("（5人）")
    sandbox.alipay.trades.pay(attempt.number)
    form = sandbox.alipay.make_notice(attempt.number)
    assert Client().post(NOTIFY_PATH, urlencode(form), content_type=FORM).content == (
        b"success"
    )
