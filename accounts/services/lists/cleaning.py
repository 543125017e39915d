"""Forgetting lists: 90 days after the end only the counts are left."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts.locks import lock_list
from accounts.models import RegistrationList
from accounts.rules.lists import ROWS_KEPT
from accounts.services.files import delete_private_file

State = RegistrationList.State
# Checked and never handed over: nobody is waiting for it any more.
EXPIRED = "长期未提交，已自动撤回"
# In one transaction, ten thousand rows each; the next hour takes the next ones.
LISTS_AT_ONCE = 20


def forget_old_lists(*, now: datetime) -> int:
    """Delete rows, files and whom to answer of lists that ended long ago; how many lists."""
    long_ago = now - ROWS_KEPT
    over = Q(ended_at__lt=long_ago) | Q(state=State.CHECKED, uploaded_at__lt=long_ago)
    old = RegistrationList.objects.filter(over, forgotten_at__isnull=True)
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:LISTS_AT_ONCE])
    for list_id in ids:
        _forget(list_id, now=now)
    return len(ids)


@transaction.atomic
def _forget(list_id: int, *, now: datetime) -> None:
    row = lock_list(list_id)
    if row.state not in (State.CHECKED, *RegistrationList.ENDED):
        # Handed over after all, a moment ago.
        return
    files = [file for file in (row.file, row.error_file, row.result_file) if file]
    row.rows.all().delete()
    row.head_cipher = row.reply_mail_cipher = b""
    row.file = row.error_file = row.result_file = None
    row.forgotten_at = now
    if row.state == State.CHECKED:
        row.state, row.reason, row.ended_at = State.WITHDRAWN, EXPIRED, now
    row.save()
    for file in files:
        delete_private_file(file=file)
