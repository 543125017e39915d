import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Profile, User
from certificates import documents, tasks
from certificates.models import CertificateIssue
from certificates.services import (
    claim_waiting_issues,
    refresh_certificate,
    render_issue,
    retry_issue,
)
from portal.lib.pdf import PaperError
from tests.factories.accounts import UserFactory
from tests.factories.certificates import make_issue, read_file, render

pytestmark = pytest.mark.django_db
State = CertificateIssue.State


def test_rendering_stores_the_sealed_file_with_its_digest(now):
    issue = make_issue(now=now)

    ready = render(issue, now=now)

    content = read_file(ready)
    assert ready.file.name == f"certificates/{issue.token[:2]}/{issue.token}.pdf"
    assert ready.sha256 == hashlib.sha256(content).hexdigest()
    assert (ready.size, ready.rendered_at) == (len(content), now)
    # The signature carries the signer's own clock.
    assert documents.verifier().check(content, now=timezone.now()).is_sound


def test_rendering_twice_keeps_the_first_file(now):
    ready = render(make_issue(now=now), now=now)
    before = read_file(ready)

    again = render_issue(issue_id=ready.pk, now=now + timedelta(hours=1))

    assert (again.sha256, again.rendered_at) == (ready.sha256, now)
    assert read_file(again) == before


def test_of_two_workers_the_second_throws_its_file_away(now, monkeypatch):
    """The other worker finishes between this one's layout and its storing."""
    issue = make_issue(now=now)
    sign = documents.sign

    def sign_late(pdf: bytes) -> bytes:
        monkeypatch.setattr(documents, "sign", sign)
        render(issue, now=now)
        return sign(pdf)

    monkeypatch.setattr(documents, "sign", sign_late)
    render_issue(issue_id=issue.pk, now=now + timedelta(seconds=1))

    issue.refresh_from_db()
    assert issue.rendered_at == now
    assert issue.sha256 == hashlib.sha256(read_file(issue)).hexdigest()
    folder = issue.file.storage.listdir(f"certificates/{issue.token[:2]}")[1]
    assert [name for name in folder if name.startswith(issue.token)] == [
        f"{issue.token}.pdf"
    ]


def test_an_issue_that_is_gone_is_no_error(now):
    assert render_issue(issue_id=-1, now=now) is None


def test_a_name_that_cannot_be_printed_goes_to_staff(now):
    person = UserFactory(name="张\ue863", with_profile=True)
    issue = make_issue(person, now=now)

    render_issue(issue_id=issue.pk, now=now)

    issue.refresh_from_db()
    assert issue.state == State.NEEDS_ATTENTION
    assert issue.failure == "字库中没有以下字符，无法打印：U+E863"
    assert (issue.file.name, issue.sha256) == ("", "")


def test_staff_correct_the_name_and_the_next_version_prints(now, owner):
    issue = make_issue(owner, now=now)
    issue.printed["name"] = "赵\ue863"
    issue.save()
    render_issue(issue_id=issue.pk, now=now)

    second = refresh_certificate(certificate=issue.certificate, actor=owner, now=now)

    assert render(second, now=now).printed["name"] == "赵一"


def test_staff_may_let_it_be_made_again(now, staff):
    issue = make_issue(now=now)
    CertificateIssue.objects.filter(pk=issue.pk).update(
        state=State.NEEDS_ATTENTION, failure="证书排版失败"
    )

    assert retry_issue(issue=issue, actor=staff, now=now) is True
    issue.refresh_from_db()
    assert (issue.state, issue.failure) == (State.WAITING, "")

    ready = render(issue, now=now)
    assert retry_issue(issue=ready, actor=staff, now=now) is False
    ready.refresh_from_db()
    assert ready.state == State.READY


def test_a_broken_layout_goes_to_staff_and_a_broken_disk_is_tried_again(
    now, monkeypatch
):
    first, second = make_issue(now=now), make_issue(now=now)

    def refuse(paper: object) -> bytes:
        raise PaperError("a font of the system crept in")

    def fail(pdf: bytes) -> bytes:
        raise OSError("disk full")

    monkeypatch.setattr(documents, "compose", refuse)
    render_issue(issue_id=first.pk, now=now)
    monkeypatch.undo()
    monkeypatch.setattr(documents, "sign", fail)
    with pytest.raises(OSError, match="disk full"):
        render_issue(issue_id=second.pk, now=now)

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.state == State.NEEDS_ATTENTION
    assert first.failure == "证书排版失败：a font of the system crept in"
    assert second.state == State.WAITING


def test_the_sweep_finds_what_a_dead_worker_left_and_claims_it_once(now):
    fresh, old = make_issue(now=now), make_issue(now=now - timedelta(minutes=5))
    render(make_issue(now=now), now=now)

    assert claim_waiting_issues(now=now, limit=10) == [old.pk]
    assert claim_waiting_issues(now=now, limit=10) == []
    later = now + timedelta(seconds=60)
    assert claim_waiting_issues(now=later, limit=1) == [old.pk]
    assert claim_waiting_issues(now=later, limit=10) == [fresh.pk]


def test_the_sweep_task_makes_the_papers(now):
    issues = [make_issue(now=now - timedelta(hours=1)) for _ in range(2)]

    tasks.render_waiting_issues()

    states = CertificateIssue.objects.filter(pk__in=[each.pk for each in issues])
    assert set(states.values_list("state", flat=True)) == {State.READY}


def test_an_issued_paper_is_frozen_although_everything_else_changed(now, owner):
    issue = make_issue(owner, now=now)
    User.objects.filter(pk=owner.pk).update(name="改名")
    Profile.objects.filter(person=owner).update(unit_name="新单位", series="01")
    printed = dict(issue.printed)

    ready = render(issue, now=now)

    assert ready.printed == printed
    assert documents.paper_of(ready).cells[0].value == "赵一"


def test_the_full_id_number_prints_only_where_the_centre_wants_it(now, owner, settings):
    masked = documents.paper_of(make_issue(owner, now=now))
    settings.CERTIFICATE_FULL_ID_NUMBER = True
    full = documents.paper_of(make_issue(owner, now=now, year=2025))

    assert masked.id_number == owner.masked_id_number
    assert full.id_number == owner.id_number
    assert owner.id_number not in str(full.printed)
