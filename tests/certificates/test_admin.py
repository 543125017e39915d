import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from certificates.models import Certificate, CertificateIssue, NumberSeries
from tests.factories.accounts import UserFactory
from tests.factories.certificates import make_issue, read_file

pytestmark = pytest.mark.django_db
LIST = reverse("admin:certificates_certificate_changelist")
ISSUES = reverse("admin:certificates_certificateissue_changelist")


def change_page(certificate: Certificate) -> str:
    return reverse("admin:certificates_certificate_change", args=[certificate.pk])


def revoke_page(certificate: Certificate) -> str:
    return reverse("admin:certificates_certificate_revoke", args=[certificate.pk])


@pytest.fixture
def clerk():
    """Staff who may look, and nothing else."""
    person = UserFactory(is_staff=True)
    names = ["view_certificate", "view_certificateissue"]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    return person


def test_staff_find_a_certificate_by_number_and_by_name(client_of, staff, owner):
    issue = make_issue(owner)
    other = make_issue()
    client = client_of(staff)

    for words in (issue.certificate.number, "赵一"):
        page = client.get(LIST, {"q": words}).content.decode()
        assert issue.certificate.number in page
        assert other.certificate.number not in page


def test_everything_is_shown_and_nothing_can_be_written(client_of, staff, owner):
    certificate = make_issue(owner, rendered=True).certificate
    client = client_of(staff)

    page = client.get(change_page(certificate)).content.decode()

    assert "打开 PDF" in page
    assert owner.profile.unit_name in page
    assert 'name="_save"' not in page
    assert owner.id_number not in page
    add = reverse("admin:certificates_certificate_add")
    delete = reverse("admin:certificates_certificate_delete", args=[certificate.pk])
    assert client.get(add).status_code == 403
    assert client.get(delete).status_code == 403


def test_revoking_asks_for_a_reason(client_of, staff, owner):
    certificate = make_issue(owner).certificate
    client = client_of(staff)
    assert "撤销证书" in client.get(change_page(certificate)).content.decode()

    empty = client.post(revoke_page(certificate), {"reason": " "})
    certificate.refresh_from_db()
    assert (empty.status_code, certificate.state) == (200, Certificate.State.VALID)

    done = client.post(revoke_page(certificate), {"reason": "代学"})
    certificate.refresh_from_db()
    assert done.url == change_page(certificate)
    assert certificate.state == Certificate.State.REVOKED
    assert (certificate.revoked_by, certificate.revocation_reason) == (staff, "代学")
    assert "撤销证书" not in client.get(change_page(certificate)).content.decode()


def test_revoking_needs_its_own_permission(client_of, clerk, owner):
    certificate = make_issue(owner).certificate
    client = client_of(clerk)

    assert "撤销证书" not in client.get(change_page(certificate)).content.decode()
    response = client.post(revoke_page(certificate), {"reason": "代学"})

    certificate.refresh_from_db()
    assert response.status_code == 403
    assert certificate.state == Certificate.State.VALID


def test_a_trainee_gets_nowhere(client_of, owner):
    certificate = make_issue(owner).certificate
    client = client_of(owner)

    assert client.get(change_page(certificate)).status_code == 302
    assert client.post(revoke_page(certificate), {"reason": "x"}).status_code == 302
    certificate.refresh_from_db()
    assert certificate.state == Certificate.State.VALID


def test_staff_open_the_file(client_of, clerk, owner):
    issue = make_issue(owner, rendered=True)
    waiting = make_issue()
    client = client_of(clerk)

    def open_file(each: CertificateIssue):
        return client.get(
            reverse("admin:certificates_certificateissue_file", args=[each.pk])
        )

    response = open_file(issue)
    assert b"".join(response.streaming_content) == read_file(issue)
    assert "no-store" in response.headers["Cache-Control"]
    assert open_file(waiting).status_code == 404


def test_staff_let_a_failed_paper_be_made_again(
    client_of, staff, owner, django_capture_on_commit_callbacks
):
    failed, ready = make_issue(owner), make_issue(rendered=True)
    CertificateIssue.objects.filter(pk=failed.pk).update(
        state="needs_attention", failure="证书排版失败"
    )
    digest = ready.sha256

    with django_capture_on_commit_callbacks(execute=True):
        client_of(staff).post(
            ISSUES,
            {"action": "retry", "_selected_action": [failed.pk, ready.pk]},
        )

    failed.refresh_from_db()
    ready.refresh_from_db()
    assert failed.state == CertificateIssue.State.READY
    assert ready.sha256 == digest


def test_a_clerk_is_not_offered_to_make_papers_again(client_of, clerk, owner):
    issue = make_issue(owner)
    CertificateIssue.objects.update(state="needs_attention")
    client = client_of(clerk)

    client.post(ISSUES, {"action": "retry", "_selected_action": [issue.pk]})

    issue.refresh_from_db()
    assert issue.state == CertificateIssue.State.NEEDS_ATTENTION


def test_the_lists_take_the_same_queries_for_any_number_of_rows(
    client_of, staff, django_assert_max_num_queries
):
    client = client_of(staff)
    for year in range(2015, 2023):
        make_issue(year=year)

    for page in (LIST, ISSUES):
        with django_assert_max_num_queries(10):
            assert client.get(page).status_code == 200


def test_a_series_of_numbers_names_its_subject(client_of, staff):
    series = NumberSeries.objects.create(year=2026, subject="general", last_number=7)

    page = client_of(staff).get(
        reverse("admin:certificates_numberseries_change", args=[series.pk])
    )

    assert "2026 公需科目 7" in page.content.decode()
    assert "general" not in page.content.decode()
