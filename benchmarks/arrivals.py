"""Sends prepared messages at random moments of a fixed rate; a process of its own.

    python -m benchmarks.arrivals PORT PATH RATE FILE

FILE as for `benchmarks.hammer`. Arrivals do not wait for answers (an open loop, Poisson): each
takes a free connection or a new one, and its milliseconds count from the moment it was due.
Prints one JSON object as the hammer does.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.hammer import write_request

LATE_SECONDS = 60


def main() -> None:
    port, path, rate, file = sys.argv[1:]
    lines = Path(file).read_text().splitlines()
    requests = [write_request(int(port), path, json.loads(line)) for line in lines]
    found = asyncio.run(Arrivals(int(port), requests).run(float(rate)))
    sys.stdout.write(json.dumps(found))


class Arrivals:
    """Requests on their way, over as many connections as it takes."""

    def __init__(self, port: int, requests: list[bytes]) -> None:
        self.port = port
        self.requests = requests
        self.free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.milliseconds: list[float] = []
        self.answers: Counter[str] = Counter()

    async def run(self, rate: float) -> dict[str, object]:
        for _ in range(16):
            self.free.append(await asyncio.open_connection("127.0.0.1", self.port))
        rng = random.Random(1)
        started = due = time.perf_counter()
        tasks = []
        for request in self.requests:
            due += rng.expovariate(rate)
            pause = due - time.perf_counter()
            if pause > 0:
                await asyncio.sleep(pause)
            tasks.append(asyncio.create_task(self.send(request, due)))
        await asyncio.wait_for(asyncio.gather(*tasks), LATE_SECONDS)
        return {
            "seconds": time.perf_counter() - started,
            "milliseconds": self.milliseconds,
            "answers": self.answers,
        }

    async def send(self, request: bytes, due: float) -> None:
        line = (
            self.free.pop()
            if self.free
            else await asyncio.open_connection("127.0.0.1", self.port)
        )
        reader, writer = line
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
        body = await reader.readexactly(length)
        self.milliseconds.append((time.perf_counter() - due) * 1000)
        self.free.append(line)
        self.answers[f"{head.split()[1]} {body[:12].decode(errors='replace')}"] += 1


if __name__ == "__main__":
    main()
