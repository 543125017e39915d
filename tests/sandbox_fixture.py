"""The simulated gateways for tests: one server for the run, clean faults for each test."""

from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from orders.payments.registry import reset_gateways
from portal.sandbox import SandboxServer
from portal.sandbox.accounts import read_config
from tests.kept_keys import keep_read_keys

# Alipay's first retry, four minutes, comes after a quarter of a second.
NOTICE_FACTOR = 1 / 1000
# Calls to a gateway that hangs give up after this time; one on a busy machine needs seconds.
TIMEOUT_SECONDS = 5


@pytest.fixture(scope="session")
def _sandbox_server() -> Iterator[SandboxServer]:
    keep_read_keys()
    config = read_config(django_settings, notice_factor=NOTICE_FACTOR)
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
    settings.WECHAT_PAY = {
        **settings.WECHAT_PAY,
        "gateway": url,
        "timeout_seconds": TIMEOUT_SECONDS,
    }
    settings.UNIONPAY = {
        **settings.UNIONPAY,
        "gateway": url,
        "file_url": f"{url}/unionpay/file",
        "timeout_seconds": TIMEOUT_SECONDS,
    }
    settings.WECHAT = {**settings.WECHAT, "api_base": url, "oauth_base": url}
    reset_gateways()
    yield _sandbox_server
    # What this test's portal has not accepted would go on being sent during the next ones.
    _sandbox_server.notifier.forget()
    for simulator in _sandbox_server.simulators.values():
        simulator.faults.clear()
        simulator.requests.clear()
    reset_gateways()
