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
    keys = list(expired.values_list("pk", flat=True))
    return sum(_delete_if_expired(key, now=now) for key in keys)


@transaction.atomic
def _delete_if_expired(file_id: int, *, now: datetime) -> bool:
    """Content first: killed in between, the row is left and the next sweep finds it again.

    Read anew, since a request that was sent again keeps its proofs.
    """
    file = PrivateFile.objects.filter(pk=file_id, expires_at__lte=now).first()
    if file is None:
        return False
    file.file.storage.delete(str(file.file.name))
    file.delete()
    return True
