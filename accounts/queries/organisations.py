"""Reads about regions and work units."""

from datetime import date

from django.db.models import QuerySet

from accounts.models import Region, Unit

UNIT_SUGGESTIONS = 8


def list_regions(*, today: date) -> QuerySet[Region]:
    """The regions that may be chosen today, in the order of the list."""
    return Region.objects.valid_on(today).order_by("position", "code")


def find_region(code: str, *, today: date) -> Region | None:
    return list_regions(today=today).filter(code=code).first()


def search_units(*, region_code: str, text: str) -> list[Unit]:
    """Units of a region whose name contains `text`, those that begin with it first."""
    text = text.strip()
    # What cannot be printed stands in no name; PostgreSQL answers a NUL with an error.
    if len(text) < 2 or not (text + region_code).isprintable():
        return []
    units = Unit.objects.filter(
        region__code=region_code, is_active=True, name__icontains=text
    ).order_by("name")[: UNIT_SUGGESTIONS * 4]
    found = sorted(units, key=lambda unit: (not unit.name.startswith(text), unit.name))
    return found[:UNIT_SUGGESTIONS]


def find_unit(*, region: Region, name: str) -> Unit | None:
    """The active unit of exactly this name in the region."""
    return Unit.objects.filter(region=region, name=name, is_active=True).first()
