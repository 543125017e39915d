"""Secrets of the embedded default, made at the first start and kept in files of the own user.

In production no secret is made: each comes from the environment.
"""

import contextlib
import os
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path

import environ


def read_secret(env: environ.Env, name: str, *, folder: Path | None) -> str:
    """Return the secret `name` from the environment or from the file that `name`_FILE names.

    With a `folder` (the embedded default) a random one is made and kept there; without, a
    missing secret raises ImproperlyConfigured.
    """
    file = env.str(f"{name}_FILE", default="")
    if file:
        return Path(file).read_text().strip()
    if folder is None:
        return str(env.str(name))
    return str(env.str(name, default="") or keep_secret(folder, name.lower()))


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
