"""All sample data in the order in which one part needs another."""

from collections.abc import Callable
from datetime import datetime

from portal.demo.catalog import load_catalogue
from portal.demo.content import load_content
from portal.demo.people import load_people


def load(
    now: datetime,
    *,
    with_videos: bool = True,
    say: Callable[[str], None] = lambda _text: None,
) -> None:
    """Load or refresh the sample data; what is there already stays.

    Each part may be interrupted and started again. Raises portal.lib.media.MediaError when a
    video cannot be made, portal.lib.pdf.PaperError when a form cannot.
    """
    say("示例文章与表格")
    load_content(now)
    say("示例计划与课程")
    load_catalogue(now, with_videos=with_videos, say=say)
    load_people(now, say=say)
