"""The audit chain: entries are added, never changed, and a missing one is found."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction

from accounts.locks import GENESIS, lock_audit_head
from accounts.models import AuditEntry, AuditHead, User
from accounts.personal_data import blind_index
from portal.lib.bulk_insert import insert_rows

type_of_detail = Mapping[str, str | int | bool | list[str] | None]


@dataclass(frozen=True)
class Note:
    """One entry to be: what was done (dotted, past tense) to what (`user:CODE`)."""

    action: str
    target: str
    detail: type_of_detail


@dataclass(frozen=True)
class ChainFault:
    """Where the chain does not hold: the position from which on it cannot be trusted."""

    position: int
    reason: str


@transaction.atomic
def record_audit(
    *,
    action: str,
    target: str,
    actor: User | None,
    now: datetime,
    detail: type_of_detail | None = None,
) -> AuditEntry:
    """Append an entry: `actor` did `action` (dotted, past tense) to `target` (`user:CODE`).

    `detail` holds plain JSON and no personal data. Call it last in a transaction, since
    everybody else who appends waits until the transaction ends.
    """
    head = lock_audit_head()
    entry = _chain(head, Note(action, target, detail or {}), actor=actor, now=now)
    entry.save(force_insert=True)
    _move_head(head)
    return entry


@transaction.atomic
def record_many(*, notes: Iterable[Note], actor: User | None, now: datetime) -> int:
    """Append an entry for each note, in their order; how many. The head is locked once.

    Like `record_audit`, last in a transaction, and for hundreds rather than thousands at a
    time: whoever else appends waits for all of them.
    """
    head = lock_audit_head()
    entries = [_chain(head, note, actor=actor, now=now) for note in notes]
    insert_rows(
        AuditEntry,
        same={"at": now, "actor_id": actor.pk if actor else None},
        each=("position", "action", "target", "detail", "previous_hash", "hash"),
        rows=(
            (
                *(entry.position, entry.action, entry.target),
                json.dumps(entry.detail, ensure_ascii=False),
                *(entry.previous_hash, entry.hash),
            )
            for entry in entries
        ),
    )
    _move_head(head)
    return len(entries)


def _chain(
    head: AuditHead, note: Note, *, actor: User | None, now: datetime
) -> AuditEntry:
    """Build the entry that follows `head`, and let `head` stand at it."""
    entry = AuditEntry(
        position=head.position + 1,
        at=now,
        actor_id=actor.pk if actor else None,
        action=note.action,
        target=note.target,
        detail=dict(note.detail),
        previous_hash=head.hash,
    )
    entry.hash = hash_entry(entry)
    head.position, head.hash = entry.position, entry.hash
    return entry


def _move_head(head: AuditHead) -> None:
    AuditHead.objects.filter(pk=head.pk).update(position=head.position, hash=head.hash)


def hash_entry(entry: AuditEntry) -> str:
    """The entry's hash over all its columns and the hash before it.

    Keyed, so that whoever can write to the database still cannot forge a chain.
    """
    content = [
        entry.position,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor_id,
        entry.action,
        entry.target,
        entry.detail,
        entry.previous_hash,
    ]
    return blind_index().of(
        "audit", json.dumps(content, sort_keys=True, ensure_ascii=False)
    )


def find_chain_fault() -> ChainFault | None:
    """Walk the whole chain and return the first fault: a missing, changed or cut-off entry.

    The portal may append meanwhile: the end is looked at before the walk and after it, and
    the last entry lies between the two.
    """
    before = _read_end()
    position, previous = 0, GENESIS
    for entry in AuditEntry.objects.order_by("position").iterator(chunk_size=2000):
        position += 1
        if entry.position != position:
            return ChainFault(position, "missing")
        if entry.previous_hash != previous or hash_entry(entry) != entry.hash:
            return ChainFault(position, "changed")
        previous = entry.hash
        if position == before[0] and previous != before[1]:
            return ChainFault(position, "changed")
    after = _read_end()
    is_complete = before[0] <= position <= after[0]
    if not is_complete or (position == after[0] and previous != after[1]):
        return ChainFault(position + 1, "cut off")
    return None


def _read_end() -> tuple[int, str]:
    """The position and the hash at which the chain ends, as the head says."""
    head = AuditHead.objects.filter(pk=1).first()
    return (head.position, head.hash) if head else (0, GENESIS)
