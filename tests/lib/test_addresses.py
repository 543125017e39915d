import pytest

from portal.lib.addresses import client_address, is_within

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


@pytest.mark.parametrize(
    ("address", "networks", "is_inside"),
    [
        ("10.1.2.3", ["10.1.0.0/16"], True),
        ("10.2.2.3", ["10.1.0.0/16"], False),
        ("10.2.2.3", ["10.1.0.0/16", " 10.2.2.3 "], True),
        ("::ffff:10.1.2.3", ["10.1.0.0/16"], True),
        ("2001:db8::1", ["2001:db8::/32"], True),
        ("2001:db8::1", ["10.1.0.0/16"], False),
        ("", ["0.0.0.0/0"], False),
        ("10.1.2.3", [], False),
    ],
)
def test_addresses_within_networks(address, networks, is_inside):
    assert is_within(address, networks) == is_inside


def test_what_is_no_network_is_refused():
    with pytest.raises(ValueError, match="office"):
        is_within("10.1.2.3", ["office"])
