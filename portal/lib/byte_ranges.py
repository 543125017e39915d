"""Byte ranges of HTTP (RFC 9110, section 14), as video players and phones ask for them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

# Large enough to keep the loop cheap, small enough that a thousand viewers fit in memory.
CHUNK_SIZE = 128 * 1024

_RANGE = re.compile(r"bytes=\s*([0-9]*)-([0-9]*)\s*", re.ASCII | re.IGNORECASE)


class UnsatisfiableRangeError(Exception):
    """No byte of the range exists: answer 416."""


@dataclass(frozen=True)
class ByteRange:
    """Bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def parse_range(header: str, size: int) -> ByteRange | None:
    """Return the range that a `Range` header asks of `size` bytes.

    `None` when the whole file is to be sent: no header, a malformed one, another unit, or
    several ranges at once, which a server may ignore (RFC 9110, 14.2). Raises
    UnsatisfiableRangeError when the range lies outside the file.
    """
    match = _RANGE.fullmatch(header)
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        return _last_bytes(int(match[2]), size)
    first = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None
    if first >= size:
        raise UnsatisfiableRangeError
    return ByteRange(first, min(last, size - 1))


def _last_bytes(count: int, size: int) -> ByteRange:
    if count == 0 or size == 0:
        raise UnsatisfiableRangeError
    return ByteRange(max(0, size - count), size - 1)


class RangeReader:
    """Iterates over a part of an open file in chunks and closes it at the end.

    Servers call `close` when a viewer goes away in the middle.
    """

    def __init__(self, file: BinaryIO, part: ByteRange) -> None:
        self._file = file
        self._left = part.length
        file.seek(part.first)

    def __iter__(self) -> Iterator[bytes]:
        try:
            while self._left > 0:
                chunk = self._file.read(min(CHUNK_SIZE, self._left))
                if not chunk:
                    break
                self._left -= len(chunk)
                yield chunk
        finally:
            self.close()

    def close(self) -> None:
        self._file.close()
