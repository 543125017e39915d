"""Payment notifications: verified, stored and answered, with the broker up, gone and silent.

    DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres REDIS_URL=redis://127.0.0.1:6379/9 \\
        python -m benchmarks.notifications

Makes a database and a folder of its own, starts the portal's web server as `manage.py serve`
does (granian, a process for each core), and posts notifications, genuinely signed by the
sandbox's keys, from another process, in turns with a view that does nothing. No worker runs:
only the endpoint is measured. Removes everything at the end.
"""

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError

from benchmarks.notices import NAME_OF_NUMBER, Message, Notices, play_gateways
from benchmarks.pages import backend_cpu_ms, own_database

ROUNDS = int(os.environ.get("ROUNDS", "5"))
# Of one turn: two seconds at what is promised.
COUNT = int(os.environ.get("COUNT", "400"))
CONNECTIONS = 8
DATABASE = "portal_benchmark_notifications"
PATH = "/orders/notify/{}/"
START_SECONDS = 60


def main() -> None:
    server = os.environ.get(
        "DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"
    )
    base, _, maintenance = server.rpartition("/")
    os.environ["DATABASE_URL"] = f"{base}/{DATABASE}"
    os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379/9")
    os.environ["BENCHMARK_BROKER"] = os.environ["REDIS_URL"]
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.served"
    with ExitStack() as stack:
        stack.enter_context(own_database(f"{base}/{maintenance}", DATABASE))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["PORTAL_VAR"] = str(folder)
        measure(folder)


def measure(folder: Path) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    with ExitStack() as stack:
        notices = Notices(stack.enter_context(play_gateways()))
        bare = measure_bare(notices)
        turns = make_turns(notices)
        connections.close_all()
        servers = {
            broker: stack.enter_context(serve(url))
            for broker, url in brokers(stack).items()
        }
        for turn in turns:
            post(servers[turn.broker], turn, turn.messages(100), folder, keep=False)
        for _ in range(ROUNDS):
            for turn in turns:
                post(servers[turn.broker], turn, turn.messages(COUNT), folder)
    report(turns, bare)


# --- What is posted ----------------------------------------------------------------------


@dataclass
class Turn:
    """One thing that is posted, in turns with the others."""

    name: str
    path: str
    broker: str
    messages: Callable[[int], list[Message]]
    answer: str
    seconds: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    web_ms: list[float] = field(default_factory=list)
    database_ms: list[float] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        return [COUNT / seconds for seconds in self.seconds]


def make_turns(notices: Notices) -> list[Turn]:
    from orders.payments.registry import get_gateway

    def answer(code: str, *, accepted: bool = True) -> str:
        said = get_gateway(code).acknowledge(accepted=accepted)
        return f"{said.status} {said.body[:16].decode()}".strip()

    alipay, done = notices.fresh("alipay"), answer("alipay")
    path = PATH.format("alipay")
    return [
        Turn("no-op view", "/nothing/", "up", notices.repeated, "200 success"),
        Turn("Alipay", path, "up", alipay, done),
        Turn("the same one again", path, "up", notices.repeated, done),
        Turn(
            *("forged", path, "up", notices.forged),
            answer("alipay", accepted=False),
        ),
        *(
            Turn(
                *(name, PATH.format(code), "up", notices.fresh(code)),
                answer(code),
            )
            for name, code in (("WeChat Pay", "wechat"), ("UnionPay", "unionpay"))
        ),
        Turn("Alipay, broker refusing", path, "gone", alipay, done),
        Turn("Alipay, broker silent", path, "silent", alipay, done),
    ]


# --- The server --------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    port: int
    pid: int


def brokers(stack: ExitStack) -> dict[str, str]:
    """The real one; a port where nobody listens; one that takes calls and never answers."""
    gone = stack.enter_context(socket.socket())
    gone.bind(("127.0.0.1", 0))
    silent = stack.enter_context(socket.socket())
    silent.bind(("127.0.0.1", 0))
    silent.listen(4096)
    return {
        "up": os.environ["REDIS_URL"],
        "gone": f"redis://127.0.0.1:{gone.getsockname()[1]}/0",
        "silent": f"redis://127.0.0.1:{silent.getsockname()[1]}/0",
    }


@contextmanager
def serve(
    broker: str, *, processes: int | None = None, **more: str
) -> Iterator[Server]:
    """The portal's web server as `manage.py serve` starts it, at a port of its own.

    `processes`: as many as on the database of this process unless told otherwise. `more` goes
    into its environment.
    """
    from portal.management.commands.serve import (
        find_free_port,
        web_command,
        web_processes,
    )

    port = find_free_port()
    environment = {**os.environ, "BENCHMARK_BROKER": broker, **more}
    process = subprocess.Popen(
        web_command("127.0.0.1", port, processes or web_processes()),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(port)
        yield Server(port, process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the server did not start")


def post(
    server: Server,
    turn: Turn,
    messages: Sequence[Message],
    folder: Path,
    *,
    keep: bool = True,
) -> None:
    """Post messages from a process of its own and note what they cost."""
    file = folder / "messages"
    file.write_text("\n".join(json.dumps(each) for each in messages))
    command = [sys.executable, "-m", "benchmarks.hammer"]
    arguments = [str(server.port), turn.path, str(CONNECTIONS), str(file)]
    web, database = web_cpu_ms(server.pid), database_cpu_ms()
    done = subprocess.run(command + arguments, check=True, capture_output=True)
    web, database = web_cpu_ms(server.pid) - web, database_cpu_ms() - database
    found = json.loads(done.stdout)
    if found["answers"] != {turn.answer: len(messages)}:
        raise RuntimeError(f"{turn.name}: {found['answers']}")
    if keep:
        turn.seconds.append(found["seconds"])
        turn.milliseconds += found["milliseconds"]
        turn.web_ms.append(web / len(messages))
        turn.database_ms.append(database / len(messages))


def web_cpu_ms(pid: int) -> float:
    """CPU of the server and its processes so far."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return process_cpu_ms(pid) + sum(process_cpu_ms(int(child)) for child in children)


def process_cpu_ms(pid: int) -> float:
    """CPU of all threads; `schedstat` of a process counts its first thread only."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(
        int((thread / "schedstat").read_text().split()[0]) / 1e6 for thread in threads
    )


def database_cpu_ms() -> float:
    """CPU of the database's processes that serve this benchmark so far."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        )
        pids = [row[0] for row in cursor.fetchall()]
    return sum(backend_cpu_ms(pid) for pid in pids)


# --- Bare verification, and the report ---------------------------------------------------


def measure_bare(notices: Notices) -> dict[str, float]:
    """Milliseconds of one RSA signature's check alone, and of reading a notification of each
    gateway."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    from orders.payments.protocol import Inbound
    from orders.payments.registry import get_gateway
    from portal.sandbox.keys import make_private_key

    key, text = make_private_key(), b"x" * 1500
    raw = key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    public = key.public_key()
    times = {
        "RSA": time_of(
            lambda: public.verify(raw, text, padding.PKCS1v15(), hashes.SHA256())
        )
    }
    for code in NAME_OF_NUMBER:
        message = notices.sign(code, "R" + "1" * 19)
        headers = {name.lower(): text for name, text in message["headers"].items()}
        inbound = Inbound(
            headers, message["body"].encode(), message["headers"]["Content-Type"]
        )
        gateway = get_gateway(code)
        times[code] = time_of(lambda g=gateway, i=inbound: g.parse_notification(i))
    return times


def time_of(work: Callable[[], object]) -> float:
    """CPU milliseconds of one call: the least of five rounds."""
    rounds = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(200):
            work()
        rounds.append((time.process_time() - started) * 1000 / 200)
    return min(rounds)


def report(turns: list[Turn], bare: dict[str, float]) -> None:
    write = sys.stdout.write
    write(
        "| what is posted | a second | min–max | × no-op | web CPU ms | database CPU ms "
        "| × no-op | answer ms, median / 99 % / longest |\n"
    )
    write("| --- | --- | --- | --- | --- | --- | --- | --- |\n")
    floor = turns[0]
    for turn in turns:
        rate, web = statistics.median(turn.rates), statistics.median(turn.web_ms)
        times = statistics.quantiles(turn.milliseconds, n=100)
        write(
            f"| {turn.name} | {rate:.0f} | {min(turn.rates):.0f}–{max(turn.rates):.0f} "
            f"| {rate / statistics.median(floor.rates):.2f} "
            f"| {web:.2f} | {statistics.median(turn.database_ms):.2f} "
            f"| {web / statistics.median(floor.web_ms):.1f} "
            f"| {times[49]:.0f} / {times[98]:.0f} / {max(turn.milliseconds):.0f} |\n"
        )
    write(f"\nRSA verification alone {bare['RSA']:.3f} ms; reading a notification: ")
    write(
        ", ".join(
            f"{code} {ms:.2f} ms (× {ms / bare['RSA']:.0f})"
            for code, ms in bare.items()
            if code != "RSA"
        )
    )
    write(".\n")


if __name__ == "__main__":
    main()
