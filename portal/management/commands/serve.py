"""`manage.py serve`: the whole portal on one machine, as script/server starts it."""

import errno
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from time import monotonic
from typing import IO, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from accounts.models import User
from portal import demo
from portal.supervisor import Program, Supervisor

DEFAULT_ADDRESS = "127.0.0.1:8000"
# Argon2 alone takes a fifth of a second of CPU; threads beyond a few only wait.
WEB_THREADS = 8
WORKER_PROCESSES = 2
START_SECONDS = 60


class Command(BaseCommand):
    help = (
        "Start web server, worker, beat and sandbox together; Ctrl-C stops all of them."
    )
    # Not all: reading every address of the portal would double the time of a start.
    requires_system_checks = (Tags.staticfiles,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", nargs="?", default=DEFAULT_ADDRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = parse_address(options["address"])
        refuse_busy_port(host, port)
        with lock_data(settings.VAR_DIR):
            environment = self.environment_for(host, port)
            try:
                self.prepare_data(environment)
            except KeyboardInterrupt:
                raise CommandError("已取消。") from None
            self.supervise(host, port, environment)

    def environment_for(self, host: str, port: int) -> dict[str, str]:
        """The programs' environment: ours, with the addresses they tell others."""
        reachable = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104
        sandbox_port = settings.SANDBOX_PORT
        if settings.SANDBOX and not is_free("127.0.0.1", sandbox_port):
            sandbox_port = find_free_port()
        return {
            "SITE_URL": f"http://{bracket(reachable)}:{port}",
            **os.environ,
            "SANDBOX_PORT": str(sandbox_port),
        }

    def prepare_data(self, environment: dict[str, str]) -> None:
        self.say("正在检查数据库……")
        call_command("migrate", verbosity=0)
        # Sample staff come last, so a first start that was cut short is taken up again.
        if settings.SANDBOX and not User.objects.filter(is_staff=True).exists():
            self.say("首次启动：正在准备示例数据与示例视频，约需一至两分钟……")
            done = subprocess.run(manage("demo"), env=environment, check=False)
            if done.returncode:
                raise CommandError("示例数据准备失败，请查看上面的日志后重试。")
        connections.close_all()

    def supervise(self, host: str, port: int, environment: dict[str, str]) -> None:
        supervisor = Supervisor(
            programs_for(host, port), environment=environment, say=self.say
        )
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, supervisor.request_end)
        site = environment["SITE_URL"]
        deadline = monotonic() + START_SECONDS

        def announce_when_ready() -> bool:
            if is_ready(host, port, urlsplit(site).netloc):
                self.announce(site)
                return True
            if monotonic() > deadline:
                self.say("启动时间过长，请查看上面的日志。")
                return True
            return False

        supervisor.start()
        supervisor.run(while_starting=announce_when_ready)
        self.say("已停止。")

    def announce(self, site: str) -> None:
        lines = [
            "",
            f"门户已启动：{site}/",
            f"工作人员入口：{site}/{settings.ADMIN_PATH}",
        ]
        if settings.MESSAGE_BOX:
            lines.append(f"演示短信收件箱：{site}/message-box/")
        if settings.SANDBOX:
            lines += ["", "示例账号："]
            lines += [
                f"  {role}　登录名 {login}　密码 {password}"
                for role, login, password in demo.LOGINS
            ]
        self.say("\n".join([*lines, "", "按 Ctrl-C 停止。"]))

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def parse_address(text: str) -> tuple[str, int]:
    """Read "HOST:PORT" or "PORT". Raises CommandError."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise CommandError(f"地址应写作 主机:端口，例如 {DEFAULT_ADDRESS}")
    return host.strip("[]") or DEFAULT_ADDRESS.partition(":")[0], int(port)


def bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def refuse_busy_port(host: str, port: int) -> None:
    """Raise CommandError when nobody can listen at `host` and `port`."""
    try:
        bind_once(host, port)
    except OSError as error:
        reason = {
            errno.EADDRINUSE: (
                f"端口 {port} 已被占用（门户可能已经启动）。"
                f"请先停止占用它的程序，或换一个端口：script/server {host}:{port + 1}"
            ),
            errno.EACCES: f"没有权限使用端口 {port}，请换用 1024 以上的端口。",
        }
        default = f"无法在 {host}:{port} 上提供服务：{error}"
        raise CommandError(reason.get(error.errno or 0, default)) from error


def is_free(host: str, port: int) -> bool:
    try:
        bind_once(host, port)
    except OSError:
        return False
    return True


def bind_once(host: str, port: int) -> int:
    """Listen for a moment and return the port; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        # As the web server does: a port in TIME_WAIT from the last run is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        return int(listener.getsockname()[1])


def find_free_port() -> int:
    return bind_once("127.0.0.1", 0)


def lock_data(folder: Path) -> IO[str]:
    """Hold `folder` for this supervisor until the file returned is closed.

    Two of them would run two beats and hand every sweep out twice. Raises CommandError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "serve.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise CommandError(
            f"数据目录 {folder} 正被另一个门户使用。"
            "请先停止它，或用环境变量 PORTAL_VAR 指定另一个目录。"
        ) from error
    return file


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def programs_for(host: str, port: int) -> list[Program]:
    """The programs of one portal; pages come before background work where cores are few."""
    background = {
        "后台任务": [
            *celery("worker", "--concurrency", str(WORKER_PROCESSES)),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        "定时任务": celery("beat"),
    }
    if settings.SANDBOX:
        background["支付与微信模拟网关"] = manage("sandbox")
    return [
        Program("网站", web_command(host, port, web_processes()), settings.BASE_DIR),
        *(
            Program(title, ["nice", "-n", "5", *command], settings.BASE_DIR)
            for title, command in background.items()
        ),
    ]


def web_processes() -> int:
    # SQLite has one writer, so one process serves it best (and warms up faster).
    return 1 if connection.vendor == "sqlite" else os.cpu_count() or 1


def web_command(host: str, port: int, processes: int) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi"),
        *("--host", host, "--port", str(port), "--log-level", "error"),
        *("--workers", str(processes), "--blocking-threads", str(WEB_THREADS)),
        "portal.wsgi:application",
    ]


def celery(*arguments: str) -> list[str]:
    # Celery warns of root at every start; whoever runs the portal as root knows it.
    quiet = ("-W", "ignore::Warning:celery.platforms")
    return [sys.executable, *quiet, "-m", "celery", "-q", "-A", "portal", *arguments]


def is_ready(host: str, port: int, site: str) -> bool:
    """Does `/readyz` answer 200? `site` is the host name that ALLOWED_HOSTS knows."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    web = http.client.HTTPConnection(reachable, port, timeout=5)
    try:
        web.request("GET", "/readyz", headers={"Host": site})
        return web.getresponse().status == 200
    except OSError:
        return False
    finally:
        web.close()
