import pytest

from portal.lib.masks import holds_number, mask_address, mask_digits
from tests.factories.accounts import make_id_number, make_phone

NUMBER, PHONE = make_id_number(7), make_phone(7)


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


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("张三", "张三"),
        ("张三1", "张三1"),
        ("11010519491231002X", "*****************X"),
        ("张三 1990 0000 001", "张三 **** **** ***"),
        ("１９９００", "*****"),
        ("", ""),
    ],
)
def test_a_number_in_the_place_of_a_text_is_stars(text, masked):
    assert mask_digits(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        f"证件{NUMBER}重复",
        f"应为{NUMBER.lower()}。",
        f"来电{PHONE[:3]} {PHONE[3:7]} {PHONE[7:]}",
        f"{PHONE[:3]}-{PHONE[3:7]}-{PHONE[7:]}",
        f"+86{PHONE}",
        "１９９０００００００７",
        f"{NUMBER[:6]} {NUMBER[6:14]} {NUMBER[14:]}",
        "500103000101001",
        "永居证CHN110190001019",
    ],
)
def test_whole_numbers_are_seen_in_free_text(text):
    assert holds_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "核对学员来电反映的证件号码问题",
        "尾号0007，2026-06-15 10:30来电",
        "2026-06-15 至 2026-12-31",
        "电话 023-67000000",
        "支付单 2026061522001400000000000001",
    ],
)
def test_dates_and_other_figures_are_no_numbers_of_people(text):
    assert not holds_number(text)
