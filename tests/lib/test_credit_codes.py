"""C5 of the domain standards: DOM-14."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portal.lib.credit_codes import (
    ALPHABET,
    CreditCodeError,
    check_character,
    is_old_taxpayer_number,
    parse_credit_code,
)

TAX_BUREAU_EXAMPLE = "91110000600037341L"


def complete(first17):
    return first17 + check_character(first17)


@pytest.mark.parametrize(
    "text",
    [
        "9111 0000 6000 37341L",
        "91110000600037341l",
        " 91110000600037341L ",
        "９１１１００００６０００３７３４１Ｌ",
        "9111-0000-6000-37341L",
    ],
)
def test_dom_14_spellings_of_one_code(text):
    found = parse_credit_code(text)

    assert found.code == TAX_BUREAU_EXAMPLE
    assert found.kind == "企业"
    assert found.is_enterprise


@pytest.mark.parametrize(
    ("first17", "kind"),
    [
        ("N2500103MA5U00001", "农业部门登记的机构"),
        ("A1500103MA5U00002", "军队单位"),
        ("Y1500103MA5U00003", "其他机构"),
        ("12500103MB0000004", "事业单位"),
        ("11500103MB0000005", "机关"),
        ("52500103MJ0000006", "民办非企业单位"),
    ],
)
def test_dom_14_other_registrars(first17, kind):
    found = parse_credit_code(complete(first17))

    assert found.kind == kind
    assert not found.is_enterprise


@pytest.mark.parametrize("letter", "IOZSV")
def test_letters_that_the_standard_leaves_out(letter):
    with pytest.raises(CreditCodeError, match="不含I、O、Z、S、V"):
        parse_credit_code(f"9111000060003734{letter}L")


CODES = st.builds(
    lambda kind, region, rest: complete(f"{kind}{region:06d}{rest}"),
    st.sampled_from(["91", "12", "N2", "A1", "Y1"]),
    st.integers(0, 999999),
    st.text(ALPHABET, min_size=9, max_size=9),
)


@given(CODES)
def test_complete_codes_pass(code):
    assert parse_credit_code(code).code == code


@given(CODES, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_dom_14_one_wrong_character_is_refused(code, place, other):
    assume(code[place] != other)

    with pytest.raises(CreditCodeError):
        parse_credit_code(code[:place] + other + code[place + 1 :])


@pytest.mark.parametrize(
    ("text", "is_old"),
    [
        ("500103123456789", True),
        ("50010319000101001", True),
        ("50010319000101001X01", True),
        (TAX_BUREAU_EXAMPLE, False),
        ("5001031234567890", False),
        ("", False),
    ],
)
def test_dom_14_old_taxpayer_numbers_by_length(text, is_old):
    assert is_old_taxpayer_number(text) is is_old
