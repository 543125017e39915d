"""Files about people: encrypted in the storage, deleted when their time is over."""

from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.db import transaction

from accounts.models import PrivateFile, User
from accounts.personal_data import cipher

# Files that hold numbers in clear are for downloading, not for keeping (security.md).
EXPORT_LIFETIME = timedelta(hours=24)


def store_private_file(
    *,
    content: bytes,
    name: str,
    content_type: str,
    purpose: PrivateFile.Purpose,
    owner: User | None,
    now: datetime,
    lifetime: timedelta | None = None,
) -> PrivateFile:
    """Encrypt and keep `content`; without `lifetime` until whoever refers to it deletes it.

    `name` is what the file is called when it is fetched, never a path in the storage.
    """
    row = PrivateFile(
        purpose=purpose,
        owner=owner,
        name=name[-120:],
        content_type=content_type,
        size=len(content),
        created_at=now,
        expires_at=now + lifetime if lifetime else None,
    )
    sealed = cipher().encrypt_bytes(content, context=row.context)
    row.file.save(row.code, ContentFile(sealed), save=False)
    row.save(force_insert=True)
    return row


def read_private_file(file: PrivateFile) -> bytes:
    """The content in clear. Raises FileNotFoundError when the storage has lost it."""
    try:
        return _decrypt(file)
    except FileNotFoundError:
        # The rotation of keys writes a new file and deletes the old one.
        file.refresh_from_db(fields=["file"])
        return _decrypt(file)


def _decrypt(file: PrivateFile) -> bytes:
    with file.file.open("rb") as sealed:
        return cipher().decrypt_bytes(sealed.read(), context=file.context)


def delete_private_file(*, file: PrivateFile) -> None:
    """Delete the row now and the content when the transaction is committed."""
    storage, place = file.file.storage, str(file.file.name)
    file.delete()
    transaction.on_commit(lambda: storage.delete(place))


def delete_expired_files(*, now: datetime) -> int:
    """Delete the files whose time is over; how many."""
    expired = PrivateFile.objects.filter(expires_at__lte=now).order_by("pk")
    count = 0
    for file in expired.iterator(chunk_size=200):
        with transaction.atomic():
            delete_private_file(file=file)
        count += 1
    return count
