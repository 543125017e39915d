"""The folder as a broker: whole messages or none, and nothing lost when a process dies."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection, Consumer, Exchange, Queue
from kombu.exceptions import OperationalError

from portal import broker
from portal.broker import Owner, Store

PROJECT = Path(__file__).resolve().parent.parent.parent
QUEUE = "celery"

# Takes one message and waits to be killed.
TAKER = """
import sys, time
from pathlib import Path
from portal.broker import Store
message, file = Store(Path(sys.argv[1])).take("celery")
print(message["number"], flush=True)
time.sleep(60)
"""
# The same, but its pool child (a fork) outlives it.
FORKING_TAKER = """
import os, sys, time
from pathlib import Path
from portal.broker import Store
message, file = Store(Path(sys.argv[1])).take("celery")
child = os.fork()
if child:
    print(child, flush=True)
time.sleep(60)
"""
PRODUCER = """
import sys
from pathlib import Path
from portal.broker import Store
store = Store(Path(sys.argv[1]))
first = int(sys.argv[2])
for number in range(first, first + int(sys.argv[3])):
    store.publish("celery", {"number": number, "filler": "x" * 4000})
"""
CONSUMER = """
import sys, time
from pathlib import Path
from queue import Empty
from portal.broker import Store
store = Store(Path(sys.argv[1]))
all_sent = Path(sys.argv[2])
while True:
    is_last_look = all_sent.exists()
    try:
        message, file = store.take("celery")
    except Empty:
        if is_last_look:
            break
        time.sleep(0.001)
        continue
    assert len(message["filler"]) == 4000
    store.forget(file)
    print(message["number"])
"""


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def run(source: str, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", source, *map(str, arguments)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )


def take_numbers(store: Store) -> list[int]:
    numbers = []
    while True:
        try:
            message, file = store.take(QUEUE)
        except Empty:
            return numbers
        numbers.append(message["number"])
        store.forget(file)


def test_messages_come_in_the_order_they_were_sent(store):
    for number in range(5):
        store.publish(QUEUE, {"number": number})

    assert store.count(QUEUE) == 5
    assert take_numbers(store) == [0, 1, 2, 3, 4]
    assert store.count(QUEUE) == 0


def test_queues_do_not_mix_even_when_their_names_look_alike(store):
    store.publish("celery", {"number": 1})
    store.publish("my.celery", {"number": 2})
    store.publish("../celery", {"number": 3})

    assert take_numbers(store) == [1]
    assert store.take("my.celery")[0] == {"number": 2}
    assert store.take("../celery")[0] == {"number": 3}


def test_a_message_being_written_is_not_seen(store, monkeypatch):
    """Death at any moment of the writing leaves nothing that a consumer could read."""

    def die_half_way(path: Path, text: str, **_kwargs: object) -> None:
        path.write_bytes(text.encode()[: len(text) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", die_half_way)
    with pytest.raises(KeyboardInterrupt):
        store.publish(QUEUE, {"number": 1})
    monkeypatch.undo()

    assert store.count(QUEUE) == 0
    assert take_numbers(store) == []
    assert len(list(store.drafts.iterdir())) == 1


def test_old_drafts_are_swept(store):
    old, new = store.drafts / "old", store.drafts / "new"
    old.write_text("{")
    new.write_text("{")
    os.utime(old, (time.time() - broker.DRAFT_LIFETIME_SECONDS - 1,) * 2)

    store.recover()

    assert [file.name for file in store.drafts.iterdir() if file.suffix == ""] == [
        "new"
    ]


def test_an_unreadable_message_is_set_aside_and_stops_nobody(store):
    """A power cut may leave an empty file behind a name that was already published."""
    (store.ready / broker.folder_name(QUEUE)).mkdir()
    (store.ready / broker.folder_name(QUEUE) / "0000").write_bytes(b"")
    store.publish(QUEUE, {"number": 2})

    assert take_numbers(store) == [2]
    assert [file.name for file in store.unreadable.iterdir()] == ["0000"]


def test_kill_of_the_owner_returns_its_message(store):
    store.publish(QUEUE, {"number": 1})
    taker = run(TAKER, store.ready.parent)
    assert taker.stdout.readline() == "1\n"
    assert store.recover() == 0
    assert store.count(QUEUE) == 0

    taker.send_signal(signal.SIGKILL)
    taker.wait()

    assert store.recover() == 1
    assert take_numbers(store) == [1]
    owners = [
        lock for lock in store.taken.glob("*.lock") if str(os.getpid()) not in lock.name
    ]
    assert owners == []


def test_a_message_stays_taken_while_a_pool_child_of_the_owner_lives(store):
    store.publish(QUEUE, {"number": 1})
    taker = run(FORKING_TAKER, store.ready.parent)
    child = int(taker.stdout.readline())
    taker.send_signal(signal.SIGKILL)
    taker.wait()

    assert store.recover() == 0
    os.kill(child, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while not (returned := store.recover()) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert returned == 1
    assert take_numbers(store) == [1]


def test_a_living_owner_keeps_its_own_messages(store):
    store.publish(QUEUE, {"number": 1})
    _message, file = store.take(QUEUE)

    assert store.recover() == 0
    assert Store(store.ready.parent).recover() == 0
    assert file.exists()


def test_a_message_given_back_keeps_its_place(store):
    store.publish(QUEUE, {"number": 1})
    _message, file = store.take(QUEUE)
    store.publish(QUEUE, {"number": 2})

    store.give_back(file)

    assert take_numbers(store) == [1, 2]


def test_a_fork_gets_a_folder_of_its_own(store):
    mine = Owner.of_this_process(store).folder
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, str(Owner.of_this_process(store).folder).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 1000).decode() not in {str(mine), ""}
    assert Owner.of_this_process(store).folder == mine
    os.close(reader)
    os.close(writer)


def test_many_producers_and_consumers_lose_and_double_nothing(store, tmp_path):
    folder = store.ready.parent
    all_sent = tmp_path / "all-sent"
    consumers = [run(CONSUMER, folder, all_sent) for _ in range(2)]
    producers = [run(PRODUCER, folder, first, 300) for first in (0, 1000, 2000)]
    assert [producer.wait(timeout=60) for producer in producers] == [0, 0, 0]
    all_sent.touch()

    outputs = [consumer.communicate(timeout=60)[0] for consumer in consumers]

    assert [consumer.returncode for consumer in consumers] == [0, 0]
    numbers = sorted(int(line) for output in outputs for line in output.split())
    assert numbers == [*range(300), *range(1000, 1300), *range(2000, 2300)]


# --- Through kombu -----------------------------------------------------------------------
@pytest.fixture
def connection(tmp_path):
    with Connection(
        f"{broker.URL_SCHEME}://", transport_options={"folder": str(tmp_path)}
    ) as connection:
        yield connection


queue = Queue(QUEUE, Exchange(QUEUE), routing_key=QUEUE)


def receive(connection: Connection, *, answer: str) -> list[int]:
    got: list[int] = []

    def note(body: dict[str, int], message: object) -> None:
        got.append(body["number"])
        if answer == "ack":
            message.ack()
        elif answer == "requeue":
            message.requeue()
        elif answer == "reject":
            message.reject()

    with Consumer(connection.channel(), [queue], callbacks=[note]):
        connection.drain_events(timeout=2)
    return got


def send(connection: Connection, number: int) -> None:
    connection.Producer().publish(
        {"number": number}, exchange=queue.exchange, routing_key=QUEUE, declare=[queue]
    )


def taken_files(folder: Path) -> list[Path]:
    return list((folder / "taken").glob("*/*/*"))


@pytest.mark.parametrize(
    ("answer", "left"), [("ack", 0), ("reject", 0), ("requeue", 1)]
)
def test_the_answer_of_the_consumer_decides_what_is_left(
    connection, tmp_path, answer, left
):
    send(connection, 7)

    assert receive(connection, answer=answer) == [7]

    assert taken_files(tmp_path) == []
    assert Store(tmp_path).count(QUEUE) == left


def test_what_was_not_acknowledged_returns_when_the_connection_closes(
    connection, tmp_path
):
    send(connection, 7)
    assert receive(connection, answer="") == [7]
    assert len(taken_files(tmp_path)) == 1

    connection.release()

    assert taken_files(tmp_path) == []
    assert Store(tmp_path).count(QUEUE) == 1


def test_queues_read_without_acknowledgement_leave_no_file(connection, tmp_path):
    send(connection, 7)
    channel = connection.channel()

    assert channel.basic_get(QUEUE, no_ack=True).payload == {"number": 7}

    assert taken_files(tmp_path) == []


def test_purge_removes_what_waits(connection, tmp_path):
    send(connection, 1)
    send(connection, 2)

    assert queue(connection.channel()).purge() == 2
    assert Store(tmp_path).count(QUEUE) == 0


def test_a_consumer_brings_back_what_a_dead_one_left(connection, tmp_path):
    send(connection, 7)
    body = json.loads(next((tmp_path / "ready").glob("*/*")).read_text())
    dead = tmp_path / "taken" / "1-dead"
    (dead / broker.folder_name(QUEUE)).mkdir(parents=True)
    (tmp_path / "taken" / "1-dead.lock").touch()
    (dead / broker.folder_name(QUEUE) / "0001").write_text(json.dumps(body))
    Store(tmp_path).purge(QUEUE)

    assert receive(connection, answer="ack") == [7]


def test_a_folder_that_cannot_be_made_is_an_error_of_the_connection(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises((OperationalError, OSError)),
        Connection(
            f"{broker.URL_SCHEME}://",
            transport_options={"folder": str(tmp_path / "file")},
        ) as connection,
    ):
        connection.channel()
