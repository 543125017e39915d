"""The broker of the embedded default: a folder, safe against crashes of whoever uses it.

Kombu's own `filesystem` transport shows a message before it is written and removes it when it
is delivered, so a reader may die of half a message and a crash loses what was running. Here

- a message is written under another name and published by `rename`: it is whole or absent;
- a consumer moves it into a folder of its own and removes it when it is acknowledged;
- the consumer holds a lock (`flock`) on that folder for as long as it lives. The kernel drops
  the lock however the process ends, and the next consumer puts the messages back.

    <folder>/drafts/                    being written
    <folder>/ready/<queue>/<message>    waiting
    <folder>/taken/<owner>/<queue>/<message> and <owner>.lock    delivered, not acknowledged
    <folder>/unreadable/                not JSON: kept for a look, never delivered

One machine, one disk; several producers and consumers may share the folder. There is no
fan-out: remote control and events of Celery stay off with this broker.
"""

import fcntl
import logging
import os
import time
import uuid
from collections import deque
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any, ClassVar
from urllib.parse import quote

from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

URL_SCHEME = "file-broker"
# Seconds between two looks for consumers that died while this one has nothing to do.
RECOVERY_INTERVAL_SECONDS = 5.0
# Seconds after which a draft can only be the rest of a producer that died.
DRAFT_LIFETIME_SECONDS = 3600.0


class Owner:
    """The folder in which one process keeps its unacknowledged messages, locked for its life.

    Children made by `fork` inherit the lock with the file. That is wanted: while a pool process
    whose parent was killed still runs its task, the message does not go to somebody else.
    """

    _of_process: ClassVar[dict[tuple[int, Path], "Owner"]] = {}

    def __init__(self, store: "Store") -> None:
        name = f"{os.getpid()}-{uuid.uuid4().hex}"
        self.folder = store.taken / name
        # Locked first and shown then: seen unlocked for a moment, it would be taken for the
        # lock of a dead consumer and removed. And it stands before the folder does, so a
        # folder is never without one.
        draft = store.drafts / f"{name}.lock"
        self._descriptor = os.open(draft, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        draft.rename(store.taken / draft.name)
        self.folder.mkdir()

    @classmethod
    def of_this_process(cls, store: "Store") -> "Owner":
        """Return the owner of this process, a new one after a fork."""
        key = (os.getpid(), store.taken)
        if key not in cls._of_process:
            cls._of_process[key] = cls(store)
        return cls._of_process[key]


class Store:
    """The folder itself: every step is one `rename` or one `unlink`, hence all or nothing."""

    def __init__(self, root: Path) -> None:
        self.ready = root / "ready"
        self.taken = root / "taken"
        self.drafts = root / "drafts"
        self.unreadable = root / "unreadable"
        for folder in (self.ready, self.taken, self.drafts, self.unreadable):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Names read in one go and taken one by one: listing a long queue for each message
        # would make emptying it quadratic.
        self._known: dict[str, deque[str]] = {}

    def publish(self, queue: str, payload: dict[str, Any]) -> None:
        """Put one message at the end of `queue`."""
        # Wall clock: a monotonic one starts anew with the machine and would mix the order up.
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
        draft = self.drafts / name
        draft.write_text(dumps(payload), encoding="utf-8")
        draft.rename(self._queue(queue) / name)

    def take(self, queue: str) -> tuple[dict[str, Any], Path]:
        """Move the oldest message of `queue` to this process.

        Returns the message and the file that `forget` or `give_back` wants. Raises
        `queue.Empty`.
        """
        own = Owner.of_this_process(self).folder / folder_name(queue)
        own.mkdir(exist_ok=True)
        while True:
            name = self._next_name(queue)
            file = own / name
            try:
                (self._queue(queue) / name).rename(file)
            except FileNotFoundError:
                continue  # Another consumer was faster.
            try:
                return loads(file.read_bytes()), file
            except ValueError:
                logger.exception("unreadable message set aside")
                file.rename(self.unreadable / name)

    def forget(self, file: Path) -> None:
        """Remove a message that was acknowledged."""
        file.unlink(missing_ok=True)

    def give_back(self, file: Path) -> None:
        """Return a taken message to its queue, at its old place in the order."""
        with suppress(FileNotFoundError):
            file.rename(self.ready / file.parent.name / file.name)

    def recover(self) -> int:
        """Return what consumers left that no longer live; the number of messages."""
        self._remove_old_drafts()
        return sum(self._recover_owner(lock) for lock in self.taken.glob("*.lock"))

    def count(self, queue: str) -> int:
        """The number of messages waiting in `queue`."""
        return len(self._names(queue))

    def purge(self, queue: str) -> int:
        """Remove every message waiting in `queue`; the number removed."""
        removed = 0
        for name in self._names(queue):
            with suppress(FileNotFoundError):
                (self._queue(queue) / name).unlink()
                removed += 1
        return removed

    def _queue(self, queue: str) -> Path:
        folder = self.ready / folder_name(queue)
        folder.mkdir(exist_ok=True)
        return folder

    def _names(self, queue: str) -> list[str]:
        return sorted(os.listdir(self._queue(queue)))

    def _next_name(self, queue: str) -> str:
        known = self._known.setdefault(queue, deque())
        if not known:
            known.extend(self._names(queue))
        if not known:
            raise Empty
        return known.popleft()

    def _recover_owner(self, lock: Path) -> int:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return 0
        try:
            # A second lock of the same file, so it is refused for our own folder as well.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        else:
            return self._empty_owner(lock)
        finally:
            os.close(descriptor)

    def _empty_owner(self, lock: Path) -> int:
        folder = lock.with_suffix("")
        returned = 0
        for file in sorted(folder.glob("*/*")):
            self.give_back(file)
            returned += 1
        for queue in folder.glob("*"):
            queue.rmdir()
        with suppress(FileNotFoundError):
            folder.rmdir()
        lock.unlink(missing_ok=True)
        return returned

    def _remove_old_drafts(self) -> None:
        oldest = time.time() - DRAFT_LIFETIME_SECONDS
        for draft in self.drafts.iterdir():
            with suppress(FileNotFoundError):
                if draft.stat().st_mtime < oldest:
                    draft.unlink()


def folder_name(queue: str) -> str:
    """Return the name of the folder of `queue`: no separator, no dot at the front."""
    return "q-" + quote(queue, safe="@")


class QoS(virtual.QoS):
    """Delivered messages; their files go when they are acknowledged."""

    def ack(self, delivery_tag: str) -> None:
        super().ack(delivery_tag)
        self.channel.forget(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().reject(delivery_tag, requeue=requeue)
        self.channel.forget(delivery_tag)


class Channel(virtual.Channel):
    """The queues of one `Store`, as kombu wants them."""

    QoS = QoS
    supports_fanout = False

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self._store = Store(Path(connection.client.transport_options["folder"]))
        # Of the connection: a message may be rejected by another channel than took it.
        self._files: dict[str, Path] = connection.files
        self._unacknowledged_queues: set[str] = set()
        self._next_recovery = 0.0

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Any, consumer_tag: str, **kwargs: Any
    ) -> None:
        if no_ack:
            self._unacknowledged_queues.add(queue)
        super().basic_consume(queue, no_ack, callback, consumer_tag, **kwargs)

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> Any:
        message = super().basic_get(queue, no_ack=no_ack, **kwargs)
        if message is not None and no_ack:
            self.forget(message.delivery_tag)
        return message

    def forget(self, delivery_tag: str) -> None:
        """Remove the file of a message that is done with."""
        file = self._files.pop(delivery_tag, None)
        if file is not None:
            self._store.forget(file)

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        self._store.publish(queue, message)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        self._recover_when_due()
        payload, file = self._store.take(queue)
        if queue in self._unacknowledged_queues:
            self._store.forget(file)
        else:
            self._files[payload["properties"]["delivery_tag"]] = file
        return payload

    def _restore(self, message: Any) -> None:
        file = self._files.pop(message.delivery_tag, None)
        if file is not None:
            self._store.give_back(file)

    def _size(self, queue: str) -> int:
        return self._store.count(queue)

    def _purge(self, queue: str) -> int:
        return self._store.purge(queue)

    def _recover_when_due(self) -> None:
        now = time.monotonic()
        if now < self._next_recovery:
            return
        self._next_recovery = now + RECOVERY_INTERVAL_SECONDS
        returned = self._store.recover()
        if returned:
            logger.warning("messages returned to their queues: %d", returned)


class Transport(virtual.Transport):
    """The transport behind `file-broker://`; its folder is the transport option `folder`."""

    Channel = Channel
    # A task starts 50 ms after it was sent on average; an idle worker uses 1 % of one core.
    polling_interval = 0.1
    driver_type = "filesystem"
    driver_name = "portal"

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.files: dict[str, Path] = {}

    def driver_version(self) -> str:
        return "1"


TRANSPORT_ALIASES[URL_SCHEME] = "portal.broker:Transport"
