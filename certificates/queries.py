"""Reads of certificates. A person's papers are reached through the `…_for` functions only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import BigAutoField, Prefetch

from accounts.models import Profile, User
from accounts.rules.series import level_name, series_name
from catalog.models import Plan
from certificates.errors import CertificateNotFoundError
from certificates.models import Certificate, CertificateIssue
from certificates.rules import (
    REQUIRED_DETAILS,
    MissingCredits,
    count_missing_credits,
    is_same_name,
)
from learning.models import Enrolment
from learning.queries import list_enrolments_for
from portal.lib.kept_reads import KeptRead, Parameter
from portal.lib.masks import mask_id_number, mask_name


@dataclass(frozen=True)
class PlanRow:
    """A plan of a person on the page 我的证书: in progress, finished or certified."""

    enrolment: Enrolment
    certificate: Certificate | None
    issues: Sequence[CertificateIssue]
    missing: MissingCredits

    @property
    def plan(self) -> Plan:
        return self.enrolment.plan

    @property
    def latest(self) -> CertificateIssue | None:
        return self.issues[0] if self.issues else None

    @property
    def is_completed(self) -> bool:
        return self.enrolment.state == Enrolment.State.COMPLETED


def _newest_first() -> "Prefetch[str]":
    return Prefetch("issues", CertificateIssue.objects.order_by("-version"))


def list_plan_rows_for(user: User) -> list[PlanRow]:
    """Every plan the person holds or holds a certificate of, newest year first.

    Three queries, however many there are.
    """
    enrolments = list(list_enrolments_for(user))
    certificates = {
        certificate.enrolment_id: certificate
        for certificate in Certificate.objects.filter(person=user)
        .select_related("enrolment__plan")
        .prefetch_related(_newest_first())
    }
    held = {enrolment.pk for enrolment in enrolments}
    # A revoked enrolment leaves the list of plans; its certificate stays explainable.
    enrolments += [
        certificate.enrolment
        for key, certificate in certificates.items()
        if key not in held
    ]
    return [_make_row(each, certificates.get(each.pk)) for each in enrolments]


def _make_row(enrolment: Enrolment, certificate: Certificate | None) -> PlanRow:
    plan = enrolment.plan
    missing = count_missing_credits(
        required=plan.required_credits,
        compulsory=plan.compulsory_credits,
        elective=plan.elective_credits,
        compulsory_earned=enrolment.compulsory_earned,
        elective_earned=enrolment.elective_earned,
    )
    issues = list(certificate.issues.all()) if certificate else []
    return PlanRow(enrolment, certificate, issues, missing)


def get_certificate_for(user: User, number: str) -> Certificate:
    """The person's certificate with its plan; `issues` are prefetched, newest first.

    Raises `CertificateNotFoundError` as well for another person's number.
    """
    try:
        return (
            Certificate.objects.select_related("enrolment__plan")
            .prefetch_related(_newest_first())
            .get(person=user, number=number)
        )
    except Certificate.DoesNotExist as error:
        raise CertificateNotFoundError from error


def find_certificate_of(enrolment: Enrolment) -> Certificate | None:
    return Certificate.objects.filter(enrolment=enrolment).first()


def get_ready_issue_for(
    user: User, number: str, version: int | None = None
) -> CertificateIssue:
    """One finished version of the person's certificate, the newest unless named.

    Raises `CertificateNotFoundError`.
    """
    issues = CertificateIssue.objects.filter(
        certificate__person=user,
        certificate__number=number,
        state=CertificateIssue.State.READY,
    )
    if version is not None:
        issues = issues.filter(version=version)
    issue = issues.select_related("certificate").order_by("-version").first()
    if issue is None:
        raise CertificateNotFoundError
    return issue


def find_issue(issue_id: int) -> CertificateIssue | None:
    return (
        CertificateIssue.objects.select_related("certificate")
        .filter(pk=issue_id)
        .first()
    )


# --- What prints ---------------------------------------------------------------------------


_DETAILS = KeptRead(
    lambda: Profile.objects.filter(
        person=Parameter("person", BigAutoField())
    ).values_list(
        *("region__name", "unit__region__name", "series", "level"),
        *("unit_name", "unit__name"),
    )
)


def describe_person(person: User) -> dict[str, str]:
    """The person's present details in the words that print; empty where nothing is filled in."""
    row = next(iter(_DETAILS.rows(person=person.pk)), None)
    region, unit_region, series, level, unit_name, unit = row or ("",) * 6
    return {
        "region": region or unit_region or "",
        "series": series_name(series),
        "level": level_name(level),
        "unit_name": unit_name or unit or "",
    }


def describe_plan(plan: Plan) -> dict[str, str | int]:
    """What a plan contributes to a certificate."""
    return {
        "year": plan.year,
        "subject": plan.get_subject_display(),
        "field": plan.get_field_display() if plan.field else "",
        "hours": plan.hours,
    }


def preview_printed(person: User, plan: Plan) -> dict[str, Any]:
    """What would be printed if the certificate were issued now, but for number and code."""
    number = person.id_number
    full = settings.CERTIFICATE_FULL_ID_NUMBER
    return {
        "name": person.name,
        "id_number": number if full else mask_id_number(number),
        **describe_person(person),
        **describe_plan(plan),
        "issuer": settings.CERTIFICATE_ISSUER,
    }


@dataclass(frozen=True)
class PrintedPaper:
    """A valid certificate and the details on its newest paper that have changed since."""

    certificate: Certificate
    changed: Sequence[str]


def list_printed_papers_for(user: User) -> list[PrintedPaper]:
    """What the person's details are frozen on, newest first; for the page where they change."""
    certificates = list(
        Certificate.objects.filter(person=user, state=Certificate.State.VALID)
        .prefetch_related(_newest_first())
        .order_by("-issued_at", "-pk")
    )
    if not certificates:
        return []
    present = {
        "name": user.name,
        "id_number": user.id_number,
        **describe_person(user),
    }
    return [_compare_paper(each, present) for each in certificates]


def _compare_paper(certificate: Certificate, present: dict[str, str]) -> PrintedPaper:
    newest = certificate.issues.all()[0]
    # What is printed of the number may be masked; another number can have the same mask.
    printed = {**newest.printed, "id_number": newest.id_number}
    labels = {"name": "姓名", "id_number": "证件号码", **REQUIRED_DETAILS}
    changed = [
        label for name, label in labels.items() if printed[name] != present[name]
    ]
    return PrintedPaper(certificate, changed)


# --- Verification --------------------------------------------------------------------------


@dataclass(frozen=True)
class Verification:
    """What the holder of one version's QR code may know about it."""

    issue: CertificateIssue
    versions: Sequence[CertificateIssue]

    @property
    def certificate(self) -> Certificate:
        return self.issue.certificate

    @property
    def replaced_by(self) -> CertificateIssue | None:
        """The newest version, if it is another one."""
        newest = self.versions[0]
        return newest if newest.pk != self.issue.pk else None

    @property
    def state(self) -> str:
        """`revoked`, `replaced` or `valid`, the worst first."""
        if self.certificate.state == Certificate.State.REVOKED:
            return "revoked"
        return "replaced" if self.replaced_by else "valid"

    @property
    def masked_name(self) -> str:
        return mask_name(self.issue.printed["name"])

    @property
    def issued_date(self) -> date:
        return date.fromisoformat(self.issue.printed["issued_date"])

    @property
    def other_digests(self) -> str:
        """Digests of the other versions' files, for the check inside the browser."""
        others = (each for each in self.versions if each.pk != self.issue.pk)
        return " ".join(each.sha256 for each in others if each.sha256)


def find_verification(token: str) -> Verification | None:
    """The version whose QR code holds `token`, among all versions of its certificate."""
    issue = (
        CertificateIssue.objects.select_related("certificate")
        .filter(token=token.upper())
        .first()
    )
    return verification_of(issue) if issue else None


def verification_of(issue: CertificateIssue) -> Verification:
    versions = CertificateIssue.objects.filter(certificate_id=issue.certificate_id)
    return Verification(issue, list(versions.order_by("-version")))


def find_issue_by_digest(sha256: str) -> CertificateIssue | None:
    """The version whose stored file has exactly this content."""
    return (
        CertificateIssue.objects.select_related("certificate")
        .filter(sha256=sha256, state=CertificateIssue.State.READY)
        .first()
    )


def find_issue_by_number(number: str, name: str) -> CertificateIssue | None:
    """The newest version of a certificate, if it is made out to `name`."""
    issue = (
        CertificateIssue.objects.filter(certificate__number=number)
        .order_by("-version")
        .first()
    )
    # Compared for an unknown number too: both refusals take the same way.
    printed = issue.printed["name"] if issue else ""
    return issue if is_same_name(name, printed) else None
