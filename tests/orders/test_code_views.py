"""Pages of activation codes: whose they are, what they show, what they refuse."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.models import ActivationCode, CodeImport, InvoiceRequest, Order
from orders.services.codes import check_import, give_code, redeem_code, upload_import
from tests.factories.accounts import UserFactory
from tests.factories.codes import make_codes, make_people_sheet
from tests.factories.orders import make_endless_plan

pytestmark = pytest.mark.django_db
LogIn = Callable[[User], Client]
AGREED = {"agreement": "on", "invoice": "later", "shown_fen": "3300"}
SECRET = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){4}")


@pytest.fixture
def plan() -> Plan:
    return make_endless_plan(sells_codes=True)


@pytest.fixture
def codes(owner: User, plan: Plan) -> list[ActivationCode]:
    return make_codes(owner, plan)


@pytest.fixture
def code_import(owner: User, plan: Plan, codes: list[ActivationCode]) -> CodeImport:
    """A checked sheet: one good person, one with another name."""
    good, other = UserFactory(name="吴六"), UserFactory()
    sheet = make_people_sheet((good.name, good.phone), ("别人", other.phone))
    row = upload_import(owner=owner, plan=plan, content=sheet, now=timezone.now())
    check_import(import_id=row.pk, clock=timezone.now)
    row.refresh_from_db()
    return row


def states() -> list[str]:
    rows = ActivationCode.objects.order_by("pk")
    return list(rows.values_list("state", flat=True))


# --- Whose pages they are ------------------------------------------------------------------


def list_addresses(plan: Plan, row: CodeImport) -> Iterator[tuple[str, str]]:
    base, sheet = f"/codes/plans/{plan.code}/", f"/codes/imports/{row.code}/"
    yield from (("get", base), ("get", f"{base}give/"), ("get", f"{base}import/"))
    yield from (("post", f"{base}give/"), ("post", f"{base}import/"))
    yield from (("get", sheet), ("get", f"{sheet}errors/"), ("post", f"{base}print/"))
    yield from (("post", f"{sheet}{do}/") for do in ("confirm", "drop", "renew"))


def test_codes_are_their_owners_only(
    stranger: User, staff: User, plan: Plan, code_import: CodeImport, client_of: LogIn
) -> None:
    for method, url in list_addresses(plan, code_import):
        for person in (stranger, staff):
            response = getattr(client_of(person), method)(url, {"is_sure": "on"})
            assert response.status_code == 404, url
        response = getattr(Client(), method)(url)
        assert response.status_code == 302, url
        assert response["Location"].startswith("/accounts/login/?next="), url
    code_import.refresh_from_db()
    assert code_import.state == CodeImport.State.CHECKED
    assert states() == ["unused"] * 3
    assert not ActivationCode.objects.filter(printed_at__isnull=False).exists()


def test_pages_answer_their_owner(
    owner: User, plan: Plan, code_import: CodeImport, client_of: LogIn
) -> None:
    client = client_of(owner)

    for method, url in list_addresses(plan, code_import):
        if method == "get":
            response = client.get(url)
            assert response.status_code == 200, url
            assert "no-store" in response["Cache-Control"], url


def test_actions_want_a_csrf_token(
    owner: User, plan: Plan, code_import: CodeImport
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)

    for method, url in list_addresses(plan, code_import):
        if method == "post":
            assert client.post(url).status_code == 403, url
    assert client.post("/codes/redeem/", {"code": "x"}).status_code == 403


def test_what_one_was_given_is_activated_by_nobody_else(
    owner: User,
    stranger: User,
    member: User,
    plan: Plan,
    codes: list[ActivationCode],
    client_of: LogIn,
) -> None:
    code = give_code(owner=owner, plan=plan, person=stranger, now=timezone.now())
    url = f"/codes/{code.number}/activate/"

    for person in (owner, member):
        assert client_of(person).post(url).status_code == 404
    assert Client().post(url).status_code == 302
    assert states() == ["given", "unused", "unused"]
    response = client_of(stranger).post(url)
    assert response.status_code == 302
    assert Enrolment.objects.get().person == stranger


# --- Checkout ------------------------------------------------------------------------------


def test_checkout_orders_codes(owner: User, plan: Plan, client_of: LogIn) -> None:
    url = f"/orders/new/{plan.code}/codes/"
    data = {**AGREED, "quantity": "3"}

    assert "购买数量" in client_of(owner).get(url).content.decode()
    response = client_of(owner).post(url, data)

    order = Order.objects.get()
    assert response["Location"] == f"/orders/{order.number}/"
    assert (order.kind, order.total_fen) == ("codes", 3 * plan.price_fen)
    assert order.unit is None
    page = client_of(owner).get(response["Location"]).content.decode()
    assert "3 个激活码" in page


@pytest.mark.parametrize("shown", ["3299", ""])
def test_codes_of_another_price_are_asked_about_again(
    owner: User, plan: Plan, client_of: LogIn, shown: str
) -> None:
    url = f"/orders/new/{plan.code}/codes/"
    client, data = client_of(owner), {**AGREED, "quantity": "3"}

    page = client.post(url, {**data, "shown_fen": shown}).content.decode()

    assert "价格已调整为 33.00 元，请核对后重新提交" in page
    assert Order.objects.count() == 0
    client.post(url, data)
    assert Order.objects.get().total_fen == 9900


def test_a_coordinator_buys_for_the_unit(
    coordinator: User, unit: Any, plan: Plan, client_of: LogIn
) -> None:
    url = f"/orders/new/{plan.code}/codes/"
    assert unit.name in client_of(coordinator).get(url).content.decode()

    client_of(coordinator).post(url, {**AGREED, "quantity": "1"})

    assert Order.objects.get().unit == unit


def test_checkout_of_entry_two_asks_no_invoice(owner: User, client_of: LogIn) -> None:
    plan = make_endless_plan(sells_codes=True, entry=Plan.Entry.TWO)
    url = f"/orders/new/{plan.code}/codes/"

    assert "立即申请" not in client_of(owner).get(url).content.decode()
    client_of(owner).post(url, {**AGREED, "quantity": "1", "invoice": "now"})

    assert Order.objects.count() == 1
    assert InvoiceRequest.objects.count() == 0


@pytest.mark.parametrize("quantity", ["", "0", "-3", "5001", "1.5", "十"])
def test_a_wrong_number_orders_nothing(
    owner: User, plan: Plan, client_of: LogIn, quantity: str
) -> None:
    url = f"/orders/new/{plan.code}/codes/"

    response = client_of(owner).post(url, {**AGREED, "quantity": quantity})

    assert response.status_code == 200
    assert response.context["form"].errors["quantity"]
    assert Order.objects.count() == 0


def test_plans_without_codes_say_so(owner: User, client_of: LogIn) -> None:
    plan = make_endless_plan()

    page = client_of(owner).get(f"/orders/new/{plan.code}/codes/").content.decode()

    assert "不提供激活码购买" in page
    assert (
        "团体购买激活码"
        not in client_of(owner).get(f"/plans/{plan.code}/").content.decode()
    )


def test_an_unpaid_order_is_led_to(owner: User, plan: Plan, client_of: LogIn) -> None:
    url = f"/orders/new/{plan.code}/codes/"
    client_of(owner).post(url, {**AGREED, "quantity": "1"})

    for response in (
        client_of(owner).get(url),
        client_of(owner).post(url, {**AGREED, "quantity": "1"}),
    ):
        assert f"/orders/{Order.objects.get().number}/" in response.content.decode()


def test_personal_checkout_leads_to_the_given_code(
    owner: User,
    stranger: User,
    plan: Plan,
    codes: list[ActivationCode],
    client_of: LogIn,
) -> None:
    give_code(owner=owner, plan=plan, person=stranger, now=timezone.now())
    client = client_of(stranger)

    checkout = client.get(f"/orders/new/{plan.code}/").content.decode()
    page = client.get(f"/plans/{plan.code}/").content.decode()

    assert "无需购买" in checkout
    assert "去激活" in checkout
    assert "立即激活" in page
    assert "立即购买" not in page


def test_the_plan_offers_codes_where_it_sells_them(plan: Plan) -> None:
    page = Client().get(f"/plans/{plan.code}/").content.decode()

    assert f"/orders/new/{plan.code}/codes/" in page


# --- What pages show -----------------------------------------------------------------------


def test_no_page_shows_a_whole_code(
    owner: User, stranger: User, plan: Plan, code_import: CodeImport, client_of: LogIn
) -> None:
    code = give_code(owner=owner, plan=plan, person=stranger, now=timezone.now())
    secrets = {each.secret for each in ActivationCode.objects.all()}
    pages = [
        client_of(owner).get(url).content.decode()
        for url in ("/codes/", f"/codes/plans/{plan.code}/", "/orders/")
    ]
    pages.append(client_of(stranger).get("/codes/").content.decode())

    for page in pages:
        assert not SECRET.search(page)
        assert not any(secret in page for secret in secrets)
    assert f"****-{code.secret[-4:]}" in pages[1]


def test_counts_and_states_are_shown(
    owner: User,
    stranger: User,
    member: User,
    plan: Plan,
    codes: list[ActivationCode],
    client_of: LogIn,
) -> None:
    now = timezone.now()
    give_code(owner=owner, plan=plan, person=stranger, now=now)
    redeem_code(person=member, typed=codes[1].secret, address="203.0.113.7", now=now)
    client = client_of(owner)

    response = client.get(f"/codes/plans/{plan.code}/")

    sums = response.context["sums"]
    assert (sums.total, sums.unused, sums.given, sums.used) == (3, 1, 1, 1)
    page = response.content.decode()
    # Whom one chose by name, and of whom one chose not only what a mask leaves.
    assert stranger.name in page
    assert stranger.phone not in page
    assert member.name not in page
    for state, count in (("unused", 1), ("given", 1), ("used", 1), ("void", 0)):
        rows = client.get(f"/codes/plans/{plan.code}/", {"state": state}).context[
            "rows"
        ]
        assert len(rows) == count


def test_the_list_costs_the_same_for_three_and_for_thirty(
    owner: User,
    plan: Plan,
    client_of: LogIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_of(owner)
    for count in (3, 30):
        make_codes(owner, plan, count)
        # Session, person, sums, plan, print runs, imports, count, codes.
        with django_assert_num_queries(8):
            client.get(f"/codes/plans/{plan.code}/")
