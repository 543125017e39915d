import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Profile
from certificates.models import Certificate, CertificateIssue
from certificates.services import refresh_certificate, revoke_certificate
from tests.factories.accounts import UserFactory, make_id_number
from tests.factories.certificates import make_completed, make_issue, read_file, render
from tests.factories.learning import EnrolmentFactory

pytestmark = pytest.mark.django_db
LIST = reverse("certificates:list")


def address(name: str, *args: object) -> str:
    return reverse(f"certificates:{name}", args=args)


def pages_of(issue: CertificateIssue) -> list[str]:
    number = issue.certificate.number
    return [
        address("detail", number),
        address("file", number),
        address("version", number, 1),
    ]


# --- Who may see what ----------------------------------------------------------------------


def test_the_owner_sees_every_page(client_of, owner):
    issue = make_issue(owner, rendered=True)

    client = client_of(owner)

    assert [client.get(page).status_code for page in pages_of(issue)] == [200, 200, 200]


def test_a_stranger_and_staff_find_nothing(client_of, owner, stranger, staff):
    issue = make_issue(owner, rendered=True)
    refresh = address("refresh", issue.certificate.number)

    for person in (stranger, staff):
        client = client_of(person)
        for page in pages_of(issue):
            assert client.get(page).status_code == 404
        assert client.post(refresh).status_code == 404
    assert CertificateIssue.objects.count() == 1


def test_nobody_is_sent_to_the_login(client, owner):
    issue = make_issue(owner, rendered=True)
    plan = issue.certificate.enrolment.plan.code

    for page in (LIST, *pages_of(issue), address("issue", plan)):
        response = client.get(page)
        assert response.status_code == 302
        assert response.url.startswith(reverse("accounts:login"))


def test_another_persons_completed_plan_is_not_found(client_of, owner, stranger):
    enrolment = make_completed(owner)
    page = address("issue", enrolment.plan.code)

    assert client_of(stranger).get(page).status_code == 404
    assert client_of(stranger).post(page).status_code == 404
    assert Certificate.objects.count() == 0


# --- The list ------------------------------------------------------------------------------


def test_the_list_shows_each_plan_with_what_can_be_done(client_of, owner):
    issue = make_issue(owner, rendered=True)
    make_completed(owner, year=2025)
    EnrolmentFactory(
        person=owner,
        plan__compulsory_credits=20,
        plan__elective_credits=10,
        compulsory_earned=12,
        elective_earned=10,
    )

    page = client_of(owner).get(LIST).content.decode()

    assert page.count("查看证书") == 1
    # The second is the sentence under the list.
    assert page.count("刷新证书") == 2
    assert page.count("打印证书") == 1
    assert issue.certificate.number in page
    assert "还差 <b>8</b> 学分（必修 8）" in page


def test_an_empty_list_leads_to_the_plans(client_of, owner):
    page = client_of(owner).get(LIST).content.decode()

    assert "还没有证书" in page
    assert reverse("plan-list") in page


def test_a_revoked_certificate_stays_in_the_list(client_of, owner, staff, now):
    certificate = make_issue(owner).certificate
    revoke_certificate(certificate=certificate, actor=staff, reason="代学", now=now)
    certificate.enrolment.state = "revoked"
    certificate.enrolment.save()

    page = client_of(owner).get(LIST).content.decode()

    assert "已撤销" in page
    assert certificate.number in page


def test_the_list_takes_the_same_queries_for_one_plan_and_for_ten(
    client_of, owner, django_assert_num_queries
):
    client = client_of(owner)
    make_issue(owner)
    with django_assert_num_queries(5):
        client.get(LIST)
    for year in range(2012, 2020):
        make_issue(owner, year=year)
    EnrolmentFactory(person=owner)

    with django_assert_num_queries(5):
        client.get(LIST)


# --- From the completed plan to the paper --------------------------------------------------


def test_dom_13_missing_details_lead_to_the_profile_and_back(client_of, owner):
    Profile.objects.filter(person=owner).update(series="", level="")
    page = address("issue", make_completed(owner).plan.code)
    client = client_of(owner)

    response = client.get(page, follow=True)

    assert response.redirect_chain == [
        (f"{reverse('accounts:profile')}?next={page.replace('/', '%2F')}", 302)
    ]
    assert "请先完善个人信息：专业序列、专业级别" in response.content.decode()
    assert client.post(page).status_code == 302
    assert Certificate.objects.count() == 0


def test_the_preview_shows_what_will_be_printed(client_of, owner):
    enrolment = make_completed(owner)

    page = client_of(owner).get(address("issue", enrolment.plan.code)).content.decode()

    for value in (
        "赵一",
        owner.masked_id_number,
        owner.profile.unit_name,
        "工程技术人员",
        "中级",
    ):
        assert value in page
    assert owner.id_number not in page
    assert "确认无误，制作证书" in page
    assert Certificate.objects.count() == 0


def test_confirming_issues_and_makes_the_paper(
    client_of, owner, django_capture_on_commit_callbacks
):
    enrolment = make_completed(owner)
    client = client_of(owner)

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(address("issue", enrolment.plan.code))

    issue = CertificateIssue.objects.get()
    assert response.url == address("detail", issue.certificate.number)
    assert issue.state == CertificateIssue.State.READY
    assert client.get(address("issue", enrolment.plan.code)).url == response.url


def test_an_unfinished_plan_has_no_preview(client_of, owner):
    enrolment = EnrolmentFactory(person=owner)
    page = address("issue", enrolment.plan.code)

    assert client_of(owner).get(page).status_code == 404
    assert client_of(owner).post(page).status_code == 404
    assert Certificate.objects.count() == 0


def test_while_the_paper_is_made_the_page_asks_again(client_of, owner):
    issue = make_issue(owner)
    page = address("detail", issue.certificate.number)
    client = client_of(owner)

    assert f'hx-get="{page}"' in client.get(page).content.decode()
    assert client.get(pages_of(issue)[1]).status_code == 404

    render(issue)
    part = client.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "hx-get" not in part
    assert "打印证书" in part


def test_a_paper_that_waits_for_staff_says_why(client_of):
    person = UserFactory(name="张\ue863", with_profile=True)
    issue = make_issue(person)
    CertificateIssue.objects.update(
        state="needs_attention", failure="字库中没有以下字符"
    )

    page = client_of(person).get(address("detail", issue.certificate.number))

    assert "证书需要工作人员协助制作" in page.content.decode()
    assert "字库中没有以下字符" in page.content.decode()


# --- The file ------------------------------------------------------------------------------


def test_the_file_is_the_stored_one_and_is_kept_by_nobody(client_of, owner):
    issue = make_issue(owner, rendered=True)

    response = client_of(owner).get(address("file", issue.certificate.number))

    assert b"".join(response.streaming_content) == read_file(issue)
    assert response.headers["Content-Type"] == "application/pdf"
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Content-Disposition"].startswith("inline;")


def test_a_download_has_a_name_that_says_what_it_is(client_of, owner):
    issue = make_issue(owner, rendered=True)

    response = client_of(owner).get(
        address("file", issue.certificate.number) + "?download"
    )

    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment;")
    assert issue.certificate.number in disposition


def test_a_refresh_makes_a_version_and_the_old_one_can_still_be_read(
    client_of, owner, django_capture_on_commit_callbacks
):
    first = make_issue(owner, rendered=True)
    Profile.objects.filter(person=owner).update(unit_name="新单位")
    number = first.certificate.number
    client = client_of(owner)

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(address("refresh", number), follow=True)

    page = response.content.decode()
    assert "第 2 版" in page
    assert "新单位" in page
    old = client.get(address("version", number, 1))
    assert b"".join(old.streaming_content) == read_file(first)
    new = client.get(address("file", number))
    assert b"".join(new.streaming_content) != read_file(first)
    assert client.get(address("version", number, 3)).status_code == 404


def test_a_refresh_without_a_change_is_told_and_makes_nothing(client_of, owner):
    issue = make_issue(owner, rendered=True)

    response = client_of(owner).post(
        address("refresh", issue.certificate.number), follow=True
    )

    assert "个人信息没有变化，证书无需刷新。" in response.content.decode()
    assert CertificateIssue.objects.count() == 1


# --- What of the person stands on certificates already -------------------------------------


def test_the_profile_says_what_is_printed_already(client_of, owner):
    issue = make_issue(owner)
    client = client_of(owner)
    profile = client.get(reverse("accounts:profile")).content.decode()
    assert f'hx-get="{address("printed")}"' in profile

    html = client.get(address("printed")).content.decode()

    assert "已印在证书上" in html
    assert issue.certificate.number in html
    assert "与现登记的信息一致" in html


def test_what_has_changed_since_can_be_refreshed(client_of, owner):
    issue = make_issue(owner)
    Profile.objects.filter(person=owner).update(unit_name="新单位", level="senior")
    owner.name = "赵易"
    owner.store_id_number(make_id_number(7001))
    owner.save()
    client = client_of(owner)

    html = client.get(address("printed")).content.decode()

    assert "证书上的姓名、证件号码、专业级别、工作单位与现登记的不同" in html
    assert CertificateIssue.objects.get().printed == issue.printed
    client.post(address("refresh", issue.certificate.number))
    assert "与现登记的信息一致" in client.get(address("printed")).content.decode()


def test_nothing_is_said_without_a_valid_certificate(
    client_of, owner, stranger, staff, now
):
    issue = make_issue(owner)
    assert client_of(stranger).get(address("printed")).content.strip() == b""
    revoke_certificate(
        certificate=issue.certificate, actor=staff, reason="误发", now=now
    )

    assert client_of(owner).get(address("printed")).content.strip() == b""


def test_it_takes_the_same_queries_for_one_certificate_and_for_three(
    client_of, owner, django_assert_num_queries
):
    make_issue(owner, year=2024)
    client = client_of(owner)
    client.get(address("printed"))
    with CaptureQueriesContext(connection) as one:
        client.get(address("printed"))
    for year in (2025, 2026):
        make_issue(owner, year=year)

    with django_assert_num_queries(len(one)):
        client.get(address("printed"))


def test_a_refresh_is_never_a_link(client_of, owner):
    issue = make_issue(owner, rendered=True)

    response = client_of(owner).get(address("refresh", issue.certificate.number))

    assert response.status_code == 405


def test_all_personal_pages_are_kept_by_no_cache(client_of, owner, now):
    issue = make_issue(owner, rendered=True)
    refresh = Profile.objects.filter(person=owner)
    refresh.update(unit_name="新单位")
    refresh_certificate(certificate=issue.certificate, actor=owner, now=now)
    client = client_of(owner)

    for page in (LIST, address("detail", issue.certificate.number)):
        assert "no-store" in client.get(page).headers["Cache-Control"]
