from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib.byte_ranges import (
    CHUNK_SIZE,
    ByteRange,
    RangeReader,
    UnsatisfiableRangeError,
    parse_range,
)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-99", ByteRange(0, 99)),
        ("bytes=100-", ByteRange(100, 999)),
        ("bytes=-10", ByteRange(990, 999)),
        ("bytes=-5000", ByteRange(0, 999)),
        ("bytes=990-5000", ByteRange(990, 999)),
        ("Bytes= 0-0", ByteRange(0, 0)),
    ],
)
def test_ranges_that_can_be_served(header: str, expected: ByteRange) -> None:
    assert parse_range(header, 1000) == expected


@pytest.mark.parametrize(
    "header",
    ["", "bytes=", "bytes=-", "bytes=5-2", "items=0-5", "bytes=0-1,5-9", "bytes=٣-٤"],
)
def test_whole_file_for_headers_that_a_server_may_ignore(header: str) -> None:
    assert parse_range(header, 1000) is None


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0"])
def test_ranges_outside_the_file(header: str) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_range(header, 1000)


def test_empty_file_has_no_range() -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_range("bytes=0-", 0)
    with pytest.raises(UnsatisfiableRangeError):
        parse_range("bytes=-1", 0)


@given(st.text(max_size=40), st.integers(min_value=0, max_value=10**15))
def test_any_header_is_answered_within_the_file(header: str, size: int) -> None:
    try:
        part = parse_range(header, size)
    except UnsatisfiableRangeError:
        return
    if part is not None:
        assert 0 <= part.first <= part.last < size


def test_reader_gives_exactly_the_part_in_chunks_and_closes() -> None:
    content = bytes(range(256)) * 2048
    file = BytesIO(content)
    first, last = 1000, 1000 + 2 * CHUNK_SIZE

    chunks = list(RangeReader(file, ByteRange(first, last)))

    assert b"".join(chunks) == content[first : last + 1]
    assert [len(chunk) for chunk in chunks] == [CHUNK_SIZE, CHUNK_SIZE, 1]
    assert file.closed


def test_reader_ends_with_a_file_that_shrank() -> None:
    file = BytesIO(b"short")

    assert list(RangeReader(file, ByteRange(2, 100))) == [b"ort"]


def test_reader_closed_in_the_middle() -> None:
    file = BytesIO(b"x" * CHUNK_SIZE * 3)
    reader = RangeReader(file, ByteRange(0, CHUNK_SIZE * 3 - 1))
    next(iter(reader))

    reader.close()

    assert file.closed
