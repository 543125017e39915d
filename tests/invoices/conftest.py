import pytest

from tests.invoices.providers import FakeProvider


@pytest.fixture
def provider(monkeypatch) -> FakeProvider:
    """A provider under the test's control in the place of the configured one."""
    fake = FakeProvider()
    monkeypatch.setattr("invoices.services.issuing.load_provider", lambda path: fake)
    return fake
