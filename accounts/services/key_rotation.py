"""Rotation of the keys of personal data: every ciphertext is made anew with the first key.

Which columns and files there are is declared by the models (`encrypted_columns`,
`encrypted_files`). Each row is replaced by itself and only if it still holds what was read, so
the portal may run meanwhile and the rotation may be killed at any row: a new run goes on with
what is left.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, cast

from cryptography.exceptions import InvalidTag
from django.apps import apps
from django.core.files.base import ContentFile
from django.db.models import BinaryField, FileField, Model, QuerySet
from django.db.models.functions import Substr

from accounts.personal_data import cipher
from accounts.services.audit import record_audit
from portal.lib.crypto import KEY_ID_BYTES, read_key_id

logger = logging.getLogger(__name__)

CHUNK = 500


@dataclass(frozen=True)
class Place:
    """A column, or the files of a file field, that hold ciphertext."""

    model: type[Model]
    field: str
    context: Callable[[Any], str]
    is_file: bool

    @property
    def label(self) -> str:
        return f"{self.model._meta.label_lower}.{self.field}"


@dataclass(frozen=True)
class Outcome:
    """What a rotation did at one place; `unreadable` rows need a key that is not there."""

    resealed: int
    unreadable: int
    remaining: int


def list_places() -> list[Place]:
    """Every encrypted column and file field that the models declare."""
    return [
        Place(model, field, context, attribute == "encrypted_files")
        for model in apps.get_models()
        for attribute in ("encrypted_columns", "encrypted_files")
        for field, context in getattr(model, attribute, {}).items()
    ]


def count_old(place: Place) -> int:
    """How many ciphertexts of the place were made with another key than the first."""
    if place.is_file:
        return sum(1 for _ in _old_rows(place))
    return _select_old(place).count()


def rotate_place(
    place: Place, *, report: Callable[[int], None] = lambda done: None
) -> Outcome:
    """Make every old ciphertext of the place anew; `report` hears the count now and then."""
    resealed = unreadable = 0
    reseal = _reseal_file if place.is_file else _reseal_column
    for row in _old_rows(place):
        try:
            replaced = reseal(place, row)
        except (InvalidTag, KeyError, FileNotFoundError):
            unreadable += 1
            logger.error(
                "ciphertext not readable", extra={"place": place.label, "row": row.pk}
            )
            continue
        resealed += replaced
        if replaced and resealed % CHUNK == 0:
            report(resealed)
    return Outcome(resealed, unreadable, count_old(place))


def record_rotation(*, resealed: int, remaining: int, now: datetime) -> None:
    """Note in the audit that a rotation ended: with which key, how many, how many are left."""
    record_audit(
        action="personal_data.keys_rotated",
        target=f"key:{cipher().key_id}",
        actor=None,
        now=now,
        detail={"resealed": resealed, "remaining": remaining},
    )


def _old_rows(place: Place) -> Iterator[Model]:
    """Rows with an old ciphertext by primary key, read in chunks without a transaction."""
    last: Any = None
    while True:
        rows = _select_old(place).order_by("pk")
        chunk = list(rows[:CHUNK] if last is None else rows.filter(pk__gt=last)[:CHUNK])
        if not chunk:
            return
        last = chunk[-1].pk
        for row in chunk:
            if not place.is_file or _has_old_file(place, row):
                yield row


def _select_old(place: Place) -> "QuerySet[Model]":
    """Rows that do not begin with the first key's id; of files, every row that has one."""
    rows: QuerySet[Model] = place.model._base_manager.all()
    if place.is_file:
        return rows.exclude(**{place.field: ""})
    prefix = f"{cipher().key_id}:".encode()
    beginning = Substr(place.field, 1, len(prefix), output_field=BinaryField())
    old: QuerySet[Model] = (
        rows.filter(**{f"{place.field}__isnull": False})
        .exclude(**{place.field: b""})
        .alias(key_id=beginning)
        .exclude(key_id=prefix)
    )
    return old


def _reseal_column(place: Place, row: Model) -> int:
    """Replace the ciphertext unless somebody wrote another one meanwhile; how many were."""
    old = bytes(getattr(row, place.field))
    new = cipher().reseal(old, context=place.context(row))
    same = place.model._base_manager.filter(pk=row.pk, **{place.field: old})
    return same.update(**{place.field: new})


def _has_old_file(place: Place, row: Model) -> bool:
    try:
        with getattr(row, place.field).open("rb") as sealed:
            return read_key_id(sealed.read(KEY_ID_BYTES)) != cipher().key_id
    except FileNotFoundError:
        # Deleted since its row was read, or lost: there is nothing to make anew.
        return False


def _reseal_file(place: Place, row: Model) -> int:
    """Write the content as a new file, then let the row name it, then delete the old one.

    Killed in between, a file is left that no row names, never a row without its file.
    """
    field = getattr(row, place.field)
    storage, old = field.storage, str(field.name)
    with field.open("rb") as sealed:
        content = cipher().reseal(sealed.read(), context=place.context(row))
    file_field = cast(FileField, row._meta.get_field(place.field))
    name = storage.save(
        file_field.generate_filename(row, PurePosixPath(old).name),
        ContentFile(content),
        max_length=file_field.max_length,
    )
    same = place.model._base_manager.filter(pk=row.pk, **{place.field: old})
    replaced = same.update(**{place.field: name})
    storage.delete(old if replaced else name)
    return replaced
