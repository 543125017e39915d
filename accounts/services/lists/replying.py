"""Answers: to each new person, and to whoever handed the list in. Never a password."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import Message, PrivateFile, RegistrationList, Unit
from accounts.rules.first_passwords import describe_first_password
from accounts.services.audit import record_audit
from accounts.services.files import EXPORT_LIFETIME
from accounts.services.lists.files import compose_results, store_result_file
from accounts.services.lists.leases import ListLease
from accounts.services.messages import send_message, send_to_many

Channel = Message.Channel
State = RegistrationList.State


def tell_opened(
    phones: Iterable[str], *, unit: Unit, pending_until: datetime, now: datetime
) -> None:
    """Tell those whose account was opened by SMS; the same words for all of them."""
    last_day = timezone.localtime(pending_until)
    send_to_many(
        phones=phones,
        template="account_opened",
        context={
            "unit": unit.name,
            "date": f"{last_day:%Y年%m月%d日}",
            "address": _address("accounts:activate"),
            "rule": describe_first_password(settings.FIRST_PASSWORD_RULE),
        },
        now=now,
        expires_at=pending_until,
    )


def finish_list(lease: ListLease) -> None:
    """End a list of which no row waits any more: result sheet, message and mail."""
    content = compose_results(RegistrationList.objects.get(pk=lease.row_id))
    with lease.hold() as row:
        now = lease.clock()
        row.state, row.ended_at = State.DONE, now
        store_result_file(row, content, now=now)
        values = {
            "unit": row.unit.name,
            "code": row.code,
            "new": str(row.new_count),
            "linked": str(row.linked_count),
            "failed": str(row.failed_count + row.invalid_count),
            "days": str(settings.FIRST_LOGIN_DAYS),
            "rule": describe_first_password(settings.FIRST_PASSWORD_RULE),
            "address": _address("accounts:list-detail", row.code),
        }
        _tell_by_sms(row, "list_done", values, now=now)
        _tell_by_mail(row, "list_reply", values, now=now, attachment=row.result_file)
        record_audit(
            action="list.completed",
            target=f"list:{row.code}",
            actor=row.decided_by,
            now=now,
            detail={
                "new": row.new_count,
                "linked": row.linked_count,
                "failed": row.failed_count,
            },
        )


def announce_return(row: RegistrationList, *, now: datetime) -> None:
    """Tell whoever handed the list in that staff sent it back, and why."""
    values = {
        "unit": row.unit.name,
        "code": row.code,
        "reason": row.reason,
        "address": _address("accounts:list-detail", row.code),
    }
    _tell_by_sms(row, "list_returned", values, now=now)
    _tell_by_mail(row, "list_returned_mail", values, now=now)


def _tell_by_sms(
    row: RegistrationList, template: str, values: Mapping[str, str], *, now: datetime
) -> None:
    """To the coordinator; who wrote a letter gets one."""
    if row.channel == RegistrationList.Channel.UPLOAD and row.uploaded_by.phone:
        send_message(
            channel=Channel.SMS,
            recipient=row.uploaded_by.phone,
            template=template,
            context=values,
            now=now,
        )


def _tell_by_mail(
    row: RegistrationList,
    template: str,
    values: Mapping[str, str],
    *,
    now: datetime,
    attachment: PrivateFile | None = None,
) -> None:
    if row.reply_mail:
        send_message(
            channel=Channel.MAIL,
            recipient=row.reply_mail,
            template=template,
            context=values,
            now=now,
            # No longer than the file that goes along.
            expires_at=now + EXPORT_LIFETIME if attachment else None,
            attachment=attachment,
        )


def _address(name: str, *arguments: str) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=arguments)}"
