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
    """Enter the regions of the list; the number of regions in it.

    Of a region that is there already only the validity is written, and only what the list
    says about it: rows and changes of staff's own making stay, such as a district that they
    ended before the list knew. A migration passes its historical model.
    """
    rows = {
        entry.code: region_model.objects.update_or_create(
            code=entry.code,
            defaults=_validity(entry),
            create_defaults=_columns(entry, position),
        )[0]
        for position, entry in enumerate(REGIONS)
    }
    for entry in filter(lambda entry: entry.successor, REGIONS):
        region_model.objects.filter(code=entry.code).update(
            successor=rows[entry.successor]
        )
    return len(rows)


def _columns(entry: RegionEntry, position: int) -> dict[str, str | int | date]:
    return {
        "name": entry.name,
        "kind": entry.kind,
        "position": position,
        **_validity(entry),
    }


def _validity(entry: RegionEntry) -> dict[str, date]:
    dates = {"valid_from": entry.valid_from, "valid_until": entry.valid_until}
    return {name: date for name, date in dates.items() if date is not None}


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
    permissions = _find_permissions()
    for role, names in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set([permissions[name] for name in names])
    return len(ROLES)


def _find_permissions() -> dict[str, Permission]:
    """The permissions of all roles by their name in `ROLES`, those missing made."""
    found = {
        (
            permission.content_type.app_label,
            permission.content_type.model,
            permission.codename,
        ): permission
        for permission in Permission.objects.select_related("content_type")
    }
    names = sorted({name for names in ROLES.values() for name in names})
    return {
        name: found.get(split_permission(name)) or _make_permission(name)
        for name in names
    }


def _make_permission(name: str) -> Permission:
    app_label, model_name, codename = split_permission(name)
    model = apps.get_model(app_label, model_name)
    content_type, _ = ContentType.objects.get_or_create(
        app_label=app_label, model=model_name
    )
    own = dict(model._meta.permissions)
    action = codename.removesuffix(f"_{model_name}")
    label = own.get(codename, f"Can {action} {model._meta.verbose_name_raw}")
    return Permission.objects.create(
        content_type=content_type, codename=codename, name=label
    )
