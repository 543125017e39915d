"""What a member of the staff may do, and which regions bind it."""

from collections.abc import Mapping

from accounts.models import SupervisedRegion, User
from accounts.rules.roles import SUPERVISOR


def find_supervised_regions(person: User) -> frozenset[int] | None:
    """The keys of the regions a district supervisor may look at; None: bound to none.

    Whoever holds the role is bound by it, also beside another role, and without a region
    sees nobody. Superusers are not bound.
    """
    if person.is_superuser or not person.groups.filter(name=SUPERVISOR).exists():
        return None
    return frozenset(
        SupervisedRegion.objects.filter(person=person).values_list(
            "region_id", flat=True
        )
    )


def read_rights(person: User) -> Mapping[str, bool | list[str]]:
    """The rights of an account, as the audit keeps them."""
    groups = person.groups.order_by("name").values_list("name", flat=True)
    regions = person.supervised_regions.order_by("region__code")
    return {
        "is_active": person.is_active,
        "is_staff": person.is_staff,
        "groups": list(groups),
        "regions": list(regions.values_list("region__code", flat=True)),
    }
