"""The schema of the API is complete, valid and true."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from accounts.api import serializers as login
from certificates.api import CertificateSerializer
from learning.api_v1 import serializers as study
from orders.api import serializers as orders

Document = dict[str, Any]
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def schema() -> Document:
    """Made without a warning, or the warning is the failure."""
    with GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        document = SchemaGenerator().get_schema(request=None, public=True)
        assert dict(GENERATOR_STATS._warn_cache) == {}
        assert dict(GENERATOR_STATS._error_cache) == {}
    return dict(document)


def operations(schema: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in schema["paths"].items():
        for method in METHODS & set(methods):
            yield path, method, methods[method]


def test_schema_is_valid_openapi(schema: Document) -> None:
    validate_schema(schema)


def test_every_address_of_the_api_is_described(schema: Document) -> None:
    served = {
        re.sub(r"<slug:(\w+)>", r"{\1}", f"/{pattern.pattern}")
        for urls in get_resolver().url_patterns
        for pattern in getattr(urls, "url_patterns", [urls])
        if str(pattern.pattern).startswith("api/v1/")
    }

    assert served - {"/api/v1/schema/"} == set(schema["paths"])


def test_operations_are_these(schema: Document) -> None:
    found = {operation["operationId"] for _, _, operation in operations(schema)}

    assert found == {
        *("list_orders", "place_order", "read_order", "read_order_state"),
        *("start_payment", "cancel_order", "list_gateways"),
        *("log_in", "log_out", "list_certificates"),
        *("list_plans", "list_courses", "read_course", "read_hours"),
        *("open_session", "report_beat", "close_session", "answer_prompt"),
    }


# All others name something that may not be there, lists the page.
WITHOUT_404 = {"place_order", "list_gateways", "read_hours", "list_certificates"}
CAN_BE_BUSY = {"log_in", "start_payment"}
EITHER, TOKEN_ONLY = [{"app": []}, {"login": []}], [{"app": []}]


def test_every_operation_says_what_it_answers(schema: Document) -> None:
    for path, method, operation in operations(schema):
        where, name = f"{method} {path}", operation["operationId"]
        answers = operation["responses"]
        refused = {code for code in answers if code[0] in "45"}
        assert operation["summary"], where
        assert {"401", "429"} <= refused, where
        assert ("503" in refused) == (name in CAN_BE_BUSY), where
        assert ("413" in refused) == (
            operation["tags"] == ["学习"] and method == "post"
        )
        for code in refused:
            assert list(answers[code]["content"]) == ["application/problem+json"], where
        if name in {"log_in", "log_out"}:
            continue
        assert operation["security"] == EITHER, where
        assert ("404" in refused) == (name not in WITHOUT_404), where
        assert method == "get" or {"403", "409"} <= refused, where
        done = next(answer for code, answer in answers.items() if code[0] == "2")
        assert done["content"]["application/json"]["examples"], where


def test_logging_in_wants_nothing_and_logging_out_a_token(schema: Document) -> None:
    found = {each["operationId"]: each for _, _, each in operations(schema)}

    assert "security" not in found["log_in"]
    assert found["log_out"]["security"] == TOKEN_ONLY
    assert next(iter(found["log_out"]["responses"])) == "204"


def examples_of(schema: Document, media_type: str) -> Iterator[tuple[str, Any]]:
    for _, _, operation in operations(schema):
        for answer in operation["responses"].values():
            content = answer.get("content", {}).get(media_type, {})
            for example in content.get("examples", {}).values():
                yield operation["operationId"], example["value"]


FORM_OF = {
    "list_orders": orders.OrderSerializer,
    "place_order": orders.OrderSerializer,
    "read_order": orders.OrderSerializer,
    "cancel_order": orders.OrderSerializer,
    "read_order_state": orders.OrderStateSerializer,
    "start_payment": orders.StartSerializer,
    "list_gateways": orders.GatewaySerializer,
    "log_in": login.AppLoginSerializer,
    "list_certificates": CertificateSerializer,
    "list_plans": study.HeldPlanSerializer,
    "list_courses": study.StudyCourseSerializer,
    "read_course": study.CourseDetailSerializer,
    "read_hours": study.HoursSerializer,
    "open_session": study.OpenedSerializer,
    "report_beat": study.StandSerializer,
    "close_session": study.ClosedSerializer,
    "answer_prompt": study.JudgedSerializer,
}


def test_examples_have_every_field_and_no_other(schema: Document) -> None:
    seen = set()
    for name, value in examples_of(schema, "application/json"):
        rows = (
            value["results"]
            if isinstance(value, dict) and "results" in value
            else value
        )
        row = rows[0] if isinstance(rows, list) else rows
        assert set(row) == set(FORM_OF[name]().fields), name
        seen.add(name)
    assert seen == set(FORM_OF)


def test_examples_of_requests_are_taken(schema: Document) -> None:
    given = {
        "place_order": orders.PlaceOrderSerializer,
        "start_payment": orders.StartPaymentSerializer,
        "log_in": login.LoginSerializer,
        "open_session": study.OpenSerializer,
        "report_beat": study.BeatSerializer,
        "close_session": study.BeatSerializer,
        "answer_prompt": study.AnswerSerializer,
    }
    for _, _, operation in operations(schema):
        if operation["operationId"] in given:
            content = operation["requestBody"]["content"]["application/json"]
            for example in content["examples"].values():
                form = given[operation["operationId"]](data=example["value"])
                assert form.is_valid(), form.errors


def test_examples_of_problems_are_problems(schema: Document) -> None:
    problems = [value for _, value in examples_of(schema, "application/problem+json")]

    assert {problem["code"] for problem in problems} == {
        *("plan_being_bought", "idempotency_key_reused", "invalid"),
        *("order_not_payable", "payer_unknown", "gateway_down"),
        *("login_refused", "captcha_required", "first_login_required"),
        *("login_throttled", "taken_over", "session_ended", "not_entitled"),
        *("outside_period", "no_video"),
    }
    for problem in problems:
        assert problem["type"] == f"urn:portal:problem:{problem['code']}"
        assert {"title", "status", "reference"} <= set(problem)


@pytest.mark.django_db
def test_schema_is_for_staff(staff: Any, owner: Any, client_of: Any) -> None:
    url = "/api/v1/schema/"

    assert client_of(staff).get(url).status_code == 200
    assert client_of(owner).get(url).status_code == 403
    assert Client().get(url).status_code == 401
