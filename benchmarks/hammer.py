"""Posts prepared messages to a server as fast as it answers; a process of its own.

    python -m benchmarks.hammer PORT PATH CONNECTIONS FILE

FILE holds a message a line, `{"headers": {…}, "body": "…"}`. Prints one JSON object: seconds
for all, milliseconds of each answer, and how often each answer came. Keep-alive connections
over bare sockets: what posts shall cost as little as possible beside what answers.
"""

import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

TIMEOUT_SECONDS = 120


def main() -> None:
    port, path, connections, file = sys.argv[1:]
    lines = Path(file).read_text().splitlines()
    messages = [write_request(int(port), path, json.loads(line)) for line in lines]
    hammer = Hammer(int(port), messages)
    sys.stdout.write(json.dumps(hammer.run(int(connections))))


def write_request(port: int, path: str, message: dict[str, Any]) -> bytes:
    body = message["body"].encode()
    headers = {
        "Host": f"127.0.0.1:{port}",
        **message["headers"],
        "Content-Length": len(body),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


class Hammer:
    """Some threads, each with a connection, that take requests from one list."""

    def __init__(self, port: int, requests: list[bytes]) -> None:
        self.port = port
        self.waiting: Iterator[bytes] = iter(requests)
        self.milliseconds: list[float] = []
        self.answers: Counter[str] = Counter()

    def run(self, connections: int) -> dict[str, object]:
        barrier = Barrier(connections + 1)
        threads = [Thread(target=self.work, args=[barrier]) for _ in range(connections)]
        for thread in threads:
            thread.start()
        barrier.wait()
        started = time.perf_counter()
        for thread in threads:
            thread.join()
        return {
            "seconds": time.perf_counter() - started,
            "milliseconds": self.milliseconds,
            "answers": self.answers,
        }

    def work(self, barrier: Barrier) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.settimeout(TIMEOUT_SECONDS)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            barrier.wait()
            # `next` on a list's iterator is one step: no two threads get the same one.
            for request in self.waiting:
                started = time.perf_counter()
                line.sendall(request)
                answer = read_answer(line)
                self.milliseconds.append((time.perf_counter() - started) * 1000)
                self.answers[answer] += 1


def read_answer(line: socket.socket) -> str:
    """The status and the body of one answer, such as `200 success`."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(line)
    head, _, body = data.partition(b"\r\n\r\n")
    fields = head.decode("latin-1").lower().split("\r\n")
    length = next(
        (
            int(field.partition(":")[2])
            for field in fields
            if field.startswith("content-length:")
        ),
        0,
    )
    while len(body) < length:
        body += receive(line)
    return f"{fields[0].split()[1]} {body[:16].decode(errors='replace')}".strip()


def receive(line: socket.socket) -> bytes:
    data = line.recv(65536)
    if not data:
        raise ConnectionError("the server has hung up")
    return data


if __name__ == "__main__":
    main()
