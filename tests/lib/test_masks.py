import pytest

from portal.lib.masks import mask_address


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("203.0.113.77", "203.0.113.*"),
        ("2001:db8:1:2::5", "2001:0db8:0001:*"),
        ("::1", "0000:0000:0000:*"),
        ("", ""),
    ],
)
def test_addresses_show_the_network(address, masked):
    assert mask_address(address) == masked
