"""Entries of the integrity record (诚信档案): commitments, and cheating that was proved."""

from datetime import datetime

from django.db import transaction

from accounts.models import IntegrityRecord, User
from accounts.services.audit import record_audit


@transaction.atomic
def add_integrity_record(
    *,
    person: User,
    kind: IntegrityRecord.Kind,
    text: str,
    source: str,
    actor: User | None,
    now: datetime,
) -> IntegrityRecord:
    """Enter something into a person's record, in the transaction of what it comes from.

    What is entered already for this `source` stays as it is. Call it last: it writes to the
    audit.
    """
    known = IntegrityRecord.objects.filter(kind=kind, source=source).first()
    if known is not None:
        return known
    record = IntegrityRecord(
        person=person, kind=kind, source=source, recorded_at=now, recorded_by=actor
    )
    record.store_text(text)
    record.save(force_insert=True)
    record_audit(
        action="integrity.recorded",
        target=f"user:{person.code}",
        actor=actor,
        now=now,
        detail={"kind": kind, "record": record.code, "source": source},
    )
    return record
