"""导出我的数据: who may take the archive, how often, and the note that it was taken."""

from datetime import datetime

from django.db import transaction

from accounts.errors import ExportThrottledError
from accounts.models import ThrottleCounter, User
from accounts.rules.throttles import EXPORT_PERSON
from accounts.services.audit import record_audit
from accounts.services.confirmation import confirm_password
from accounts.services.throttling import Counter, take_tries, throttle_key


def allow_export(*, person: User, password: str, now: datetime) -> None:
    """Let the person take an archive of the own data now, and note it in the audit.

    Raises `PasswordWrongError`, `ConfirmationThrottledError` and `ExportThrottledError`.
    """
    confirm_password(person=person, password=password, now=now)
    counter = Counter(
        ThrottleCounter.Scope.EXPORT, throttle_key("export", person.code), EXPORT_PERSON
    )
    if not take_tries([counter], now=now):
        raise ExportThrottledError
    with transaction.atomic():
        record_audit(
            action="personal_data.exported",
            target=f"user:{person.code}",
            actor=person,
            now=now,
        )
