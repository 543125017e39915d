"""Keeps the programs of one portal running side by side and ends them together.

Every program leads a process group of its own: Ctrl-C in the terminal reaches the supervisor
alone, which then ends the programs in an orderly way, and whatever a program leaves behind
can be found by its group.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.2
# How long a program may take to end by itself. A worker finishes the task at hand; what does
# not finish is found again by the sweeps.
GRACE_SECONDS = 15.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# A program that lived this long starts without a pause when it dies.
STEADY_SECONDS = 60.0

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the supervisor is gone without a word (kill -9)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(frozen=True)
class Program:
    """A command to keep running and the name it has for people."""

    title: str
    command: Sequence[str]
    folder: Path


class Child:
    """One program with the process that runs it now, if any."""

    def __init__(self, program: Program, environment: Mapping[str, str]) -> None:
        self.program = program
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause = FIRST_PAUSE_SECONDS
        self._due_at = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self.program.command,
            cwd=self.program.folder,
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            # Safe here: the supervisor has a single thread.
            preexec_fn=end_with_parent,  # noqa: PLW1509
        )
        self._started_at = time.monotonic()

    def is_due(self) -> bool:
        """Is there no process, and is the pause over?"""
        return self._process is None and time.monotonic() >= self._due_at

    def note_death(self) -> tuple[int, float] | None:
        """Return exit status and the pause in seconds if the process has died, else None."""
        if self._process is None or self._process.poll() is None:
            return None
        status = self._process.returncode
        self._kill_group()
        self._process = None
        now = time.monotonic()
        if now - self._started_at >= STEADY_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS
        pause = self._pause
        self._due_at = now + pause
        self._pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return status, pause

    def ask_to_end(self) -> None:
        """Send SIGTERM to the leader alone: a worker ends its own children when they are done."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """End the process and everything it started, now."""
        if self._process is not None:
            self._kill_group()
            self._process.wait()
            self._process = None

    def _kill_group(self) -> None:
        # OSError: the group is gone (or, on macOS, only its dead leader is left).
        if self._process is not None:
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)


class Supervisor:
    """Starts programs, restarts what dies, and ends all of them on request."""

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self.children = [Child(program, environment) for program in programs]
        self._say = say
        self._grace_seconds = grace_seconds
        self._requests_to_end = 0

    def request_end(self, *_signal: object) -> None:
        """End soon; at the second time, now. Fit to be a signal handler."""
        self._requests_to_end += 1

    def start(self) -> None:
        for child in self.children:
            child.start()

    def run(self, *, while_starting: Callable[[], bool]) -> None:
        """Watch over the programs until the end is requested, then end them.

        `while_starting` is called between two looks until it returns True.
        """
        started = False
        try:
            while not self._requests_to_end:
                self._look_after_children()
                started = started or while_starting()
                time.sleep(POLL_SECONDS)
        finally:
            self.end()

    def end(self) -> None:
        """End every program; those that do not within the grace time are killed."""
        for child in self.children:
            child.ask_to_end()
        deadline = time.monotonic() + self._grace_seconds
        while time.monotonic() < deadline and self._requests_to_end < 2:
            if all(child.has_ended() for child in self.children):
                break
            time.sleep(POLL_SECONDS / 4)
        for child in self.children:
            child.kill()

    def _look_after_children(self) -> None:
        for child in self.children:
            death = child.note_death()
            if death is not None:
                status, pause = death
                self._say(
                    f"{child.program.title}意外退出（{describe(status)}），"
                    f"{pause:.0f} 秒后重新启动。"
                )
            elif child.is_due():
                child.start()


def describe(status: int) -> str:
    """Return an exit status in words: a signal by its name, else the number."""
    if status < 0:
        return f"信号 {signal.Signals(-status).name}"
    return f"退出码 {status}"
