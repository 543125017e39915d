"""What a person does in the app, from the login to studying: one token, no cookie."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from accounts.models import PersonSession
from learning.services import open_enrolments
from orders.models import Order, PaymentAttempt
from portal.sandbox import SandboxServer
from tests.factories.accounts import PASSWORD
from tests.factories.learning import make_study_plan

pytestmark = pytest.mark.django_db


def test_buying_and_studying_in_the_app(owner: Any, sandbox: SandboxServer) -> None:
    plan = make_study_plan(sale_end=date(2099, 12, 31), training_end=date(2099, 12, 31))
    app = Client(enforce_csrf_checks=True)

    def post(url: str, data: Any, **headers: str) -> Any:
        return app.post(url, data, content_type="application/json", headers=headers)

    login = {"account": owner.phone, "password": PASSWORD, "device": "我的手机"}
    token = post("/api/v1/login/", login).json()["token"]
    app.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"

    wish = {"plan": plan.code, "price_fen": 3300, "agreement": True}
    key = {"idempotency-key": "4f1c2d9e-app"}
    placed = post("/api/v1/orders/", wish, **key)
    again = post("/api/v1/orders/", wish, **key)
    number = placed.json()["number"]
    start = post(f"/api/v1/orders/{number}/payments/", {"gateway": "alipay"})

    assert (placed.status_code, again.json()["number"]) == (201, number)
    assert start.json()["kind"] == "redirect"
    assert Order.objects.get().buyer == owner
    assert PaymentAttempt.objects.get().state == PaymentAttempt.State.WAITING

    open_paid(owner, plan, number)
    plans = app.get("/api/v1/study/plans/").json()["results"]
    assert [row["plan"] for row in plans] == [plan.code]
    courses = f"/api/v1/study/plans/{plan.code}/courses/"
    course = app.get(courses).json()["results"][0]["course"]
    opened = post(
        "/api/v1/study/open/", {"plan": plan.code, "course": course, "chapter": 1}
    )
    assert opened.status_code == 200
    assert app.post("/api/v1/logout/").status_code == 204
    assert app.get(courses).status_code == 401
    assert app.cookies == {}
    assert PersonSession.objects.get().end_reason == "logout"


def open_paid(person: Any, plan: Any, number: str) -> None:
    """What a notification of the gateway leads to; the app has no part in it."""
    open_enrolments(
        plan=plan,
        users=[person],
        source="order",
        source_number=number,
        now=Order.objects.get().created_at,
    )
