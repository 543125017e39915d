import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.supervisor import Program, Supervisor, describe

# A program with a child of its own; both note their process ids and wait.
FAMILY = """
import os, subprocess, sys, time
folder = sys.argv[1]
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open(f"{folder}/child-{child.pid}", "w").close()
open(f"{folder}/parent-{os.getpid()}", "w").close()
time.sleep(60)
"""
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(f"{sys.argv[1]}/parent-{os.getpid()}", "w").close()
time.sleep(60)
"""
WAITING = """
import os, sys, time
open(f"{sys.argv[1]}/parent-{os.getpid()}", "w").close()
time.sleep(60)
"""
SUPERVISOR = """
import sys
from pathlib import Path
from portal.supervisor import Program, Supervisor
program = Program("程序", [sys.executable, "-c", sys.argv[2], sys.argv[1]], Path.cwd())
supervisor = Supervisor([program], environment={}, say=lambda text: None)
supervisor.start()
supervisor.run(while_starting=lambda: False)
"""
PROJECT = Path(__file__).resolve().parent.parent.parent
# Long for a machine that has other things to do, short beside the programs' own minute.
WAIT_SECONDS = 15


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def noted_pids(folder: Path, who: str) -> list[int]:
    return sorted(int(file.name.partition("-")[2]) for file in folder.glob(f"{who}-*"))


def is_alive(pid: int) -> bool:
    """A zombie, whose parent has not asked for its status yet, does not live."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def make_supervisor(source: str, folder: Path, **options: float) -> Supervisor:
    program = Program("程序", [sys.executable, "-c", source, str(folder)], folder)
    said: list[str] = []
    supervisor = Supervisor([program], environment={}, say=said.append, **options)
    supervisor.said = said  # type: ignore[attr-defined]
    return supervisor


def test_the_end_takes_children_of_children_along(tmp_path):
    supervisor = make_supervisor(FAMILY, tmp_path)
    supervisor.start()
    wait_until(lambda: len(noted_pids(tmp_path, "parent")) == 1)
    pids = noted_pids(tmp_path, "parent") + noted_pids(tmp_path, "child")

    supervisor.end()

    assert len(pids) == 2
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_a_program_that_ignores_the_request_is_killed_after_the_grace(tmp_path):
    supervisor = make_supervisor(STUBBORN, tmp_path, grace_seconds=0.3)
    supervisor.start()
    wait_until(lambda: len(noted_pids(tmp_path, "parent")) == 1)

    started = time.monotonic()
    supervisor.end()

    assert not is_alive(noted_pids(tmp_path, "parent")[0])
    assert 0.3 <= time.monotonic() - started < WAIT_SECONDS


def test_the_second_request_does_not_wait_for_the_grace(tmp_path):
    supervisor = make_supervisor(STUBBORN, tmp_path, grace_seconds=4 * WAIT_SECONDS)
    supervisor.start()
    wait_until(lambda: len(noted_pids(tmp_path, "parent")) == 1)
    supervisor.request_end(signal.SIGINT, None)
    supervisor.request_end(signal.SIGINT, None)

    started = time.monotonic()
    supervisor.run(while_starting=lambda: True)

    assert time.monotonic() - started < WAIT_SECONDS
    assert not is_alive(noted_pids(tmp_path, "parent")[0])


def test_what_dies_is_started_again_and_said_so(tmp_path):
    supervisor = make_supervisor(FAMILY, tmp_path)
    supervisor.start()
    killed = False

    def kill_once_then_wait_for_the_next() -> bool:
        nonlocal killed
        parents = noted_pids(tmp_path, "parent")
        if parents and not killed:
            os.kill(parents[0], signal.SIGKILL)
            killed = True
        if len(parents) == 2:
            supervisor.request_end()
        return False

    supervisor.run(while_starting=kill_once_then_wait_for_the_next)

    assert supervisor.said == ["程序意外退出（信号 SIGKILL），1 秒后重新启动。"]
    pids = noted_pids(tmp_path, "parent") + noted_pids(tmp_path, "child")
    assert len(pids) == 4
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_the_pause_grows_while_a_program_keeps_dying(tmp_path):
    supervisor = make_supervisor("raise SystemExit(3)", tmp_path)
    supervisor.start()

    def three_deaths() -> bool:
        if len(supervisor.said) == 3:
            supervisor.request_end()
        return False

    supervisor.run(while_starting=three_deaths)

    assert supervisor.said == [
        "程序意外退出（退出码 3），1 秒后重新启动。",
        "程序意外退出（退出码 3），2 秒后重新启动。",
        "程序意外退出（退出码 3），4 秒后重新启动。",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help exists on Linux")
def test_a_supervisor_killed_without_a_word_leaves_no_program_behind(tmp_path):
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path), WAITING], cwd=PROJECT
    )
    wait_until(lambda: len(noted_pids(tmp_path, "parent")) == 1)

    supervisor.kill()
    supervisor.wait()

    wait_until(lambda: not is_alive(noted_pids(tmp_path, "parent")[0]))


def test_a_signal_is_called_by_its_name():
    assert describe(-signal.SIGTERM) == "信号 SIGTERM"
    assert describe(2) == "退出码 2"
