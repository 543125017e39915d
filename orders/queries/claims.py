"""Reads of claims. A person's own are reached through the `…_for` functions only."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db.models import Prefetch, QuerySet

from accounts.models import PrivateFile, User
from accounts.rules.decisions import UNFINISHED
from catalog.models import Plan
from orders.errors import ClaimNotFoundError
from orders.models import Claim, ClaimEvent
from orders.rules.claims import FIRST_YEAR


def list_claimable_plans(*, today: date) -> QuerySet[Plan]:
    """Plans of past years that a former payment opens, the newest year first."""
    return (
        Plan.objects.published()
        .filter(
            accepts_claims=True,
            year__gte=FIRST_YEAR,
            year__lt=today.year,
            training_start__lte=today,
            training_end__gte=today,
        )
        .order_by("-year", "subject", "entry", "pk")
    )


def _with_history(rows: QuerySet[Claim]) -> QuerySet[Claim]:
    events = ClaimEvent.objects.order_by("at", "pk")
    files = PrivateFile.objects.order_by("pk")
    return rows.select_related("plan").prefetch_related(
        Prefetch("events", events), Prefetch("files", files)
    )


def list_claims_for(user: User) -> list[Claim]:
    """The person's claims, newest first, with their steps and files."""
    rows = Claim.objects.filter(person=user).order_by("-filed_at", "-pk")
    return list(_with_history(rows))


def get_claim_for(user: User, code: str) -> Claim:
    """One of the person's own. Raises `ClaimNotFoundError`, for another's as well."""
    row = _with_history(Claim.objects.filter(person=user, code=code)).first()
    if row is None:
        raise ClaimNotFoundError
    return row


def get_claim_file_for(user: User, code: str, file_code: str) -> PrivateFile:
    """A proof of one of the person's own claims. Raises `ClaimNotFoundError`."""
    file = PrivateFile.objects.filter(
        claims__person=user, claims__code=code, code=file_code
    ).first()
    if file is None:
        raise ClaimNotFoundError
    return file


def find_claim(claim_id: int) -> Claim | None:
    """A claim for staff, with everything its page shows."""
    rows = Claim.objects.select_related(
        "person", "filed_by", "first_decider", "second_decider"
    )
    return _with_history(rows.filter(pk=claim_id)).first()


def find_unfinished_claim(person_id: int, plan_id: int) -> Claim | None:
    """The claim that waits for staff, or went back to the person."""
    return Claim.objects.filter(
        person=person_id, plan=plan_id, state__in=UNFINISHED
    ).first()


def list_claim_ids_of_closed_accounts(*, limit: int) -> list[int]:
    """Claims that nobody is there for any more."""
    rows = Claim.objects.filter(
        state__in=UNFINISHED, person__state=User.State.CLOSED
    ).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:limit])


def list_claims_to_forget(
    *, states: Sequence[str], before: datetime
) -> QuerySet[Claim]:
    """Claims in these states since `before` or longer, whose content is still there."""
    return Claim.objects.filter(state__in=states, decided_at__lte=before).exclude(
        wanted_cipher=b""
    )
