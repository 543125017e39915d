"""C1 of the domain standards: DOM-01 to DOM-08."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portal.lib.identity import (
    CHECK_CHARACTERS,
    Defect,
    Doubt,
    Kind,
    PersonNumberError,
    check_character,
    normalise_person_number,
    parse_person_number,
)

TODAY = date(2026, 6, 15)
STANDARD_EXAMPLE = "11010519491231002X"


def parse(text):
    return parse_person_number(text, today=TODAY)


def defect_of(text):
    with pytest.raises(PersonNumberError) as refused:
        parse(text)
    return refused.value.defect


def test_dom_01_example_of_the_standard():
    number = parse(STANDARD_EXAMPLE)

    assert number.number == STANDARD_EXAMPLE
    assert number.kind is Kind.RESIDENT
    assert number.birth_date == date(1949, 12, 31)
    assert number.is_male is False
    assert number.doubts == ()


def test_dom_02_second_example_has_a_right_check_digit_but_is_too_old():
    assert check_character("44052418800101001") == "4"
    assert defect_of("440524188001010014") == Defect.BIRTH_YEAR


@pytest.mark.parametrize(
    "number",
    [
        "500105199003074512",
        "500225198506120038",
        "51022519850612003X",
        "510232197801010027",
    ],
)
def test_dom_03_codes_that_were_merged_or_belonged_to_sichuan(number):
    assert parse(number).number == number
    assert parse(number).doubts == ()


@pytest.mark.parametrize(
    ("number", "defect"),
    [
        ("500105199003074511", Defect.CHECKSUM),
        ("500105199902300018", Defect.BIRTH_DATE),
        ("500112202701010012", Defect.FUTURE),
        ("1101054912310 02", Defect.FORMAT),
        ("110105491231002", Defect.FIRST_GENERATION),
        ("", Defect.EMPTY),
        ("  ", Defect.EMPTY),
        ("11010519491231002", Defect.FORMAT),
        ("1101051949123100XX", Defect.FORMAT),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", Defect.FORMAT),
        ("990105199003074512", Defect.CHECKSUM),
        ("160105199003074510", Defect.REGION),
    ],
)
def test_dom_04_refused_with_the_reason(number, defect):
    assert defect_of(number) == defect


def test_dom_04_words_for_numbers_of_the_first_generation():
    with pytest.raises(PersonNumberError, match="15位旧号码不再受理"):
        parse("110105491231002")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("810000199408230021", Kind.HONG_KONG),
        ("820000199408230023", Kind.MACAU),
        ("830000199201300022", Kind.TAIWAN),
        ("931101199001010019", Kind.FOREIGN),
        ("USA110090010112", Kind.FOREIGN),
    ],
)
def test_dom_05_residence_permits_and_cards(number, kind):
    assert parse(number).kind is kind


def test_dom_05_older_residence_card_says_nothing_of_birth_and_gender():
    number = parse("usa110090010112")

    assert number.number == "USA110090010112"
    assert (number.birth_date, number.is_male) == (None, None)
    assert number.agrees_with_gender("男")


def test_dom_06_unknown_county_is_a_warning_only():
    assert parse("500199199003074512").doubts == (Doubt.UNKNOWN_COUNTY,)
    assert parse("500199199003074512").warnings == (
        "证件号码前6位不是已知的区县代码，请再次核对。",
    )


def test_dom_06_liangjiang_district_is_known():
    assert Doubt.UNKNOWN_COUNTY not in parse("500157202601010018").doubts


@pytest.mark.parametrize(
    "text",
    [
        " 11010519491231002x ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "１１０１０５１９４９１２３１００２ｘ",
        "\u300011010519491231002X\u00a0",
        "\u202d11010519491231002X\u202c",
        "\ufeff11010519491231002X",
    ],
)
def test_dom_07_same_person_in_other_characters(text):
    assert parse(text).number == STANDARD_EXAMPLE


@pytest.mark.parametrize("text", ["1101 0519491231002X", "110105 19491231 002X"])
def test_dom_07_inner_blanks_are_reported_and_not_repaired(text):
    assert defect_of(text) == Defect.INNER_BLANK


@pytest.mark.parametrize(
    ("born", "doubts"),
    [
        (date(2010, 6, 15), ()),
        (date(2010, 6, 16), (Doubt.UNUSUAL_AGE,)),
        (date(1926, 6, 15), ()),
        (date(1925, 6, 15), (Doubt.UNUSUAL_AGE,)),
        (date(1900, 1, 1), (Doubt.UNUSUAL_AGE,)),
    ],
)
def test_age_outside_16_to_100_is_a_warning(born, doubts):
    first17 = f"500103{born:%Y%m%d}001"

    assert parse(first17 + check_character(first17)).doubts == doubts


def test_gender_of_digit_17_is_compared_with_a_list():
    woman, man = parse(STANDARD_EXAMPLE), parse("500105199003074512")

    assert woman.agrees_with_gender("女")
    assert not woman.agrees_with_gender("男")
    assert man.agrees_with_gender("男")
    assert not man.agrees_with_gender("女")


# --- DOM-08: MOD 11-2 finds every single change and every swap of neighbours --------------
DIGITS = st.text("0123456789", min_size=17, max_size=17)
VALID = st.builds(
    lambda county, born, order: f"50{county:04d}{born:%Y%m%d}{order:03d}",
    st.integers(0, 9999),
    st.dates(date(1900, 1, 1), TODAY),
    st.integers(0, 999),
).map(lambda first17: first17 + check_character(first17))


@given(VALID)
def test_dom_08_valid_numbers_pass(number):
    assert parse(number).number == number


@given(VALID, st.integers(0, 17), st.sampled_from(CHECK_CHARACTERS))
def test_dom_08_one_changed_character_is_refused(number, place, other):
    assume(number[place] != other)
    changed = number[:place] + other + number[place + 1 :]

    with pytest.raises(PersonNumberError):
        parse(changed)


@given(VALID, st.integers(0, 16))
def test_dom_08_two_swapped_neighbours_are_refused(number, place):
    assume(number[place] != number[place + 1])
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]

    with pytest.raises(PersonNumberError):
        parse(swapped)


@given(DIGITS)
def test_weighted_sum_with_the_check_character_is_one_modulo_eleven(first17):
    """ISO 7064 MOD 11-2, computed by powers of two instead of the table of weights."""
    number = first17 + check_character(first17)
    values = [10 if character == "X" else int(character) for character in number]

    total = sum(value * pow(2, 17 - place) for place, value in enumerate(values))

    assert total % 11 == 1


@given(st.text(max_size=40))
def test_any_text_is_either_read_or_refused(text):
    try:
        number = parse(text)
    except PersonNumberError:
        return
    assert normalise_person_number(number.number) == number.number
