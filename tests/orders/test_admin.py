from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import AuditEntry, User
from orders.models import (
    GatewayMessage,
    Order,
    PaymentAttempt,
    PaymentException,
)
from tests.factories.accounts import UserFactory
from tests.factories.orders import (
    GatewayMessageFactory,
    InvoiceRequestFactory,
    PaymentAttemptFactory,
    PaymentExceptionFactory,
    make_order,
)

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]
ORDERS = "admin:orders_order_changelist"


@pytest.fixture
def reviewed(owner: User) -> PaymentException:
    """One fen came for an order of 33 yuan."""
    attempt = PaymentAttemptFactory(order=make_order(owner), review=True)
    exception: PaymentException = PaymentExceptionFactory(attempt=attempt)
    return exception


def make_staff(*permissions: str) -> User:
    person: User = UserFactory(is_staff=True)
    codenames = [name.partition(".")[2] for name in permissions]
    person.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return person


def change_url(row: Any) -> str:
    return reverse(f"admin:orders_{row._meta.model_name}_change", args=[row.pk])


# --- Looking -----------------------------------------------------------------------------


def test_staff_find_an_order_with_all_its_parts(
    owner: User, staff: User, client_of: LogIn
) -> None:
    order = make_order(owner, paid=True)
    attempt = PaymentAttemptFactory(order=order, paid=True)
    message = GatewayMessageFactory(attempt=attempt)
    InvoiceRequestFactory(order=order, title="示例公司")
    client = client_of(staff)

    found = client.get(reverse(ORDERS), {"q": attempt.number}).content.decode()
    text = client.get(change_url(order)).content.decode()

    assert order.number in found
    assert attempt.number in text
    assert attempt.gateway_number in text
    assert order.lines.get().plan_title in text
    assert "示例公司" in text
    assert change_url(message) in text
    assert 'name="_save"' not in text


@pytest.mark.parametrize("model", [Order, PaymentAttempt, GatewayMessage])
def test_nothing_is_added_changed_or_deleted_by_hand(
    owner: User, staff: User, client_of: LogIn, model: Any
) -> None:
    GatewayMessageFactory(attempt=PaymentAttemptFactory(order=make_order(owner)))
    row = model.objects.get()
    client = client_of(staff)
    add = reverse(f"admin:orders_{model._meta.model_name}_add")

    assert client.get(add).status_code == 403
    assert client.post(change_url(row), {"state": "paid"}).status_code == 403
    delete = reverse(f"admin:orders_{model._meta.model_name}_delete", args=[row.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert model.objects.count() == 1


@pytest.mark.parametrize(
    "name", ["order", "paymentattempt", "gatewaymessage", "paymentexception"]
)
def test_lists_open_for_staff_only(
    owner: User, staff: User, client_of: LogIn, name: str
) -> None:
    url = reverse(f"admin:orders_{name}_changelist")

    assert client_of(staff).get(url).status_code == 200
    assert client_of(owner).get(url).status_code == 302
    assert client_of(make_staff()).get(url).status_code == 403
    assert Client().get(url).status_code == 302


# --- Export ------------------------------------------------------------------------------


def export(client: Client, *orders: Order) -> Any:
    data = {"action": "export_sheet", "_selected_action": [row.pk for row in orders]}
    return client.post(reverse(ORDERS), data)


def test_finance_exports_orders_as_text(owner: User, client_of: LogIn) -> None:
    owner.name = "=赵一"
    owner.save()
    order = make_order(owner, paid=True)
    attempt = PaymentAttemptFactory(order=order, paid=True)
    finance = make_staff("orders.view_order", "orders.export_order")

    response = export(client_of(finance), order)

    sheet = load_workbook(BytesIO(response.content)).worksheets[0]
    row = [cell.value for cell in sheet[2]]
    entry = AuditEntry.objects.get(action="orders.orders_exported")
    assert row[0] == order.number
    assert row[3] == "=赵一"
    assert sheet["D2"].data_type == "s"
    assert row[5:7] == ["1", "33.00"]
    assert row[8] == "2026-06-15 09:52:00"
    assert row[9:12] == ["支付宝", attempt.number, attempt.gateway_number]
    assert (entry.actor, entry.detail) == (finance, {"count": 1})


def test_export_needs_its_own_permission(owner: User, client_of: LogIn) -> None:
    order = make_order(owner, paid=True)

    response = export(client_of(make_staff("orders.view_order")), order)

    assert response.get("Content-Disposition") is None
    assert AuditEntry.objects.filter(action="orders.orders_exported").count() == 0


def test_export_of_too_much_is_refused(
    owner: User, staff: User, client_of: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.services.export.ROW_LIMIT", 0)

    response = export(client_of(staff), make_order(owner))

    assert response.status_code == 302
    assert AuditEntry.objects.count() == 0


# --- Exceptions --------------------------------------------------------------------------


def test_staff_resolve_in_the_admin(
    reviewed: PaymentException, client_of: LogIn
) -> None:
    finance = make_staff(
        "orders.view_paymentexception", "orders.change_paymentexception"
    )
    client = client_of(finance)

    shown = client.get(change_url(reviewed)).content.decode()
    client.post(change_url(reviewed), {"outcome": "returned", "resolution": "退回"})

    reviewed.refresh_from_db()
    assert "33.00" in shown
    assert reviewed.state == PaymentException.State.RESOLVED
    assert reviewed.resolved_by == finance
    assert (reviewed.refund.amount_fen, reviewed.refund.state) == (1, "approved")
    assert 'name="resolution"' not in client.get(change_url(reviewed)).content.decode()


@pytest.mark.parametrize(
    "data", [{}, {"outcome": "accepted"}, {"resolution": "无"}, {"outcome": "x"}]
)
def test_resolution_needs_outcome_and_reason(
    reviewed: PaymentException, staff: User, client_of: LogIn, data: dict[str, str]
) -> None:
    response = client_of(staff).post(change_url(reviewed), data)

    reviewed.refresh_from_db()
    assert response.status_code == 200
    assert reviewed.state == PaymentException.State.OPEN


def test_amount_that_no_note_named_is_asked_for(
    owner: User, staff: User, client_of: LogIn
) -> None:
    attempt = PaymentAttemptFactory(order=make_order(owner, paid=True), pays=True)
    exception = PaymentExceptionFactory(
        attempt=attempt, kind="foreign_refund", refund_number="F1", amount_fen=None
    )
    client, data = client_of(staff), {"outcome": "accepted", "resolution": "已核对"}

    assert 'name="told_yuan"' in client.get(change_url(exception)).content.decode()
    without = client.post(change_url(exception), data, follow=True)
    exception.refresh_from_db()
    assert "渠道未告知退款金额" in without.content.decode()
    assert exception.state == PaymentException.State.OPEN

    client.post(change_url(exception), data | {"told_yuan": "12.34"})

    exception.refresh_from_db()
    attempt.refresh_from_db()
    assert exception.state == PaymentException.State.RESOLVED
    assert (exception.amount_fen, attempt.refunded_fen) == (1234, 1234)
    assert "told_yuan" not in client.get(change_url(exception)).content.decode()


def test_refused_resolution_is_told(owner: User, staff: User, client_of: LogIn) -> None:
    attempt = PaymentAttemptFactory(order=make_order(owner, paid=True), paid=True)
    exception = PaymentExceptionFactory(attempt=attempt, kind="duplicate")

    response = client_of(staff).post(
        change_url(exception), {"outcome": "accepted", "resolution": "误"}, follow=True
    )

    exception.refresh_from_db()
    assert "该笔款项不能再用于订单" in response.content.decode()
    assert exception.state == PaymentException.State.OPEN


def test_page_left_open_does_not_resolve_twice(
    reviewed: PaymentException, staff: User, client_of: LogIn
) -> None:
    client, data = client_of(staff), {"outcome": "noted", "resolution": "已核对"}
    client.post(change_url(reviewed), data)

    response = client.post(
        change_url(reviewed), {"outcome": "returned", "resolution": "x"}, follow=True
    )

    reviewed.refresh_from_db()
    assert response.status_code == 200
    assert "该支付异常已处理" in response.content.decode()
    assert (reviewed.outcome, reviewed.resolution) == ("noted", "已核对")
    assert 'name="_save"' not in client.get(change_url(reviewed)).content.decode()


def test_viewing_is_not_resolving(reviewed: PaymentException, client_of: LogIn) -> None:
    client = client_of(make_staff("orders.view_paymentexception"))

    data = {"outcome": "returned", "resolution": "已退"}
    assert client.post(change_url(reviewed), data).status_code == 403
    reviewed.refresh_from_db()
    assert reviewed.state == PaymentException.State.OPEN


def test_what_came_is_shown_in_yuan(owner: User, staff: User, client_of: LogIn) -> None:
    attempt = PaymentAttemptFactory(
        order=make_order(owner), amount_fen=9000, received_fen=8000, refunded_fen=500
    )

    text = client_of(staff).get(change_url(attempt)).content.decode()

    for shown in ("90.00", "80.00", "5.00"):
        assert f'<div class="readonly">{shown}</div>' in text
    assert "（分）" not in text


# --- Names -------------------------------------------------------------------------------


def test_gateways_are_shown_and_chosen_by_name(
    owner: User, staff: User, client_of: LogIn
) -> None:
    attempt = PaymentAttemptFactory(order=make_order(owner))
    message = GatewayMessageFactory(attempt=attempt)
    client = client_of(staff)
    for row in (attempt, message):
        page = client.get(change_url(row)).content.decode()
        assert "支付宝" in page
        assert '<div class="readonly">alipay</div>' not in page

    url = reverse("admin:orders_gatewaymessage_changelist")
    assert 'href="?gateway=alipay">支付宝</a>' in client.get(url).content.decode()
    for gateway, rows in (("alipay", [message]), ("other", [])):
        found = client.get(url, {"gateway": gateway}).context["cl"].queryset
        assert list(found) == rows
