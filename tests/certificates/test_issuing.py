import pytest

from accounts.models import AuditEntry, Profile, Region, User
from accounts.services.reference_data import load_regions
from certificates.errors import (
    CertificateRevokedError,
    NotCompletedError,
    NothingChangedError,
    ProfileIncompleteError,
    ReasonMissingError,
)
from certificates.models import Certificate, CertificateIssue, NumberSeries
from certificates.queries import list_printed_papers_for
from certificates.services import (
    issue_certificate,
    refresh_certificate,
    revoke_certificate,
)
from learning.models import Enrolment
from tests.clock import at
from tests.factories.accounts import UserFactory
from tests.factories.certificates import make_completed, make_issue, render
from tests.factories.learning import EnrolmentFactory

pytestmark = pytest.mark.django_db


def issue(enrolment: Enrolment, now) -> CertificateIssue:
    return issue_certificate(enrolment=enrolment, actor=enrolment.person, now=now)


def test_a_completed_plan_gives_a_certificate_with_everything_frozen(owner, now):
    Profile.objects.filter(person=owner).update(unit_name="示例市第一医院")
    enrolment = make_completed(owner)

    made = issue(enrolment, now)

    certificate = made.certificate
    assert certificate.number == "2026-GX-0000001"
    assert certificate.person == owner
    assert certificate.enrolment == enrolment
    assert (made.version, made.state) == (1, CertificateIssue.State.WAITING)
    assert len(made.token) == 26
    owner.profile.refresh_from_db()
    assert made.printed == {
        "number": "2026-GX-0000001",
        "name": "赵一",
        "id_number": owner.masked_id_number,
        "has_full_id_number": False,
        "region": owner.profile.region.name,
        "unit_name": "示例市第一医院",
        "series": "工程技术人员",
        "level": "中级",
        "year": 2026,
        "subject": "公需科目",
        "field": "",
        "hours": 30,
        "issuer": "重庆市人力资源开发服务中心",
        "issued_date": "2026-06-15",
        "verify_url": f"http://127.0.0.1:8000/v/{made.token}/",
        "lookup_address": "127.0.0.1:8000/verify/",
    }


def test_the_id_number_is_kept_encrypted_and_bound_to_its_issue(owner, now):
    made = issue(make_completed(owner), now)

    assert owner.id_number.encode() not in bytes(made.id_number_cipher)
    assert owner.id_number not in str(made.printed)
    assert made.id_number == owner.id_number


def test_the_day_is_the_day_in_chongqing(owner):
    made = issue(make_completed(owner), at("2027-01-01 00:30"))

    assert made.printed["issued_date"] == "2027-01-01"


def test_numbers_count_apart_for_each_year_and_subject(now):
    first = make_issue(now=now)
    second = make_issue(now=now)
    other_year = make_issue(now=now, year=2025)
    other_subject = make_issue(now=now, professional=True)

    assert [
        each.certificate.number for each in (first, second, other_year, other_subject)
    ] == ["2026-GX-0000001", "2026-GX-0000002", "2025-GX-0000001", "2026-ZY-0000001"]
    assert other_subject.printed["field"] == "工程建设"
    assert NumberSeries.objects.count() == 3


def test_issuing_again_returns_the_first_certificate(owner, now):
    enrolment = make_completed(owner)
    first = issue(enrolment, now)

    assert issue(enrolment, now) == first
    assert Certificate.objects.count() == 1
    assert CertificateIssue.objects.count() == 1
    assert NumberSeries.objects.get().last_number == 1


@pytest.mark.parametrize("traits", [{}, {"revoked": True}])
def test_an_unfinished_plan_gives_none(owner, now, traits):
    enrolment = EnrolmentFactory(person=owner, **traits)

    with pytest.raises(NotCompletedError):
        issue(enrolment, now)

    assert Certificate.objects.count() == 0
    assert NumberSeries.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({"region": None, "unit": None}, "组织机构"),
        ({"series": ""}, "专业序列"),
        ({"level": ""}, "专业级别"),
        ({"unit_name": "", "unit": None}, "工作单位"),
    ],
)
def test_dom_13_a_missing_detail_is_named_and_nothing_is_made(
    owner, now, change, label
):
    Profile.objects.filter(person=owner).update(**change)

    with pytest.raises(ProfileIncompleteError) as caught:
        issue(make_completed(owner), now)

    assert caught.value.fields == (label,)
    assert str(caught.value) == f"请先完善个人信息：{label}"
    assert Certificate.objects.count() == 0
    assert NumberSeries.objects.count() == 0


def test_a_person_without_a_profile_is_told_of_all_four(now):
    person = UserFactory()

    with pytest.raises(ProfileIncompleteError) as caught:
        issue(make_completed(person), now)

    assert caught.value.fields == ("组织机构", "专业序列", "专业级别", "工作单位")


def test_the_unit_stands_in_for_the_region_and_the_unit_name(owner, now):
    profile = owner.profile
    Profile.objects.filter(person=owner).update(region=None, unit_name="")

    made = issue(make_completed(owner), now)

    assert made.printed["region"] == profile.unit.region.name
    assert made.printed["unit_name"] == profile.unit.name


def test_a_later_change_of_the_profile_does_not_reach_an_issued_certificate(owner, now):
    made = issue(make_completed(owner), now)
    printed = dict(made.printed)

    User.objects.filter(pk=owner.pk).update(name="改名")
    Profile.objects.filter(person=owner).update(unit_name="新单位", level="senior")
    owner.profile.region.name = "改名区"
    owner.profile.region.save()

    made.refresh_from_db()
    assert made.printed == printed


def test_dom_11_a_certificate_of_a_merged_district_keeps_its_name(owner):
    """Printed in 2024, printed again today: 渝北区, whatever the profile says by now."""
    load_regions()
    regions = {region.code: region for region in Region.objects.all()}
    Profile.objects.filter(person=owner).update(region=regions["500112"])
    old = issue(make_completed(owner, year=2024), at("2024-12-20 10:00"))

    render(old, now=at("2026-06-15 10:00"))
    Profile.objects.filter(person=owner).update(region=regions["500157"])

    old.refresh_from_db()
    assert old.printed["region"] == "渝北区"
    [paper] = list_printed_papers_for(owner)
    assert paper.changed == ["组织机构"]
    new = refresh_certificate(
        certificate=old.certificate, actor=owner, now=at("2026-06-15 11:00")
    )
    assert new.printed["region"] == "两江新区"


def test_a_refresh_adds_a_version_and_keeps_the_first(owner, now):
    first = issue(make_completed(owner), now)
    Profile.objects.filter(person=owner).update(unit_name="新单位")

    second = refresh_certificate(
        certificate=first.certificate, actor=owner, now=at("2026-07-01 09:00")
    )

    assert (second.version, second.certificate) == (2, first.certificate)
    assert second.printed["unit_name"] == "新单位"
    assert second.printed["issued_date"] == "2026-06-15"
    assert second.token != first.token
    assert second.id_number == owner.id_number
    kept = CertificateIssue.objects.get(pk=first.pk)
    assert kept.printed == first.printed


def test_a_refresh_without_a_change_makes_nothing(owner, now):
    first = issue(make_completed(owner), now)

    with pytest.raises(NothingChangedError):
        refresh_certificate(certificate=first.certificate, actor=owner, now=now)

    assert CertificateIssue.objects.count() == 1


def test_a_corrected_id_number_is_a_change(owner, now):
    first = issue(make_completed(owner), now)
    owner.store_id_number("11010519491231002X")
    owner.save()

    second = refresh_certificate(certificate=first.certificate, actor=owner, now=now)

    assert second.id_number == "11010519491231002X"
    assert first.id_number != second.id_number


def test_a_refresh_with_missing_details_makes_nothing(owner, now):
    first = issue(make_completed(owner), now)
    Profile.objects.filter(person=owner).update(level="")

    with pytest.raises(ProfileIncompleteError):
        refresh_certificate(certificate=first.certificate, actor=owner, now=now)

    assert CertificateIssue.objects.count() == 1


def test_revoking_needs_a_reason_and_happens_once(owner, staff, now):
    certificate = issue(make_completed(owner), now).certificate

    with pytest.raises(ReasonMissingError):
        revoke_certificate(certificate=certificate, actor=staff, reason=" ", now=now)
    certificate.refresh_from_db()
    assert certificate.state == Certificate.State.VALID

    revoked = revoke_certificate(
        certificate=certificate, actor=staff, reason="代学", now=now
    )
    later = revoke_certificate(
        certificate=certificate,
        actor=staff,
        reason="另一原因",
        now=at("2026-08-01 08:00"),
    )

    assert revoked.state == Certificate.State.REVOKED
    assert (later.revoked_at, later.revoked_by) == (now, staff)
    assert later.revocation_reason == "代学"


def test_a_revoked_certificate_is_neither_refreshed_nor_issued_again(owner, staff, now):
    enrolment = make_completed(owner)
    certificate = issue(enrolment, now).certificate
    revoke_certificate(certificate=certificate, actor=staff, reason="代学", now=now)
    Profile.objects.filter(person=owner).update(unit_name="新单位")

    with pytest.raises(CertificateRevokedError):
        refresh_certificate(certificate=certificate, actor=owner, now=now)
    with pytest.raises(CertificateRevokedError):
        issue(enrolment, now)

    assert CertificateIssue.objects.count() == 1


def test_every_change_is_in_the_audit_without_personal_data(owner, staff, now):
    certificate = issue(make_completed(owner), now).certificate
    Profile.objects.filter(person=owner).update(unit_name="新单位")
    refresh_certificate(certificate=certificate, actor=owner, now=now)
    revoke_certificate(certificate=certificate, actor=staff, reason="代学", now=now)

    entries = AuditEntry.objects.filter(target=f"certificate:{certificate.number}")
    found = entries.order_by("position").values_list("action", "actor_id")

    assert list(found) == [
        ("certificate.issued", owner.pk),
        ("certificate.refreshed", owner.pk),
        ("certificate.revoked", staff.pk),
    ]
    assert not any(owner.name in str(entry.detail) for entry in entries)
