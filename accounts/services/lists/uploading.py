"""Handing in a list: the file is kept, encrypted, for the worker to read."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.errors import ListLimitError, ListNotAllowedError, ListStateError
from accounts.locks import lock_list, lock_person
from accounts.models import PrivateFile, RegistrationList, Unit, User
from accounts.queries.lists import acts_for, count_lists_of_day
from accounts.rules.lists import DAILY_LISTS, DAILY_ROWS
from accounts.services.audit import record_audit
from accounts.services.files import store_private_file
from portal.lib.spreadsheet import XLSX

Channel = RegistrationList.Channel
State = RegistrationList.State
REPLACED = "已上传更正后的名单"


@dataclass(frozen=True)
class Upload:
    """A file with a list, from whom and for which unit.

    `replaces` is the list that this file corrects, `received_at` when the letter came in
    that it lay in, `reply_mail` where the answer goes besides the portal.
    """

    unit: Unit
    content: bytes
    channel: str = Channel.UPLOAD
    reply_mail: str = ""
    received_at: datetime | None = None
    replaces: RegistrationList | None = None


@transaction.atomic
def upload_list(*, upload: Upload, actor: User, now: datetime) -> RegistrationList:
    """Keep the file; a worker checks it. Wake it: `accounts.tasks.check_list`.

    Raises `ListNotAllowedError` for anybody but a coordinator of the unit, or staff with a
    letter; `ListStateError` where the corrected list has moved on; `ListLimitError`.
    """
    refuse_outsider(actor, unit=upload.unit, channel=upload.channel)
    replaced = _end_replaced(upload, actor=actor, now=now)
    # Uploads of one person queue here, so that parallel ones are counted too.
    lock_person(actor.pk)
    if upload.channel == Channel.UPLOAD:
        _refuse_flood(actor, now=now)
    registration_list = RegistrationList(
        unit=upload.unit,
        channel=upload.channel,
        replaces=replaced,
        uploaded_by=actor,
        uploaded_at=now,
        received_at=upload.received_at,
    )
    registration_list.store_reply_mail(upload.reply_mail)
    # A name of our own: people write anything into the names of files.
    registration_list.file = store_private_file(
        content=upload.content,
        name=f"注册名单-{registration_list.code}.xlsx",
        content_type=XLSX,
        purpose=PrivateFile.Purpose.LIST,
        owner=actor,
        now=now,
    )
    registration_list.save(force_insert=True)
    record_audit(
        action="list.uploaded",
        target=f"list:{registration_list.code}",
        actor=actor,
        now=now,
        detail={"unit": upload.unit.name, "channel": upload.channel},
    )
    return registration_list


def refuse_outsider(actor: User, *, unit: Unit, channel: str) -> None:
    """Raise `ListNotAllowedError` unless the actor may act on such a list of the unit.

    A coordinator has proved a phone, so that whoever probes numbers here has a name.
    """
    if channel == Channel.MAIL:
        is_allowed = actor.has_perm("accounts.add_registrationlist")
    else:
        is_allowed = (
            actor.may_log_in and bool(actor.phone_index) and acts_for(actor, unit)
        )
    if not is_allowed:
        raise ListNotAllowedError


def _end_replaced(
    upload: Upload, *, actor: User, now: datetime
) -> RegistrationList | None:
    if upload.replaces is None:
        return None
    replaced = lock_list(upload.replaces.pk)
    # A letter is corrected by staff, a coordinator's own list by a coordinator.
    refuse_outsider(actor, unit=replaced.unit, channel=replaced.channel)
    if not replaced.may_be_corrected or replaced.unit_id != upload.unit.pk:
        raise ListStateError
    if replaced.replaced_by.exists():
        raise ListStateError
    if replaced.state == State.CHECKED:
        replaced.state, replaced.reason = State.WITHDRAWN, REPLACED
        replaced.ended_at = now
        replaced.save(update_fields=["state", "reason", "ended_at"])
    return replaced


def _refuse_flood(actor: User, *, now: datetime) -> None:
    lists, rows = count_lists_of_day(actor, now=now)
    if lists >= DAILY_LISTS or rows >= DAILY_ROWS:
        raise ListLimitError
