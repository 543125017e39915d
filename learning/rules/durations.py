"""Lengths of time in words for people."""


def show_time(milliseconds: int) -> str:
    """Milliseconds as `4:30` or `1:04:30`, rounded down to whole seconds."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
