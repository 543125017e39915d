"""Runs the simulated payment gateways and WeChat service account on loopback."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.sandbox import SandboxError, SandboxServer
from portal.sandbox.accounts import read_config, refuse_real_accounts
from portal.sandbox.server import DEFAULT_FACTOR


class Command(BaseCommand):
    help = "模拟支付网关与微信服务号（仅限本机演示与测试）"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=settings.SANDBOX_PORT)
        parser.add_argument(
            "--factor",
            type=float,
            default=DEFAULT_FACTOR,
            help="scale of the vendors' retry steps; 1 is real life",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            refuse_real_accounts(settings)
            config = read_config(settings, notice_factor=options["factor"])
            server = SandboxServer(config, host=options["host"], port=options["port"])
        except (SandboxError, OSError) as error:
            raise CommandError(f"the sandbox cannot start: {error}") from error
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: server.stop())
        self.stdout.write(f"模拟网关已启动：{server.url}")
        server.serve_forever()
