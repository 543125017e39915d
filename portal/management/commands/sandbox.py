"""Runs the simulated payment gateway and WeChat service account on loopback."""

import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.sandbox import SandboxConfig, SandboxError, SandboxServer
from portal.sandbox.alipay import AlipayAccount
from portal.sandbox.server import DEFAULT_FACTOR, is_loopback
from portal.sandbox.wechat import WeChatAccount


def refuse_real_accounts() -> None:
    """Raise `CommandError` where real money could be near."""
    if settings.PRODUCTION or not settings.SANDBOX:
        raise CommandError("the sandbox does not run in production")
    if not is_loopback(urlsplit(settings.ALIPAY["gateway"]).hostname or ""):
        raise CommandError("ALIPAY_GATEWAY is a real gateway: no sandbox beside it")
    for name in ("app_private_key_file", "alipay_public_key_file"):
        if not Path(settings.ALIPAY[name]).is_relative_to(settings.SANDBOX_DIR):
            raise CommandError(
                "the keys configured for Alipay are not the sandbox's own"
            )


class Command(BaseCommand):
    help = "模拟支付宝网关与微信服务号（仅限本机演示与测试）"
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
        refuse_real_accounts()
        alipay, wechat = settings.ALIPAY, settings.WECHAT
        config = SandboxConfig(
            folder=Path(settings.SANDBOX_DIR),
            alipay=AlipayAccount(alipay["app_id"], alipay["seller_id"]),
            wechat=WeChatAccount(wechat["app_id"], wechat["app_secret"]),
            notice_factor=options["factor"],
        )
        try:
            server = SandboxServer(config, host=options["host"], port=options["port"])
        except (SandboxError, OSError) as error:
            raise CommandError(f"the sandbox cannot start: {error}") from error
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: server.stop())
        self.stdout.write(f"模拟网关已启动：{server.url}")
        server.serve_forever()
