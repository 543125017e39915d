"""Forgetting whom a group purchase was for: after a day only the counts are left."""

from datetime import datetime

from django.db import transaction

from accounts.services.files import delete_private_file
from orders.locks import lock_check
from orders.models import GroupCheck

# In one transaction, ten thousand rows each; the next sweep takes the next ones.
CHECKS_AT_ONCE = 20
EXPIRED = "超过24小时未验证，请重新提交。"


def forget_old_checks(*, now: datetime) -> int:
    """Delete rows and files of checks whose day is over; how many checks."""
    old = GroupCheck.objects.filter(kept_until__lte=now, forgotten_at__isnull=True)
    ids = list(old.order_by("kept_until").values_list("pk", flat=True)[:CHECKS_AT_ONCE])
    for check_id in ids:
        _forget(check_id, now=now)
    return len(ids)


@transaction.atomic
def _forget(check_id: int, *, now: datetime) -> None:
    check = lock_check(check_id)
    files = [file for file in (check.file, check.error_file) if file]
    check.rows.all().delete()
    check.file = check.error_file = None
    check.forgotten_at = now
    if check.state in GroupCheck.TO_CHECK:
        check.state, check.reason = GroupCheck.State.REFUSED, EXPIRED
        check.lease_until = None
    check.save()
    for file in files:
        delete_private_file(file=file)
