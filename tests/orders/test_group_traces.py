"""Where the people of a group purchase must not stand: database, logs, broker, addresses."""

import logging
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.services.messages import deliver_due_messages
from orders.models import GatewayMessage, GroupCheck, Order
from orders.payments.protocol import Report, State
from orders.services import apply_report
from orders.services.groups import check_people
from portal.celery import app
from tests.accounts.test_no_traces import dump_files, find_traces
from tests.factories.accounts import UserFactory, make_id_number
from tests.factories.groups import make_sheet
from tests.factories.orders import PaymentAttemptFactory, make_endless_plan

UNKNOWN = make_id_number(900_000)


@pytest.fixture
def broker() -> Iterator[None]:
    """The real broker: tasks are sent and nobody takes them."""
    app.conf.task_always_eager = False
    app.control.purge()
    yield
    app.control.purge()
    app.conf.task_always_eager = True


@pytest.mark.django_db(transaction=True)
def test_a_group_purchase_leaves_no_number_anywhere(
    client_of, unit, coordinator, staff, broker, caplog, capfd
):
    caplog.set_level(logging.INFO)
    plan = make_endless_plan()
    one, two = UserFactory(name="欧阳春梅"), UserFactory(name="诸葛夏竹")
    numbers = [one.id_number, two.id_number, one.phone, two.phone, UNKNOWN]
    secrets = [*numbers, one.name, two.name, "令狐秋菊", UNKNOWN[:-1]]
    client, addresses = client_of(coordinator), []

    def visit(method, url, data=None):
        response = getattr(client, method)(url, data or {})
        addresses.extend([url, response.headers.get("Location", "")])
        return response

    def check():
        row = GroupCheck.objects.latest("pk")
        check_people(check_id=row.pk, clock=timezone.now)
        return row

    start = reverse("orders:group-start", args=[plan.code])
    lines = [f"欧阳春梅 {one.id_number}", f"令狐秋菊 {UNKNOWN}", UNKNOWN[:-1]]
    visit("post", start, {"unit": unit.code, "numbers": "\n".join(lines)})
    assert find_traces([*numbers, "令狐秋菊"], caplog.text) == []
    row = check()
    for page in ("group-check", "group-errors", "group-correct"):
        visit("get", reverse(f"orders:{page}", args=[row.code]))
    sheet = make_sheet([(two.id_number, two.name)])
    visit(
        "post",
        reverse("orders:group-correct", args=[row.code]),
        {
            "unit": unit.code,
            "numbers": "",
            "keeps_free": "on",
            "file": SimpleUploadedFile(f"{two.name}.xlsx", sheet),
        },
    )
    row = check()
    checkout = reverse("orders:group-checkout", args=[row.code])
    visit(
        "post",
        checkout,
        {"invoice": "later", "agreement": "on", "shown_fen": plan.price_fen},
    )
    order = Order.objects.get()
    assert order.lines.count() == 2
    attempt = PaymentAttemptFactory(order=order)
    apply_report(
        gateway="alipay",
        report=Report(attempt.number, State.PAID, attempt.amount_fen),
        source=GatewayMessage.Source.NOTIFICATION,
        now=timezone.now(),
    )
    deliver_due_messages(clock=timezone.now)
    visit("get", reverse("orders:detail", args=[order.number]))
    visit("get", reverse("orders:groups"))
    desk = client_of(staff)
    desk.get(reverse("admin:orders_groupcheck_change", args=[row.pk]))
    cache.set("probe", "the cache is looked at")

    printed = "".join(capfd.readouterr())
    traces = find_traces(secrets, caplog.text + printed)
    # Names stand in clear where everybody's do, and nowhere else.
    assert {place for place, _ in traces} == {"accounts_user"}
    assert {secret for _, secret in traces} == {one.name, two.name}
    assert not [a for a in addresses for secret in secrets if secret in a]
    stored = dict(dump_files(settings.MEDIA_ROOT))
    assert not any(
        secret.encode() in content for content in stored.values() for secret in secrets
    )
