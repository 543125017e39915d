"""What staff say about a buyer whose numbers were mostly nobody's."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record_audit
from orders.errors import GroupStateError
from orders.locks import lock_check
from orders.models import GroupCheck


@transaction.atomic
def close_alarm(*, check_id: int, note: str, actor: User, now: datetime) -> None:
    """Note that staff have looked at it and what they found. Raises `GroupStateError`."""
    check = lock_check(check_id)
    if check.alarm != GroupCheck.Alarm.OPEN:
        raise GroupStateError("该名单无需核查或已核查。")
    check.alarm, check.alarm_note = GroupCheck.Alarm.SEEN, note.strip()
    check.alarm_seen_by, check.alarm_seen_at = actor, now
    check.save(update_fields=["alarm", "alarm_note", "alarm_seen_by", "alarm_seen_at"])
    record_audit(
        action="group.alarm_closed",
        target=f"group:{check.code}",
        actor=actor,
        now=now,
        detail={"buyer": check.buyer.code},
    )
