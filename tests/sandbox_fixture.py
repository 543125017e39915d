"""The simulated gateways for tests: one server for the run, clean faults for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from orders.payments.registry import reset_gateways
from portal.sandbox import SandboxConfig, SandboxServer
from portal.sandbox.alipay import AlipayAccount
from portal.sandbox.wechat import WeChatAccount

# Alipay's first retry, four minutes, comes after a quarter of a second.
NOTICE_FACTOR = 1 / 1000
# Calls to a gateway that hangs give up after this time; one on a busy machine needs seconds.
TIMEOUT_SECONDS = 5


@pytest.fixture(scope="session")
def _sandbox_server() -> Iterator[SandboxServer]:
    alipay, wechat = django_settings.ALIPAY, django_settings.WECHAT
    config = SandboxConfig(
        folder=Path(django_settings.SANDBOX_DIR),
        alipay=AlipayAccount(alipay["app_id"], alipay["seller_id"]),
        wechat=WeChatAccount(wechat["app_id"], wechat["app_secret"]),
        notice_factor=NOTICE_FACTOR,
    )
    with SandboxServer(config) as server:
        yield server


@pytest.fixture
def sandbox(
    _sandbox_server: SandboxServer, settings: Settings
) -> Iterator[SandboxServer]:
    """The simulated gateways, with the portal's settings pointing at them."""
    url = _sandbox_server.url
    settings.ALIPAY = {
        **settings.ALIPAY,
        "gateway": f"{url}/gateway.do",
        "timeout_seconds": TIMEOUT_SECONDS,
    }
    settings.WECHAT = {**settings.WECHAT, "api_base": url, "oauth_base": url}
    reset_gateways()
    yield _sandbox_server
    _sandbox_server.alipay.faults.clear()
    _sandbox_server.alipay.requests.clear()
    reset_gateways()
