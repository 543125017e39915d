from datetime import timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from django.core.files.storage import default_storage

from accounts.models import PrivateFile, VerificationCode
from accounts.services import files
from accounts.services.cleaning import forget_old_traces
from accounts.services.files import (
    delete_expired_files,
    delete_private_file,
    read_private_file,
    store_private_file,
)
from portal.lib.file_responses import attachment, inline

pytestmark = pytest.mark.django_db
CONTENT = "名单 500103190001010018".encode()


def store(now: Any, **values: Any) -> PrivateFile:
    return store_private_file(
        **{
            "content": CONTENT,
            "name": "名单.xlsx",
            "content_type": "application/octet-stream",
            "purpose": PrivateFile.Purpose.LIST,
            "owner": None,
            "now": now,
        }
        | values
    )


def test_content_is_encrypted_where_it_lies(now: Any) -> None:
    file = store(now)

    sealed = file.file.open("rb").read()
    assert b"5001031900" not in sealed
    assert "名单" not in file.file.name
    assert read_private_file(PrivateFile.objects.get()) == CONTENT


def test_content_of_another_row_does_not_open(now: Any) -> None:
    one, other = store(now), store(now)
    one.file = other.file

    with pytest.raises(InvalidTag):
        read_private_file(one)


def test_files_end_with_their_time(now: Any) -> None:
    short = store(now, lifetime=timedelta(hours=24))
    kept = store(now)

    assert delete_expired_files(now=now + timedelta(hours=23)) == 0
    forget_old_traces(now=now + timedelta(hours=24))

    assert list(PrivateFile.objects.all()) == [kept]
    assert not short.file.storage.exists(short.file.name)
    assert read_private_file(kept) == CONTENT


def test_what_the_storage_did_not_delete_is_found_again(
    now: Any, monkeypatch: Any
) -> None:
    file, later = store(now, lifetime=timedelta(hours=1)), now + timedelta(days=3)
    code = VerificationCode.objects.create(
        purpose="login", tries_left=5, sent_at=now, expires_at=now
    )

    def fail(*_: Any) -> None:
        raise OSError("storage out of reach")

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "delete", fail)
        with pytest.raises(OSError, match="out of reach"):
            forget_old_traces(now=later)

    assert PrivateFile.objects.get() == file
    # The rest does not wait for the storage.
    assert not VerificationCode.objects.filter(pk=code.pk).exists()
    assert delete_expired_files(now=later) == 1
    assert not file.file.storage.exists(file.file.name)
    assert PrivateFile.objects.count() == 0


def test_a_file_that_is_kept_after_all_stays(now: Any, monkeypatch: Any) -> None:
    """Found to be over, and meanwhile somebody sends the request again that it belongs to."""
    file, later = store(now, lifetime=timedelta(hours=1)), now + timedelta(days=1)
    delete = files._delete_if_expired

    def keep_before(file_id: int, *, now: Any) -> bool:
        PrivateFile.objects.update(expires_at=None)
        return delete(file_id, now=now)

    monkeypatch.setattr(files, "_delete_if_expired", keep_before)

    assert delete_expired_files(now=later) == 0
    assert read_private_file(file) == CONTENT


def test_content_goes_with_the_commit_only(
    now: Any, django_capture_on_commit_callbacks: Any
) -> None:
    file = store(now)
    storage, place = file.file.storage, file.file.name

    with django_capture_on_commit_callbacks() as callbacks:
        delete_private_file(file=file)

    assert storage.exists(place)
    for callback in callbacks:
        callback()
    assert not storage.exists(place)


def test_answers_are_neither_kept_nor_run() -> None:
    page = attachment(b"<script>", name="错误 1.xlsx", content_type="text/html")

    assert page["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E9")
    assert (page["Cache-Control"], page["X-Content-Type-Options"]) == (
        "no-store",
        "nosniff",
    )
    kinds = {"image/png": "inline", "text/html": "attachment"}
    for content_type, disposition in kinds.items():
        shown = inline(b"", name="a", content_type=content_type)
        assert shown["Content-Disposition"].startswith(disposition)
