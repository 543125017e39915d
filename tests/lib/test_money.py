import pytest

from portal.lib.money import format_yuan, parse_yuan


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (1, "0.01"), (3300, "33.00"), (9000005, "90000.05"), (-150, "-1.50")],
)
def test_yuan_has_two_decimals(fen: int, text: str) -> None:
    assert format_yuan(fen) == text


@pytest.mark.parametrize(
    ("text", "fen"),
    [("0", 0), ("0.01", 1), ("33", 3300), ("33.0", 3300), ("33.00", 3300)],
)
def test_yuan_is_read_exactly(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1.005", "1.", ".5", "01", "+1", "-1", "1e3", "1,000", "٣", "１", "nan"],
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_yuan(text)
