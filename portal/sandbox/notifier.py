"""Sends notifications the way a gateway does: again and again until the right answer."""

import contextlib
import logging
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from http.client import HTTPException
from typing import IO, Any

from portal.sandbox.simulator import Delivery, Sealer
from portal.sandbox.store import Store

logger = logging.getLogger(__name__)

# A slow receiver is treated like a refusal.
TIMEOUT_SECONDS = 5
ANSWER_LIMIT = 256
KIND = "notice"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Gateways do not follow redirects: a moved notify address is a refusal."""

    def redirect_request(self, *args: object) -> None:
        return None


class Notifier:
    """Queue of deliveries in the store, worked off by one thread.

    `factor` scales the vendor's retry steps: 1.0 is real life, 1/60 turns minutes into
    seconds.
    """

    def __init__(self, store: Store, *, factor: float) -> None:
        self._store = store
        self._factor = factor
        self._sealers: dict[str, Sealer] = {}
        self._wake = threading.Condition()
        self._stopped = False
        self._busy: set[str] = set()
        # No proxy of the environment: the receiver is near.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _NoRedirects()
        )
        self._thread = threading.Thread(target=self._run, daemon=True, name="notifier")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(TIMEOUT_SECONDS + 1)

    def add_sealer(self, name: str, sealer: Sealer) -> None:
        """Make known who signs deliveries that name `name`: anew at each sending, for a
        vendor's signature carries its time."""
        self._sealers[name] = sealer

    def enqueue(self, delivery: Delivery, *, delay: float = 0.0) -> str:
        """Send after `delay` seconds, and again until it is accepted or given up. Returns
        the key of the queued notice."""
        key = uuid.uuid4().hex
        self._store.put(
            KIND,
            key,
            {
                **asdict(delivery),
                "steps": [step * self._factor for step in delivery.steps],
                "statuses": list(delivery.statuses),
                "due_at": time.time() + delay,
                "sends": 0,
                "status": 0,
                "answer": "",
                "state": "waiting",
            },
        )
        with self._wake:
            self._wake.notify_all()
        return key

    def send_now(self, delivery: Delivery) -> bool:
        """Send before returning; refused, it is tried again like any other."""
        # Queued late enough that the thread does not send it at the same time.
        return self.deliver(self.enqueue(delivery, delay=2 * TIMEOUT_SECONDS))

    def deliver(self, key: str) -> bool:
        """Send one notice now, once; tell whether it was accepted."""
        notice = self._store.get(KIND, key)
        if notice is None or notice["state"] != "waiting":
            return False
        status, answer = self._post(notice)
        with self._store.edit(KIND, key) as notice:
            notice["sends"] += 1
            notice["status"] = status
            notice["answer"] = answer
            if status in notice["statuses"] and notice["text"] in (None, answer):
                notice["state"] = "accepted"
            elif notice["sends"] > len(notice["steps"]):
                notice["state"] = "given up"
            else:
                step = notice["steps"][notice["sends"] - 1]
                notice["due_at"] = time.time() + step
        # The thread may be asleep until a later time than the new one.
        with self._wake:
            self._wake.notify_all()
        return bool(notice["state"] == "accepted")

    def seal(self, delivery: Delivery) -> dict[str, str]:
        """Return the headers of one sending."""
        return self._make_headers(asdict(delivery))

    def list_notices(self) -> list[dict[str, object]]:
        """Every notice ever queued with its state, oldest first."""
        return [{"key": key, **body} for key, body in self._store.list(KIND).items()]

    def forget(self) -> None:
        """Keep no notice and send none again; returns when the last one is answered."""
        with self._wake:
            for key in self._store.list(KIND):
                self._store.delete(KIND, key)
            self._wake.wait_for(lambda: not self._busy)

    def _run(self) -> None:
        while True:
            with self._wake:
                if self._stopped:
                    return
                due, pause = self._find_due()
                if not due:
                    self._wake.wait(pause)
                    continue
                self._busy.update(due)
            for key in due:
                # One thread each: a receiver that hangs must not hold up the others.
                threading.Thread(target=self._work, args=(key,), daemon=True).start()

    def _work(self, key: str) -> None:
        try:
            # The store may be closed by a stopping server meanwhile.
            with contextlib.suppress(Exception):
                self.deliver(key)
        finally:
            with self._wake:
                self._busy.discard(key)
                self._wake.notify_all()

    def _find_due(self) -> tuple[list[str], float]:
        now = time.time()
        waiting = {
            key: body["due_at"]
            for key, body in self._store.list(KIND).items()
            if body["state"] == "waiting" and key not in self._busy
        }
        due = [key for key, at in waiting.items() if at <= now]
        pause = min((at - now for at in waiting.values()), default=3600.0)
        return due, max(pause, 0.0)

    def _make_headers(self, notice: Mapping[str, Any]) -> dict[str, str]:
        headers = {"Content-Type": notice["content_type"], **notice["headers"]}
        if notice["sealer"]:
            headers |= self._sealers[notice["sealer"]](notice["body"])
        return headers

    def _post(self, notice: Mapping[str, Any]) -> tuple[int, str]:
        """Return status and text of the answer; 0 and what went wrong in its place."""
        request = urllib.request.Request(  # noqa: S310 - the address was signed by the portal
            notice["url"],
            data=notice["body"].encode(),
            headers=self._make_headers(notice),
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                return response.status, _read_text(response)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, _read_text(refusal)
        except (OSError, HTTPException, ValueError) as error:
            logger.info("notification not delivered: %s", type(error).__name__)
            return 0, f"({type(error).__name__})"


def _read_text(response: IO[bytes]) -> str:
    return response.read(ANSWER_LIMIT).decode(errors="replace")
