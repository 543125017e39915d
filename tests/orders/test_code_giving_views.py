"""Pages on which codes are given, printed and imported."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from accounts.models import AuditEntry, Message, PrivateFile, User
from catalog.models import Plan
from orders.documents import make_code_cards
from orders.models import ActivationCode, CodeImport
from orders.queries.codes import list_print_runs
from orders.services.codes import check_import, printing, redeem_code, upload_import
from orders.views import codes as code_views
from tests.factories.accounts import UserFactory
from tests.factories.codes import make_codes, make_people_sheet
from tests.factories.orders import make_endless_plan, make_order

pytestmark = pytest.mark.django_db
LogIn = Callable[[User], Client]


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


def upload_file(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("名单.xlsx", content)


def states() -> list[str]:
    rows = ActivationCode.objects.order_by("pk")
    return list(rows.values_list("state", flat=True))


# --- Giving --------------------------------------------------------------------------------


def test_somebody_is_found_and_given_a_code(
    owner: User,
    stranger: User,
    plan: Plan,
    codes: list[ActivationCode],
    client_of: LogIn,
) -> None:
    client, url = client_of(owner), f"/codes/plans/{plan.code}/give/"

    found = client.post(url, {"account": stranger.phone, "name": stranger.name})

    page = found.content.decode()
    assert stranger.masked_id_number in page
    assert stranger.id_number not in page
    assert states() == ["unused"] * 3
    [(person, token)] = found.context["found"]
    assert person == stranger
    response = client.post(url, {"found": token})
    assert response["Location"] == url
    assert states() == ["given", "unused", "unused"]
    assert "已将激活码赠送给" in client.get(url).content.decode()


def test_nobody_is_found_in_one_word(
    owner: User,
    stranger: User,
    plan: Plan,
    codes: list[ActivationCode],
    client_of: LogIn,
) -> None:
    client, url = client_of(owner), f"/codes/plans/{plan.code}/give/"
    pages = [
        re.sub(r'value="[^"]*"', "", client.post(url, data).content.decode())
        for data in (
            {"account": stranger.phone, "name": "别人"},
            {"account": "19900009999", "name": "别人"},
        )
    ]
    words = [
        re.findall(r'role="alert".*?</div>\s*</div>', page, re.S) for page in pages
    ]

    assert words[0] == words[1] != []
    assert "没有找到与所填信息一致的人员" in words[0][0]


def test_only_who_was_found_lately_is_given_a_code(
    owner: User,
    stranger: User,
    member: User,
    plan: Plan,
    codes: list[ActivationCode],
    client_of: LogIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_codes(member, plan)
    client, url = client_of(owner), f"/codes/plans/{plan.code}/give/"
    found = client.post(url, {"account": stranger.phone, "name": stranger.name})
    [(_, token)] = found.context["found"]

    assert client_of(member).post(url, {"found": token}).status_code == 404
    client.post(url, {"found": stranger.code})
    client.post(url, {"found": f"{token}x"})
    monkeypatch.setattr(code_views, "FOUND_SECONDS", -1)
    client.post(url, {"found": token})

    assert "given" not in states()


def test_who_has_bought_is_refused_in_the_documents_words(
    owner: User,
    stranger: User,
    plan: Plan,
    codes: list[ActivationCode],
    client_of: LogIn,
) -> None:
    make_order(stranger, plan, paid=True)
    client, url = client_of(owner), f"/codes/plans/{plan.code}/give/"
    found = client.post(url, {"account": stranger.phone, "name": stranger.name})
    [(_, token)] = found.context["found"]

    client.post(url, {"found": token})

    assert "该用户已被分配过激活码" in client.get(url).content.decode()
    assert states() == ["unused"] * 3


# --- Printing ------------------------------------------------------------------------------


def test_codes_are_printed_and_remembered(
    owner: User, plan: Plan, codes: list[ActivationCode], client_of: LogIn
) -> None:
    client, url = client_of(owner), f"/codes/plans/{plan.code}/print/"

    response = client.post(url, {"count": "2"})

    assert response["Content-Type"] == "application/pdf"
    assert response["Cache-Control"] == "no-store"
    assert "attachment" in response["Content-Disposition"]
    assert len(pikepdf.open(BytesIO(response.content)).pages) == 1
    printed = ActivationCode.objects.filter(printed_at__isnull=False)
    assert {code.pk for code in printed} == {codes[0].pk, codes[1].pk}
    entry = AuditEntry.objects.get(action="codes.printed")
    assert codes[0].number in str(entry.detail)
    assert codes[0].secret not in str(entry.detail)

    [run] = list_print_runs(owner, plan)
    again = client.post(url, {"again": run.at.isoformat()})
    assert again["Content-Type"] == "application/pdf"
    assert list_print_runs(owner, plan) == [run]


def test_a_code_comes_on_one_sheet_only(
    owner: User,
    plan: Plan,
    codes: list[ActivationCode],
    client_of: LogIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second click while the first sheet is drawn: no two people hold one code."""
    client, url = client_of(owner), f"/codes/plans/{plan.code}/print/"

    def draw_meanwhile(*_: Any, **__: Any) -> bytes:
        monkeypatch.setattr(printing, "make_code_cards", lambda *_, **__: b"%PDF")
        assert client.post(url, {"count": "1"}).content == b"%PDF"
        return b"%PDF"

    monkeypatch.setattr(printing, "make_code_cards", draw_meanwhile)

    response = client.post(url, {"count": "2"}, follow=True)

    assert "刚刚已被打印或赠送" in response.content.decode()
    assert ActivationCode.objects.filter(printed_at__isnull=False).count() == 1
    assert AuditEntry.objects.filter(action="codes.printed").count() == 1


@pytest.mark.parametrize(
    "data",
    [{"count": "0"}, {"count": "101"}, {"again": "never"}, {"again": "2026-01-01"}],
)
def test_nothing_else_is_printed(
    owner: User,
    plan: Plan,
    codes: list[ActivationCode],
    client_of: LogIn,
    data: dict[str, str],
) -> None:
    response = client_of(owner).post(f"/codes/plans/{plan.code}/print/", data)

    assert response.status_code == 302
    assert not ActivationCode.objects.filter(printed_at__isnull=False).exists()


def test_only_unused_codes_are_printed(
    owner: User, member: User, plan: Plan, client_of: LogIn
) -> None:
    code = make_codes(owner, plan, 1)[0]
    redeem_code(
        person=member, typed=code.secret, address="203.0.113.7", now=timezone.now()
    )

    response = client_of(owner).post(f"/codes/plans/{plan.code}/print/", {"count": "1"})

    assert response.status_code == 302


def test_ten_cards_make_a_page(plan: Plan, codes: list[ActivationCode]) -> None:
    for count, pages in ((1, 1), (10, 1), (11, 2)):
        cards = [codes[0]] * count
        paper = make_code_cards(cards, plan=plan, now=timezone.now())
        assert len(pikepdf.open(BytesIO(paper)).pages) == pages


# --- Importing -----------------------------------------------------------------------------


def test_a_sheet_goes_from_upload_to_gifts(
    owner: User,
    stranger: User,
    plan: Plan,
    codes: list[ActivationCode],
    client_of: LogIn,
    django_capture_on_commit_callbacks: Any,
) -> None:
    client = client_of(owner)
    sheet = make_people_sheet((stranger.name, stranger.phone))

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(
            f"/codes/plans/{plan.code}/import/", {"file": upload_file(sheet)}
        )
    url = response["Location"]
    page = client.get(url).content.decode()
    assert "确认赠送 1 人" in page
    assert stranger.phone not in page
    assert states() == ["unused"] * 3

    client.post(f"{url}confirm/")
    assert CodeImport.objects.get().state == CodeImport.State.CHECKED
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{url}confirm/", {"is_sure": "on"})
    assert CodeImport.objects.get().state == CodeImport.State.DONE
    assert states() == ["given", "unused", "unused"]
    assert Message.objects.get().recipient == stranger.phone


def test_progress_is_asked_for_by_the_page(
    owner: User, code_import: CodeImport, client_of: LogIn
) -> None:
    client, url = client_of(owner), f"/codes/imports/{code_import.code}/"
    CodeImport.objects.update(state=CodeImport.State.CHECKING, checked_count=1)

    partial = client.get(url, headers={"HX-Request": "true"})
    assert "<html" not in partial.content.decode()
    assert 'max="2"' in partial.content.decode()

    CodeImport.objects.update(state=CodeImport.State.CHECKED)
    done = client.get(url, headers={"HX-Request": "true"})
    assert done["HX-Refresh"] == "true"


def test_the_error_file_is_gone_after_a_day(
    owner: User, code_import: CodeImport, client_of: LogIn
) -> None:
    client, url = client_of(owner), f"/codes/imports/{code_import.code}/"
    response = client.get(f"{url}errors/")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]

    PrivateFile.objects.filter(purpose="errors").update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert client.get(f"{url}errors/").status_code == 404
    assert "重新生成错误文件" in client.get(url).content.decode()
    client.post(f"{url}renew/")
    assert client.get(f"{url}errors/").status_code == 200


def test_a_sheet_can_be_dropped(
    owner: User, code_import: CodeImport, client_of: LogIn
) -> None:
    url = f"/codes/imports/{code_import.code}/"

    client_of(owner).post(f"{url}drop/")

    assert "没有赠送任何激活码" in client_of(owner).get(url).content.decode()
    assert states() == ["unused"] * 3


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\xd0\xcf\x11\xe0"])
def test_other_files_are_not_taken(
    owner: User,
    plan: Plan,
    codes: list[ActivationCode],
    client_of: LogIn,
    content: bytes,
) -> None:
    url = f"/codes/plans/{plan.code}/import/"

    response = client_of(owner).post(url, {"file": upload_file(content)})

    assert response.status_code == 200
    assert response.context["form"].errors["file"]
    assert CodeImport.objects.count() == 0


def test_the_template_can_be_sent_in(owner: User, client_of: LogIn) -> None:
    response = client_of(owner).get("/codes/template/")

    sheet = load_workbook(BytesIO(response.content)).active
    heads = [cell.value for cell in sheet[1]]
    assert heads == ["姓名", "账号（用户名、手机号码或身份证号码，任填一项）"]
    assert {cell.number_format for cell in sheet[2]} == {"@"}
