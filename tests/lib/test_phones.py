"""C2 of the domain standards: DOM-09."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib.phones import PhoneError, normalise_phone


@pytest.mark.parametrize(
    "text",
    [
        "13800138000",
        "+86 138-0013-8000",
        "0086 13800138000",
        "86-138 0013 8000",
        " 138 0013 8000 ",
        "１３８００１３８０００",
        "138–0013—8000",
        "\u202d13800138000\u202c",
        "(+86)13800138000",
    ],
)
def test_dom_09_spellings_of_one_number(text):
    assert normalise_phone(text) == "13800138000"


@pytest.mark.parametrize(
    "text",
    [
        "12800138000",
        "1380013800",
        "138001380000",
        "",
        "abc",
        "+85213800138",
        "١٣٨٠٠١٣٨٠٠٠",
    ],
)
def test_dom_09_refused(text):
    with pytest.raises(PhoneError, match="请填写11位手机号码"):
        normalise_phone(text)


@pytest.mark.parametrize("phone", ["17012345678", "17112345678", "19900000000"])
def test_virtual_operators_pass(phone):
    assert normalise_phone(phone) == phone


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(" -—\t\u00a0"))
def test_decoration_anywhere_changes_nothing(phone, mark):
    assert normalise_phone(mark.join(phone)) == phone
