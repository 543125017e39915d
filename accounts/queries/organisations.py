"""Reads about regions and work units."""

from datetime import date

from django.db.models import Case, Q, QuerySet, When

from accounts.models import Region, Unit

UNIT_SUGGESTIONS = 8


def list_regions(*, today: date) -> QuerySet[Region]:
    """The regions that may be chosen today, in the order of the list."""
    return Region.objects.valid_on(today).order_by("position", "code")


def find_region(code: str, *, today: date) -> Region | None:
    return list_regions(today=today).filter(code=code).first()


def search_units(*, text: str, region_code: str = "") -> list[Unit]:
    """Units whose name holds `text`: those of the region, of them those that begin with it,
    then those of other regions in the same order.

    Each read stops when there are enough, so a name that many share costs less than a rare
    one; only what is found nowhere reads all names.
    """
    text = text.strip()
    # What cannot be printed stands in no name; PostgreSQL answers a NUL with an error.
    if len(text) < 2 or not (text + region_code).isprintable():
        return []
    units = Unit.objects.filter(is_active=True).select_related("region__successor")
    begins, holds = Q(name__startswith=text), _name_holds(text)
    found: list[Unit] = []
    if region_code:
        near = units.filter(region__in=_list_merged(region_code))
        found += _read_more(near.filter(begins), found)
        found += _read_more(near.filter(holds), found)
    found += _read_more(units.filter(begins), found)
    return found + _read_more(units.filter(holds), found)


def _read_more(units: QuerySet[Unit], found: list[Unit]) -> list[Unit]:
    """As many as are missing, by name; which ones of very many is left to the database."""
    missing = UNIT_SUGGESTIONS - len(found)
    if missing == 0:
        return []
    # By the key: sorting by name would read every match first.
    fresh = units.exclude(pk__in=[unit.pk for unit in found]).order_by("pk")[:missing]
    return sorted(fresh, key=lambda unit: unit.name)


def _name_holds(text: str) -> Q:
    """Letters of either case; without any, plain comparison is three times as fast."""
    has_letters = any(character.isascii() and character.isalpha() for character in text)
    return Q(name__icontains=text) if has_letters else Q(name__contains=text)


def _list_merged(region_code: str) -> list[int]:
    """The region, and those that were merged into it: their units are its units now."""
    regions = Region.objects.filter(
        Q(code=region_code) | Q(successor__code=region_code)
    )
    return list(regions.values_list("pk", flat=True))


def find_unit(*, region: Region, name: str) -> Unit | None:
    """The active unit of exactly this name in the region, else in one merged into it."""
    named = Unit.objects.filter(
        Q(region=region) | Q(region__successor=region), name=name, is_active=True
    )
    own_first = Case(When(region=region, then=0), default=1)
    return named.order_by(own_first, "pk").first()
