"""Rows that every installation has: regions, the calendar, the staff's roles."""

from datetime import date
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from accounts.models import CalendarDay, Region
from accounts.rules.calendar import CALENDAR
from accounts.rules.regions import REGIONS, RegionEntry
from accounts.rules.roles import ROLES, split_permission


@transaction.atomic
def load_regions(*, region_model: Any = Region) -> int:
    """Write the list of regions over what is there; the number of regions in it.

    Rows of staff's own making stay. A migration passes its historical model.
    """
    rows = {
        entry.code: region_model.objects.update_or_create(
            code=entry.code, defaults=_columns(entry, position)
        )[0]
        for position, entry in enumerate(REGIONS)
    }
    for entry in REGIONS:
        successor = rows.get(entry.successor)
        region_model.objects.filter(code=entry.code).update(successor=successor)
    return len(rows)


def _columns(entry: RegionEntry, position: int) -> dict[str, str | int | date | None]:
    return {
        "name": entry.name,
        "kind": entry.kind,
        "position": position,
        "valid_from": entry.valid_from,
        "valid_until": entry.valid_until,
    }


@transaction.atomic
def load_calendar(*, day_model: Any = CalendarDay) -> int:
    """Enter the days off and made-up days that are known; the number of them.

    What staff have entered or corrected stays. A migration passes its historical model.
    """
    day_model.objects.bulk_create(
        [
            day_model(date=date, is_working=is_working, source=source)
            for date, (is_working, source) in sorted(CALENDAR.items())
        ],
        ignore_conflicts=True,
    )
    return len(CALENDAR)


@transaction.atomic
def load_roles() -> int:
    """Make the staff's groups and give each exactly its permissions; the number of groups.

    Django makes permissions after all migrations only, so those missing are made here; it
    finds them by content type and codename later and leaves them.
    """
    ContentType.objects.clear_cache()
    for role, names in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set([_find_permission(name) for name in names])
    return len(ROLES)


def _find_permission(name: str) -> Permission:
    app_label, model_name, codename = split_permission(name)
    model = apps.get_model(app_label, model_name)
    content_type, _ = ContentType.objects.get_or_create(
        app_label=app_label, model=model_name
    )
    own = dict(model._meta.permissions)
    action = codename.removesuffix(f"_{model_name}")
    label = own.get(codename, f"Can {action} {model._meta.verbose_name_raw}")
    permission, _ = Permission.objects.get_or_create(
        content_type=content_type, codename=codename, defaults={"name": label}
    )
    return permission
