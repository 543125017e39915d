import pytest

from portal.lib.addresses import client_address

FORWARDED = "HTTP_X_FORWARDED_FOR"


@pytest.mark.parametrize(
    ("meta", "proxies", "address"),
    [
        ({"REMOTE_ADDR": "203.0.113.5"}, 0, "203.0.113.5"),
        # Without proxies of ours the header is the client's own claim.
        ({"REMOTE_ADDR": "203.0.113.5", FORWARDED: "1.2.3.4"}, 0, "203.0.113.5"),
        ({"REMOTE_ADDR": "10.0.0.1", FORWARDED: "203.0.113.5"}, 1, "203.0.113.5"),
        (
            {"REMOTE_ADDR": "10.0.0.1", FORWARDED: "1.2.3.4, 203.0.113.5"},
            1,
            "203.0.113.5",
        ),
        (
            {"REMOTE_ADDR": "10.0.0.1", FORWARDED: "203.0.113.5, 10.0.0.2"},
            2,
            "203.0.113.5",
        ),
        # A request that came past the proxies.
        ({"REMOTE_ADDR": "203.0.113.5"}, 1, "203.0.113.5"),
        ({"REMOTE_ADDR": "::1"}, 0, "::1"),
        ({"REMOTE_ADDR": ""}, 0, ""),
        ({"REMOTE_ADDR": "10.0.0.1", FORWARDED: "unknown"}, 1, ""),
        ({}, 0, ""),
    ],
)
def test_only_our_own_proxies_are_believed(
    meta: dict[str, str], proxies: int, address: str
) -> None:
    assert client_address(meta, trusted_proxies=proxies) == address
