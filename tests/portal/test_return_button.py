"""The red round button of the learner's pages: one on each, and where it leads."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.certificates import make_issue
from tests.factories.learning import enrol, make_study_plan
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db
BUTTON = re.compile(r'<a class="return-button" href="([^"]+)">.*?<span>(\w+)</span>')
TRAINING = ("/training/", "课程培训")


@pytest.fixture
def browser(client_of: Any, owner: Any) -> Client:
    client: Client = client_of(owner)
    return client


def read_button(client: Client, address: str) -> tuple[str, str]:
    """Where the one button of a page leads, and what it says."""
    response = client.get(address)
    assert response.status_code == 200
    found = BUTTON.findall(response.content.decode())
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    "page",
    [
        *("dashboard", "orders:list", "orders:codes", "certificates:list"),
        *("invoices:list", "accounts:profile", "accounts:sessions"),
    ],
)
def test_the_space_leads_to_what_is_studied(browser: Client, page: str) -> None:
    assert read_button(browser, reverse(page)) == TRAINING


def test_studying_leads_one_step_up(browser: Client, owner: Any) -> None:
    plan = enrol(owner, make_study_plan(code="p", subject="general")).plan
    course = plan.courses.get().code

    assert read_button(browser, f"/training/p/{course}/") == (
        "/training/p/",
        "返回计划",
    )
    assert read_button(browser, "/training/p/") == TRAINING
    assert read_button(browser, "/training/") == ("/plans/", "培训项目")
    assert read_button(browser, f"/plans/p/courses/{course}/") == (
        "/plans/p/",
        "返回计划",
    )
    assert read_button(browser, "/plans/p/") == ("/plans/?subject=general", "培训项目")


def test_an_order_leads_to_its_plan(browser: Client, owner: Any) -> None:
    order = make_order(owner)
    plan = order.lines.get().plan.code

    found = read_button(browser, reverse("orders:detail", args=[order.number]))

    assert found == (f"/plans/{plan}/", "返回计划")


def test_a_certificate_leads_to_its_plan(browser: Client, owner: Any) -> None:
    certificate = make_issue(owner).certificate
    plan = certificate.enrolment.plan.code

    found = read_button(
        browser, reverse("certificates:detail", args=[certificate.number])
    )

    assert found == (f"/plans/{plan}/", "返回计划")


def test_the_desk_of_a_unit_has_none(client_of: Any, coordinator: Any) -> None:
    page = client_of(coordinator).get(reverse("unit-overview"))

    assert page.status_code == 200
    assert "return-button" not in page.content.decode()
