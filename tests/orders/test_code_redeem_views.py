"""Pages on which codes are used, and what staff see of them."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import zxingcpp
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.documents import make_code_cards
from orders.models import ActivationCode, CodeImport
from orders.services.codes import check_import, redeem_code, upload_import
from tests.factories.accounts import UserFactory
from tests.factories.codes import make_codes, make_people_sheet
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import make_endless_plan

pytestmark = pytest.mark.django_db
LogIn = Callable[[User], Client]
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


# --- Using ---------------------------------------------------------------------------------


def test_a_typed_code_leads_to_study(
    stranger: User, plan: Plan, codes: list[ActivationCode], client_of: LogIn
) -> None:
    client = client_of(stranger)

    response = client.post("/codes/redeem/", {"code": codes[0].written_secret.lower()})

    assert response["Location"] == reverse("learning:course-list", args=[plan.code])
    assert Enrolment.objects.get().person == stranger
    assert client.get(response["Location"]).status_code == 200


def test_refused_codes_get_one_page(
    stranger: User, member: User, codes: list[ActivationCode], client_of: LogIn
) -> None:
    redeem_code(
        person=member,
        typed=codes[0].secret,
        address="203.0.113.7",
        now=timezone.now(),
    )
    client, words = client_of(stranger), []
    unknown = codes[1].secret
    ActivationCode.objects.filter(pk=codes[1].pk).delete()

    for typed in (codes[0].secret, unknown):
        response = client.post("/codes/redeem/", {"code": typed})
        words.append(response.context["form"].errors["code"])
        assert response.status_code == 200

    assert words[0] == words[1]
    assert not Enrolment.objects.filter(person=stranger).exists()


def test_the_redeem_page_is_open_and_its_action_is_not(
    codes: list[ActivationCode],
) -> None:
    page = Client().get("/codes/redeem/").content.decode()
    response = Client().post("/codes/redeem/", {"code": codes[0].secret})

    assert "请先登录" in page
    assert "<form method" not in page.split("<main")[1].split("</main")[0]
    assert response["Location"] == "/accounts/login/?next=/codes/redeem/"
    assert states() == ["unused"] * 3


def test_a_cards_qr_code_leads_here_with_the_code_behind_the_hash(
    plan: Plan, codes: list[ActivationCode], tmp_path: Path
) -> None:
    """Read back from the paper: nothing secret stands where browsers send it."""
    paper = tmp_path / "cards.pdf"
    paper.write_bytes(make_code_cards(codes[:2], plan=plan, now=timezone.now()))
    subprocess.run(
        ["pdftoppm", "-r", "150", "-singlefile", "-png", paper, tmp_path / "cards"],
        check=True,
    )

    with Image.open(tmp_path / "cards.png") as picture:
        said = sorted(code.text for code in zxingcpp.read_barcodes(picture))

    address = f"{settings.SITE_URL}/codes/redeem/"
    assert said == sorted(f"{address}#{code.secret}" for code in codes[:2])


def test_what_is_held_already_is_told_and_costs_no_code(
    stranger: User, plan: Plan, codes: list[ActivationCode], client_of: LogIn
) -> None:
    EnrolmentFactory(person=stranger, plan=plan)

    page = client_of(stranger).post("/codes/redeem/", {"code": codes[0].secret})

    assert "已开通该学习计划" in page.content.decode()
    assert states() == ["unused"] * 3


# --- Staff ---------------------------------------------------------------------------------


def test_staff_read_codes_without_secrets(
    staff: User, owner: User, plan: Plan, code_import: CodeImport, client_of: LogIn
) -> None:
    client = client_of(staff)
    code = ActivationCode.objects.order_by("pk")[0]
    base = "/staff/orders/activationcode/"

    for url in (base, f"{base}?state__exact=unused", f"{base}{code.pk}/change/"):
        response = client.get(url)
        page = response.content.decode()
        assert response.status_code == 200
        assert code.number in page
        assert not SECRET.search(page)
        assert code.secret[-4:] not in page
    assert client.get(f"{base}add/").status_code == 403
    assert client.post(f"{base}{code.pk}/delete/").status_code == 403
    client.post(f"{base}{code.pk}/change/", {"state": "used"})
    assert states() == ["unused"] * 3
    assert client.get("/staff/orders/codeimport/").status_code == 200
