import pytest

from portal.lib.number_formats import find_date_styles, read_serial_date


@pytest.mark.parametrize(
    ("code", "is_date"),
    [
        ("yyyy-mm-dd", True),
        ('yyyy"年"m"月"d"日"', True),
        ("[$-804]D-MMM", True),
        ("h:mm", False),
        ('0.00" days"', False),
        ("[Red]#,##0", False),
        ("\\d0", False),
        ("@", False),
        ("", False),
    ],
)
def test_formats_that_show_dates(code: str, is_date: bool) -> None:
    assert find_date_styles(["0", "176"], {"176": code}) == ({1} if is_date else set())


def test_built_in_formats() -> None:
    assert find_date_styles(["14", "0", "57", "49", "x"], {}) == {0, 2}


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (1, "1899-12-31"),
        (46161, "2026-05-19"),
        (46161.9, "2026-05-19"),
        (2958465, "9999-12-31"),
        (2958466, ""),
        (0.5, ""),
        (-1, ""),
        (float("nan"), ""),
        (float("inf"), ""),
    ],
)
def test_numbers_as_dates(number: float, shown: str) -> None:
    assert read_serial_date(number) == shown


def test_dates_counted_from_1904() -> None:
    assert read_serial_date(44699, has_1904_dates=True) == "2026-05-19"
    assert read_serial_date(2958465, has_1904_dates=True) == ""
