"""Reads of the integrity record."""

from django.db.models import QuerySet

from accounts.models import IntegrityRecord, User


def list_integrity_records(person: User) -> QuerySet[IntegrityRecord]:
    """What is entered about the person, the newest first."""
    return IntegrityRecord.objects.filter(person=person).order_by("-recorded_at", "-pk")
