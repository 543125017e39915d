"""A unit's coordinator buys three codes and hands them out in three ways; all study."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Message, User
from learning.models import Enrolment
from learning.queries import find_enrolment
from orders.models import ActivationCode, CodeImport, Order, PaymentAttempt
from orders.services import query_attempt
from orders.services.codes import check_import, hand_out
from portal.sandbox import SandboxServer
from tests.factories.accounts import UserFactory
from tests.factories.codes import make_people_sheet
from tests.factories.orders import make_endless_plan

pytestmark = [pytest.mark.django_db(transaction=True)]
LogIn = Callable[[User], Client]


def test_three_codes_open_the_plan_for_three_people(
    coordinator: User,
    member: User,
    unit: Any,
    client_of: LogIn,
    sandbox: SandboxServer,
) -> None:
    plan = make_endless_plan(sells_codes=True, title="2020年公需科目培训")
    listed, typist = UserFactory(pending=True), UserFactory()
    buyer = client_of(coordinator)

    # Three codes, one payment, one invoice to the unit.
    form = {
        "quantity": "3",
        "agreement": "on",
        "invoice": "later",
        "shown_fen": plan.price_fen,
    }
    placed = buyer.post(f"/orders/new/{plan.code}/codes/", form)
    order = Order.objects.get()
    assert (order.total_fen, order.unit) == (3 * plan.price_fen, unit)
    start = buyer.post(f"{placed['Location']}pay/", {"gateway": "alipay"})
    assert requests.get(start["Location"], timeout=5).status_code == 200
    attempt = PaymentAttempt.objects.get()
    sandbox.alipay.trades.pay(attempt.number)
    query_attempt(attempt_id=attempt.pk, now=timezone.now())
    page = buyer.get(placed["Location"]).content.decode()
    assert "3 个激活码已生成" in page
    assert "激活码已生成" in page
    assert Enrolment.objects.count() == 0

    # One by user name (a colleague), one by a sheet, one on paper.
    give = f"/codes/plans/{plan.code}/give/"
    found = buyer.post(give, {"account": member.username, "name": ""})
    [(person, token)] = found.context["found"]
    assert person == member
    buyer.post(give, {"found": token})

    sheet = make_people_sheet((listed.name, listed.id_number))
    sent = buyer.post(
        f"/codes/plans/{plan.code}/import/",
        {"file": SimpleUploadedFile("名单.xlsx", sheet)},
    )
    row = CodeImport.objects.get()
    check_import(import_id=row.pk, clock=timezone.now)
    buyer.post(f"{sent['Location']}confirm/", {"is_sure": "on"})
    hand_out(import_id=row.pk, clock=timezone.now)
    row.refresh_from_db()
    assert (row.state, row.given_count) == (CodeImport.State.DONE, 1)

    paper = buyer.post(f"/codes/plans/{plan.code}/print/", {"count": "5"})
    assert paper["Content-Type"] == "application/pdf"
    printed = ActivationCode.objects.get(printed_at__isnull=False)
    typed = client_of(typist).post("/codes/redeem/", {"code": printed.written_secret})
    assert typed["Location"] == reverse("learning:course-list", args=[plan.code])

    # The two who were given one are told, find it and use it.
    told = {each.recipient: each.text for each in Message.objects.all()}
    assert set(told) == {member.phone, listed.phone}
    assert reverse("orders:codes") in told[member.phone]
    assert reverse("accounts:activate") in told[listed.phone]
    User.objects.filter(pk=listed.pk).update(state=User.State.ACTIVE)
    for each in (member, User.objects.get(pk=listed.pk)):
        client = client_of(each)
        action = re.search(
            r'action="(/codes/\w+/activate/)"',
            client.get(reverse("orders:codes")).content.decode(),
        )
        assert action is not None
        client.post(action[1])

    for each in (member, listed, typist):
        enrolment = find_enrolment(each.pk, plan.pk)
        assert enrolment is not None
        assert enrolment.source == Enrolment.Source.CODE
        page = client_of(User.objects.get(pk=each.pk)).get(
            reverse("learning:course-list", args=[plan.code])
        )
        assert page.status_code == 200
    assert set(ActivationCode.objects.values_list("state", flat=True)) == {"used"}
    assert "没有可赠送的激活码" in _give_once_more(buyer, give, plan)


def _give_once_more(buyer: Client, give: str, plan: Any) -> str:
    """A fourth person: there is no code left."""
    fourth = UserFactory()
    found = buyer.post(give, {"account": fourth.phone, "name": fourth.name})
    [(_, token)] = found.context["found"]
    buyer.post(give, {"found": token})
    return str(buyer.get(give).content.decode())
