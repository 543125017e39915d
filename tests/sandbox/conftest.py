"""Fixtures of the simulators' tests."""

import threading
from collections.abc import Iterator

import pytest

from tests.sandbox.merchant import Merchant


@pytest.fixture
def merchant() -> Iterator[Merchant]:
    merchant = Merchant()
    threading.Thread(target=merchant.server.serve_forever, daemon=True).start()
    yield merchant
    merchant.server.shutdown()
    merchant.server.server_close()
