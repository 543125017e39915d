"""Parallel clicks and workers: one certificate, one number each, one file."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from certificates.models import Certificate, CertificateIssue, NumberSeries
from certificates.services import claim_waiting_issues, issue_certificate, render_issue
from tests.clock import at
from tests.factories.certificates import make_completed, make_issue, read_file

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 4
NOW = at("2026-06-15 10:00")


def run_in_threads(work: Callable[[int], object]) -> list[object]:
    """Run `work(number)` in parallel and return the results; the first exception is raised."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> object:
        try:
            barrier.wait()
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return [each.result() for each in [pool.submit(run, n) for n in range(THREADS)]]


def test_parallel_clicks_on_one_plan_give_one_certificate():
    enrolment = make_completed()

    issues = run_in_threads(
        lambda _: (
            issue_certificate(enrolment=enrolment, actor=enrolment.person, now=NOW).pk
        )
    )

    assert len(set(issues)) == 1
    assert Certificate.objects.count() == 1
    assert CertificateIssue.objects.count() == 1
    assert NumberSeries.objects.get().last_number == 1


def test_parallel_certificates_get_different_numbers_without_a_gap():
    enrolments = [make_completed() for _ in range(THREADS)]

    run_in_threads(
        lambda n: issue_certificate(
            enrolment=enrolments[n], actor=enrolments[n].person, now=NOW
        )
    )

    numbers = Certificate.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [f"2026-GX-000000{n}" for n in range(1, THREADS + 1)]


def test_parallel_workers_keep_one_file():
    issue = make_issue(now=NOW)

    run_in_threads(lambda _: render_issue(issue_id=issue.pk, now=NOW))

    issue.refresh_from_db()
    assert issue.state == CertificateIssue.State.READY
    assert hashlib.sha256(read_file(issue)).hexdigest() == issue.sha256
    folder = issue.file.storage.listdir(f"certificates/{issue.token[:2]}")[1]
    assert [name for name in folder if name.startswith(issue.token)] == [
        f"{issue.token}.pdf"
    ]


def test_parallel_sweeps_share_the_work():
    issues = {make_issue(now=NOW).pk for _ in range(6)}
    later = at("2026-06-15 11:00")

    claimed = run_in_threads(lambda _: claim_waiting_issues(now=later, limit=10))

    taken = [pk for each in claimed for pk in each]
    assert sorted(taken) == sorted(issues)
