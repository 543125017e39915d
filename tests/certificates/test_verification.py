"""What a verifier, who has no account, learns: from the QR code, a number, a file."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Profile
from certificates import documents, services
from certificates.models import CertificateIssue
from certificates.sealing.signing import SealedField, Sealer, ensure_sample_identity
from certificates.services import Finding, check_file
from tests.clock import at
from tests.factories.accounts import UserFactory
from tests.factories.certificates import make_issue, read_file, render

pytestmark = pytest.mark.django_db
LOOKUP = reverse("certificates:lookup")
CHECK = reverse("certificates:check")


@pytest.fixture
def person():
    return UserFactory(name="欧阳建国", with_profile=True)


@pytest.fixture
def issue(person) -> CertificateIssue:
    return make_issue(person, rendered=True)


def page_of(issue: CertificateIssue) -> str:
    return reverse("certificates:verify", args=[issue.token])


def refresh(issue: CertificateIssue, now) -> CertificateIssue:
    Profile.objects.filter(person=issue.certificate.person).update(unit_name="新单位")
    return services.refresh_certificate(
        certificate=issue.certificate, actor=issue.certificate.person, now=now
    )


def revoke(issue: CertificateIssue, staff, now) -> None:
    services.revoke_certificate(
        certificate=issue.certificate, actor=staff, reason="代学", now=now
    )


def upload(client, content: bytes, name: str = "paper.pdf"):
    return client.post(CHECK, {"file": SimpleUploadedFile(name, content)})


# --- By QR code ----------------------------------------------------------------------------


def test_the_page_shows_what_prints_masked(client, issue, person):
    response = client.get(page_of(issue))

    page = response.content.decode()
    assert response.status_code == 200
    for value in (
        "证书有效",
        issue.certificate.number,
        "欧**国",
        person.masked_id_number,
        "2026 年",
        "公需科目",
        "30 学时",
        "重庆市人力资源开发服务中心",
        "2026年6月15日",
    ):
        assert value in page
    for value in (
        person.name,
        person.id_number,
        person.profile.unit_name,
        person.phone,
        person.masked_phone,
    ):
        assert value not in page


def test_the_whole_name_is_a_setting(client, issue, settings):
    settings.VERIFY_FULL_NAME = True

    assert "欧阳建国" in client.get(page_of(issue)).content.decode()


def test_nothing_of_the_page_is_kept_or_told_on(client, issue):
    headers = client.get(page_of(issue)).headers

    assert headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in headers["Cache-Control"]


def test_unknown_codes_get_one_answer(client, issue):
    for token in ("A" * 26, issue.token[:-1], "nothing"):
        response = client.get(reverse("certificates:verify", args=[token]))
        assert response.status_code == 404
        assert "没有找到该证书" in response.content.decode()
        assert response.headers["Referrer-Policy"] == "no-referrer"


def test_small_letters_find_the_certificate_too(client, issue):
    address = reverse("certificates:verify", args=[issue.token.lower()])

    assert client.get(address).status_code == 200


def test_a_replaced_version_says_so_and_does_not_lead_to_the_new_one(
    client, issue, now
):
    second = refresh(issue, at("2026-07-01 09:00"))

    page = client.get(page_of(issue)).content.decode()

    assert "本版本已被替换" in page
    assert "2026年7月1日 更新为第 2 版" in page
    assert second.token not in page
    assert "证书有效，但" not in client.get(page_of(second)).content.decode()


def test_a_revoked_certificate_says_so_in_every_version(client, issue, staff, now):
    second = refresh(issue, now)
    revoke(issue, staff, now)

    for each in (issue, second):
        page = client.get(page_of(each)).content.decode()
        assert "证书已撤销" in page
        assert "原因：代学" in page
        assert "证书有效" not in page


def test_the_page_takes_two_queries(client, issue, django_assert_num_queries):
    with django_assert_num_queries(2):
        client.get(page_of(issue))


# --- By number and name --------------------------------------------------------------------


def look_up(client, number: str, name: str):
    return client.post(LOOKUP, {"number": number, "name": name})


def test_number_and_name_lead_to_the_newest_version(client, issue, now):
    second = refresh(issue, now)

    for number in (
        issue.certificate.number,
        " 2026-gx-0000001 ",
        "２０２６－ＧＸ－0000001",
    ):
        response = look_up(client, number, "欧阳建国")
        assert (response.status_code, response.url) == (302, page_of(second))


def test_a_wrong_name_and_an_unknown_number_get_the_same_answer(client, issue):
    wrong_name = look_up(client, issue.certificate.number, "王二")
    unknown = look_up(client, "2026-GX-0000002", "欧阳建国")

    text = "没有找到编号和姓名相符的证书，请核对后重新输入。"
    assert (wrong_name.status_code, unknown.status_code) == (200, 200)
    assert text in wrong_name.content.decode()
    assert text in unknown.content.decode()
    assert "欧**国" not in wrong_name.content.decode()


def test_a_number_alone_is_not_enough(client, issue):
    page = look_up(client, issue.certificate.number, "").content.decode()

    assert "这个字段是必填项" in page or "必填" in page


def test_numbers_and_names_never_stand_in_an_address(client, issue):
    response = client.get(
        LOOKUP, {"number": issue.certificate.number, "name": "欧阳建国"}
    )

    assert response.status_code == 200
    assert "欧" not in response.content.decode()


# --- By file -------------------------------------------------------------------------------


def test_the_original_is_genuine(client, issue):
    page = upload(client, read_file(issue)).content.decode()

    assert "文件完整，是本平台制发的原件" in page
    assert issue.sha256 in page
    assert "欧**国" in page
    assert "欧阳建国" not in page


def test_a_pdf_with_one_byte_changed_fails_verification(client, issue):
    """Wherever the byte is: in the page, in the signature, in its unsigned padding."""
    content = read_file(issue)
    padding = content.index(b"0" * 64) + 32
    for place in (100, len(content) // 2, padding, len(content) - 40):
        changed = bytearray(content)
        changed[place] ^= 1

        page = upload(client, bytes(changed)).content.decode()

        assert "核验未通过" in page, place
        assert "文件完整" not in page
        assert issue.certificate.number not in page


def test_a_change_is_told_from_a_foreign_file(issue):
    content = read_file(issue)
    # The seal's certificate was made just now, whenever that is.
    later = timezone.now() + timedelta(days=30)
    body = bytearray(content)
    body[content.index(b"/DocMDP") + 1] ^= 1

    assert check_file(content=content, now=later).finding == Finding.GENUINE
    assert check_file(content=content + b" ", now=later).finding == Finding.CHANGED
    assert check_file(content=bytes(body), now=later).finding == Finding.CHANGED
    assert check_file(content=b"%PDF-1.7 other", now=later).finding == Finding.UNKNOWN


def test_old_versions_and_revoked_ones_are_told(client, issue, staff, now):
    second = render(refresh(issue, now))

    assert "但已有新版本" in upload(client, read_file(issue)).content.decode()
    assert "是本平台制发的原件" in upload(client, read_file(second)).content.decode()

    revoke(issue, staff, now)
    page = upload(client, read_file(second)).content.decode()
    assert "文件完整，但证书已撤销" in page


def test_a_stored_file_whose_seal_does_not_hold_is_not_called_genuine(issue, now):
    content = b"%PDF-1.7 forged in the storage and in the table"
    digest = check_file(content=content, now=now).sha256
    CertificateIssue.objects.filter(pk=issue.pk).update(sha256=digest)

    assert check_file(content=content, now=now).finding == Finding.CHANGED


def test_the_name_in_a_strangers_seal_is_not_repeated(client, issue, tmp_path, now):
    """Anybody can make a certificate that carries our name."""
    key, certificate, _ = ensure_sample_identity(
        tmp_path, organisation="冒名中心", now=timezone.now()
    )
    field = SealedField(box=(0, 0, 60, 60), reason="", location="")
    forged = Sealer(key_file=key, certificate_file=certificate).seal(
        documents.compose(documents.paper_of(issue)), field
    )

    page = upload(client, forged).content.decode()

    assert "不是本平台制发的原件" in page
    assert "冒名中心" not in page


def test_large_files_are_refused_unread(client):
    response = upload(client, b"%PDF" + b"x" * (2 * 1024 * 1024 + 20_000))

    assert response.status_code == 413
    assert "文件超过 2 MB" in response.content.decode()
    # Just above the limit, within the allowance for the form around it.
    response = upload(client, b"%PDF" + b"x" * (2 * 1024 * 1024))
    assert "文件超过 2 MB" in response.content.decode()


def test_an_empty_form_is_told_beside_the_field(client):
    assert "file" in client.post(CHECK, {}).context["file_form"].errors


def test_the_check_works_from_a_page_that_sends_no_referrer(issue):
    """Such a page's forms carry `Origin: null`, which the CSRF check refuses."""
    client = Client(enforce_csrf_checks=True, headers={"Origin": "null"})

    page = upload(client, read_file(issue)).content.decode()

    assert "文件完整，是本平台制发的原件" in page


# --- Limits --------------------------------------------------------------------------------


@pytest.fixture
def _still_clock(monkeypatch, now):
    """Periods begin on the minute: a slow machine must not cross into the next one."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


@pytest.mark.usefixtures("_still_clock")
def test_an_address_that_asks_too_often_has_to_wait(client, issue, monkeypatch):
    monkeypatch.setitem(
        services.verification.LIMITS, "lookup", (2, services.verification.MINUTE)
    )

    answers = [look_up(client, "2026-GX-0000009", "欧阳").status_code for _ in range(3)]

    assert answers == [200, 200, 429]
    other = look_up(
        Client(REMOTE_ADDR="192.0.2.7"), issue.certificate.number, "欧阳建国"
    )
    assert other.status_code == 302
    assert client.get(page_of(issue)).status_code == 200


@pytest.mark.usefixtures("_still_clock")
def test_each_kind_of_question_has_its_own_limit(client, issue, monkeypatch):
    limits = services.verification.LIMITS
    for kind in ("page", "file"):
        monkeypatch.setitem(limits, kind, (1, services.verification.MINUTE))

    assert [client.get(page_of(issue)).status_code for _ in range(2)] == [200, 429]
    assert [upload(client, b"x").status_code for _ in range(2)] == [200, 429]


def test_a_new_period_starts_anew(monkeypatch, now):
    monkeypatch.setitem(
        services.verification.LIMITS, "page", (1, services.verification.MINUTE)
    )
    later = now + services.verification.MINUTE

    def visit(moment):
        return services.allow_visit(kind="page", address="192.0.2.1", now=moment)

    assert [visit(now), visit(now), visit(later)] == [True, False, True]
