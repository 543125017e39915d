"""Codes on paper: cards to cut out, for people who are given theirs by hand."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record_audit
from catalog.models import Plan
from orders.documents import make_code_cards
from orders.errors import CodesPrintedError, NoCodeLeftError
from orders.queries.codes import list_unused_of
from orders.rules import CARDS_A_SHEET


def print_codes(
    *,
    owner: User,
    plan: Plan,
    count: int = CARDS_A_SHEET,
    again: datetime | None = None,
    now: datetime,
) -> bytes:
    """Return the sheet (PDF) of up to `count` codes that are on no paper yet, or once more
    of those printed at `again` that are still unused.

    Codes on paper are given away and refunded last. A code comes on one sheet only: when
    another click, a gift or a refund took some while the sheet was drawn, it is thrown away
    with `CodesPrintedError`. Raises as well `NoCodeLeftError` and `portal.lib.pdf.PaperError`.
    """
    unused = list_unused_of(owner.pk, plan.pk).filter(printed_at=again)
    codes = list(unused[: min(count, CARDS_A_SHEET)])
    if not codes:
        raise NoCodeLeftError
    # Before the transaction: a sheet takes seconds.
    paper = make_code_cards(codes, plan=plan, now=now)
    with transaction.atomic():
        if again is None:
            still = list_unused_of(owner.pk, plan.pk).filter(
                pk__in=[code.pk for code in codes], printed_at=None
            )
            if still.update(printed_at=now) < len(codes):
                raise CodesPrintedError
        record_audit(
            action="codes.printed",
            target=f"plan:{plan.code}",
            actor=owner,
            now=now,
            detail={"codes": [code.number for code in codes]},
        )
    return paper
