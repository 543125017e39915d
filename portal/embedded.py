"""Secrets of the embedded default, made at the first start and kept in files of the own user.

In production nothing here is used: every secret comes from the environment.
"""

import contextlib
import os
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path


def keep_secret(folder: Path, name: str, length: int = 32) -> str:
    """Return the secret `name` from `folder`, making `length` random bytes at first use.

    Base64 text. The file is created with mode 0600 and published by a hard link, so two
    processes that start together agree on one value.
    """
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(urlsafe_b64encode(secrets.token_bytes(length)).decode())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()
