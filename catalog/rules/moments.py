"""Moments of a video as people write them."""

import re

EXAMPLE = "03:20"
_MOMENT = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)", re.ASCII)


def read_moment(text: str) -> int:
    """Milliseconds of `3:20` (minutes and seconds) or `1:03:20`. Raises ValueError."""
    found = _MOMENT.fullmatch(text.strip().replace("：", ":"))
    if not found or (found[1] and int(found[2]) > 59):
        raise ValueError(text)
    return (int(found[1] or 0) * 3600 + int(found[2]) * 60 + int(found[3])) * 1000


def write_moment(milliseconds: int) -> str:
    """`03:20`, the whole second that has begun; minutes go on beyond 59."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes:02}:{seconds:02}"
