from typing import Any

import pytest

from orders.forms import CheckoutForm, PayForm
from orders.models import InvoiceRequest
from orders.rules import InvoiceDetails
from portal.lib.credit_codes import check_character

CODE17 = "91500103MA5U00000"
CODE = CODE17 + check_character(CODE17)
OLD_NUMBER = "500103745321234"


def make_form(**changes: Any) -> CheckoutForm:
    data = {
        "invoice": "now",
        "buyer_kind": "person",
        "title": "赵一",
        "agreement": "on",
    }
    return CheckoutForm(data | changes, asks_invoice=True)


def test_person_needs_a_title_only() -> None:
    form = make_form(credit_code="whatever")

    assert form.is_valid()
    assert form.get_invoice() == InvoiceDetails("person", "赵一")


def test_later_asks_for_nothing() -> None:
    form = CheckoutForm({"invoice": "later", "agreement": "on"}, asks_invoice=True)

    assert form.is_valid()
    assert form.get_invoice() is None


def test_unit_gives_its_code() -> None:
    form = make_form(
        buyer_kind="enterprise", title="示例公司", credit_code=f" {CODE.lower()} "
    )

    assert form.is_valid()
    assert form.get_invoice() == InvoiceDetails("enterprise", "示例公司", CODE)


@pytest.mark.parametrize("kind", ["enterprise", "institution"])
@pytest.mark.parametrize("code", ["123", CODE17 + "I", CODE[:-1] + "?"])
def test_unit_with_an_invalid_code_is_refused(kind: str, code: str) -> None:
    form = make_form(buyer_kind=kind, credit_code=code)

    assert not form.is_valid()
    assert list(form.errors) == ["credit_code"]


def test_only_an_enterprise_must_give_a_code() -> None:
    """DOM-16."""
    enterprise = make_form(buyer_kind="enterprise", credit_code="")
    institution = make_form(buyer_kind="institution", credit_code="")

    assert not enterprise.is_valid()
    assert list(enterprise.errors) == ["credit_code"]
    assert institution.is_valid()


def test_old_number_is_good_for_institutions_only() -> None:
    institution = make_form(buyer_kind="institution", credit_code=OLD_NUMBER)
    enterprise = make_form(buyer_kind="enterprise", credit_code=OLD_NUMBER)

    assert institution.is_valid()
    assert not enterprise.is_valid()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"invoice": ""}, "invoice"),
        ({"invoice": "never"}, "invoice"),
        ({"buyer_kind": ""}, "buyer_kind"),
        ({"buyer_kind": "alien"}, "buyer_kind"),
        ({"title": "  "}, "title"),
        ({"title": "长" * 101}, "title"),
        ({"email": "nobody"}, "email"),
        ({"agreement": ""}, "agreement"),
    ],
)
def test_error_stands_beside_its_field(changes: dict[str, str], field: str) -> None:
    form = make_form(**changes)

    assert not form.is_valid()
    assert field in form.errors


def test_entry_two_has_no_invoice_question() -> None:
    form = CheckoutForm({"agreement": "on", "invoice": "now"}, asks_invoice=False)

    assert list(form.fields) == ["shown_fen", "agreement"]
    assert form.is_valid()
    assert form.get_invoice() is None


def test_kinds_are_those_of_the_model() -> None:
    choices = dict(make_form().fields["buyer_kind"].choices)  # type: ignore[attr-defined]

    assert choices == dict(InvoiceRequest.Buyer.choices)


def test_gateway_must_be_configured() -> None:
    gateways = [("alipay", "支付宝")]

    assert PayForm({"gateway": "alipay"}, gateways=gateways).is_valid()
    assert not PayForm({"gateway": "other"}, gateways=gateways).is_valid()
    assert not PayForm({}, gateways=gateways).is_valid()
