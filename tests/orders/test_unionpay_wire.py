"""What UnionPay's messages look like, down to single signs."""

from datetime import datetime

import pytest

from orders.payments.unionpay_wire import (
    base_text,
    digest,
    format_time,
    parse_answer,
    parse_form,
    read_amount,
    read_time,
    read_time_near,
)


def test_signed_text_is_sorted_by_byte_and_leaves_the_signature_out() -> None:
    fields = {"b": "2", "signature": "x", "a": "1", "B": "3", "c": ""}

    assert base_text(fields) == "B=3&a=1&b=2&c="


def test_digest_is_hex_in_lower_case() -> None:
    # printf 'a=中' | sha256sum
    assert digest({"a": "中", "signature": "x"}) == (
        b"4ca50adf1a76f8e6f80309222c34b55142703e93b962b8ef4afed029c09d98fc"
    )


def test_line_ends_take_part() -> None:
    assert digest({"a": "1\r\n2"}) != digest({"a": "1\n2"})


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=&b=2", {"a": "", "b": "2"}),
        # Base64 keeps its padding, a value its spaces, signs and line ends.
        ("a=xy+/==&b=成功 [00%2B]", {"a": "xy+/==", "b": "成功 [00%2B]"}),
        ("a=1\r\n2&b=3", {"a": "1\r\n2", "b": "3"}),
        ("a={x=1&y=2}&b=3", {"a": "{x=1&y=2}", "b": "3"}),
        ("a=[x&y]&b={&}", {"a": "[x&y]", "b": "{&}"}),
        # Only its own bracket closes a value.
        ("a={[&]&}&b=3", {"a": "{[&]&}", "b": "3"}),
        ("a=]&b=}", {"a": "]", "b": "}"}),
    ],
)
def test_answers_are_split_outside_of_brackets(
    text: str, fields: dict[str, str]
) -> None:
    assert parse_answer(text) == fields


@pytest.mark.parametrize(
    "text", ["", "a", "=1", "a=1&", "a=1&&b=2", "a=1&a=2", "<html>502 Bad Gateway"]
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an answer"):
        parse_answer(text)


def test_form_keeps_line_ends_and_blanks() -> None:
    assert parse_form(b"a=1%0D%0A2&b=&c=%E4%B8%AD") == {
        "a": "1\r\n2",
        "b": "",
        "c": "中",
    }


@pytest.mark.parametrize("body", [b"a", b"a=1&a=2", b"a=\xff", b"a=%FF", b"{}"])
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several functions
        parse_form(body)


def test_form_with_thousands_of_fields_is_refused() -> None:
    with pytest.raises(ValueError, match="fields"):
        parse_form("&".join(f"a{n}=1" for n in range(101)).encode())


def test_times_are_beijings() -> None:
    moment = datetime.fromisoformat("2026-11-20T16:30:05.9+00:00")

    assert format_time(moment) == "20261121003005"
    assert read_time("20261121003005") == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    "text",
    ["", "2026112100300", "202611210030055", "20261321003005", "２0261121003005"],
)
def test_broken_times_are_none(text: str) -> None:
    assert read_time(text) is None


@pytest.mark.parametrize(
    ("text", "near", "expected"),
    [
        ("1121100130", "20261121100000", "20261121100130"),
        # Ordered in the last minute of a year, paid in the first of the next.
        ("0101000010", "20261231235950", "20270101000010"),
        ("1231235950", "20270101000010", "20261231235950"),
        ("0229120000", "20280301000000", "20280229120000"),
    ],
)
def test_time_without_a_year_gets_the_nearest(
    text: str, near: str, expected: str
) -> None:
    around = read_time(near)
    assert around is not None

    assert read_time_near(text, around) == read_time(expected)


@pytest.mark.parametrize("text", ["", "1321100130", "11211001300"])
def test_broken_time_without_a_year_is_none(text: str) -> None:
    around = read_time("20261121100000")
    assert around is not None

    assert read_time_near(text, around) is None


@pytest.mark.parametrize(
    ("text", "amount_fen"),
    [
        *(("3300", 3300), ("000000003300", 3300), ("0", 0)),
        *(("", None), ("-1", None), ("33.00", None), ("１", None), ("1" * 13, None)),
    ],
)
def test_amounts_are_fen_in_digits(text: str, amount_fen: int | None) -> None:
    assert read_amount(text) == amount_fen
