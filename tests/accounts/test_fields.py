"""Fields that several forms share."""

import pytest
from django.urls import reverse

from accounts.forms.lists import ReturnForm
from accounts.forms.requests import DecisionForm
from accounts.forms.staff import EndingForm, ReasonForm, ResetForm
from accounts.models import AuditEntry
from certificates.forms import RevocationForm
from learning.forms import OpenEnrolmentForm
from tests.factories.accounts import make_id_number, make_phone

FORMS = (
    *(ReasonForm, EndingForm, ResetForm, ReturnForm, DecisionForm),
    *(RevocationForm, OpenEnrolmentForm),
)
WORDS = "请勿填写完整的证件号码或手机号码，可只写尾号。"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", [make_id_number(7), make_phone(7)])
def test_no_reason_holds_a_number(db, form, number):
    assert WORDS in form({"reason": f"来电核对{number}"}).errors["reason"]


@pytest.mark.parametrize("form", FORMS)
def test_an_ordinary_reason_passes(db, form):
    typed = {"reason": "来电核对尾号0007，2026-06-15 10:30"}

    assert "reason" not in form(typed).errors


def test_a_number_in_a_reason_reaches_no_audit(client_of, staff, owner):
    page = reverse("admin:accounts_user_unmask", args=[owner.code])

    response = client_of(staff).post(page, {"reason": f"来电核对{owner.phone}"})

    assert WORDS in response.content.decode()
    assert owner.id_number not in response.content.decode()
    assert AuditEntry.objects.count() == 0
