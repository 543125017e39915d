"""How a plan reads a year later."""

from datetime import date


def move_date(day: date) -> date:
    """The same day a year later; 28 February for the 29th."""
    last = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + 1, day=28 if last else day.day)


def move_text(text: str, year: int) -> str:
    """A text that names `year`, for the year after."""
    return text.replace(str(year), str(year + 1))


LONGEST_CODE = 40


def move_code(code: str, year: int) -> str:
    """A plan's code for the year after; one that does not name its year gets it at the end."""
    moved = move_text(code, year)
    if moved != code:
        return moved
    end = f"-{year + 1}"
    return f"{code[: LONGEST_CODE - len(end)]}{end}"
