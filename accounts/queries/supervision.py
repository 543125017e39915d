"""Which regions a member of the staff is bound to."""

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
