"""What counts as accepted, how often is tried, who signs: for every vendor's manner."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from portal.sandbox.notifier import Notifier
from portal.sandbox.simulator import Delivery
from portal.sandbox.store import Store
from tests.sandbox.merchant import Merchant, Reply

JSON = "application/json"


@pytest.fixture
def notifier(tmp_path: Path) -> Iterator[Notifier]:
    """A notifier whose thread does not run: each sending is the test's own."""
    store = Store(tmp_path / "store.sqlite3")
    yield Notifier(store, factor=0.5)
    store.close()


@pytest.fixture
def delivery(merchant: Merchant) -> Delivery:
    return Delivery(f"{merchant.url}/notify", '{"id": 1}', JSON, steps=[10, 20])


def find_notice(notifier: Notifier) -> dict[str, Any]:
    [notice] = notifier.list_notices()
    return notice


def test_raw_body_and_headers_arrive_unchanged(
    notifier: Notifier, merchant: Merchant, delivery: Delivery
) -> None:
    sent = replace(delivery, body='{"名": "值"}', headers={"X-Vendor": "one"})

    assert notifier.send_now(sent)

    assert merchant.bodies == ['{"名": "值"}'.encode()]
    assert merchant.headers[0]["content-type"] == JSON
    assert merchant.headers[0]["x-vendor"] == "one"


@pytest.mark.parametrize(
    ("statuses", "text", "reply", "accepted"),
    [
        ((200,), "success", (200, b"success", {}), True),
        ((200,), "success", (200, b"success\n", {}), False),
        ((200,), "success", (200, b"failure", {}), False),
        ((200,), "success", (500, b"success", {}), False),
        ((200, 204), None, (200, b"anything", {}), True),
        ((200, 204), None, (204, b"", {}), True),
        ((200, 204), None, (400, b'{"code": "FAIL"}', {}), False),
        ((200, 302), None, (302, b"", {"Location": "http://127.0.0.1:1/"}), True),
        ((200,), None, (302, b"", {"Location": "http://127.0.0.1:1/"}), False),
    ],
)
def test_acceptance_is_the_vendors(
    notifier: Notifier,
    merchant: Merchant,
    delivery: Delivery,
    statuses: tuple[int, ...],
    text: str | None,
    reply: Reply,
    accepted: bool,
) -> None:
    merchant.answers = [reply]

    said = notifier.send_now(replace(delivery, statuses=statuses, text=text))

    notice = find_notice(notifier)
    assert said is accepted
    assert notice["state"] == ("accepted" if accepted else "waiting")
    assert notice["status"] == reply[0]


def test_refused_notice_waits_its_steps_and_is_given_up(
    notifier: Notifier, merchant: Merchant, delivery: Delivery
) -> None:
    merchant.answers = [(500, b"", {})] * 4
    key = notifier.enqueue(delivery)
    pauses = []

    for _ in range(2):
        assert notifier.deliver(key) is False
        notice = find_notice(notifier)
        pauses.append(notice["steps"][notice["sends"] - 1])
    notifier.deliver(key)

    assert pauses == [5, 10]
    assert find_notice(notifier)["state"] == "given up"
    assert notifier.deliver(key) is False
    assert len(merchant.bodies) == 3


def test_each_sending_is_signed_anew(
    notifier: Notifier, merchant: Merchant, delivery: Delivery
) -> None:
    """A vendor's signature carries its time: a repetition with the old one would be stale."""
    marks = iter(["first", "second"])
    notifier.add_sealer("vendor", lambda body: {"X-Mark": f"{next(marks)} {body}"})
    merchant.answers = [(500, b"", {})]
    key = notifier.enqueue(replace(delivery, sealer="vendor"))

    notifier.deliver(key)
    notifier.deliver(key)

    marked = [headers["x-mark"] for headers in merchant.headers]
    assert marked == ['first {"id": 1}', 'second {"id": 1}']


def test_unreachable_merchant_is_tried_again(
    notifier: Notifier, delivery: Delivery
) -> None:
    assert notifier.send_now(replace(delivery, url="http://127.0.0.1:1/")) is False

    notice = find_notice(notifier)
    assert (notice["state"], notice["status"]) == ("waiting", 0)


def test_what_is_forgotten_is_not_sent_again(
    notifier: Notifier, merchant: Merchant, delivery: Delivery
) -> None:
    merchant.answers = [(500, b"", {})] * 1000
    notifier.start()
    notifier.enqueue(replace(delivery, steps=[0.01] * 1000))
    merchant.wait_for_at_least(3)

    notifier.forget()
    count = len(merchant.bodies)
    merchant.answers = []
    notifier.enqueue(replace(delivery, body="the next"))
    merchant.wait_for(count + 1)
    notifier.stop()

    assert merchant.bodies[-1] == b"the next"
    assert find_notice(notifier)["body"] == "the next"
