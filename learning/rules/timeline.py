"""A day of learning as a small picture (SVG), a lane for each kind of thing that happened.

The lanes tell the kinds apart, not the colours alone, and every bar and mark has its words.
What the picture shows stands beside it as tables.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element, SubElement, tostring

WIDTH, LABEL, RIGHT, LANE, BAR, FOOT = 960, 88, 24, 30, 18, 24
HOUR = timedelta(hours=1)
# Hours between two numbers of the scale, so that no more than a dozen stand there.
STEPS = (1, 2, 3, 4, 6)
INK, LINE = "#333333", "#d5d0c8"


@dataclass(frozen=True)
class Bar:
    """Something that lasted; one that goes on ends where the picture ends."""

    start: datetime
    end: datetime
    label: str


@dataclass(frozen=True)
class Mark:
    """Something that happened at a moment, as a sign of one letter."""

    at: datetime
    sign: str
    label: str


@dataclass(frozen=True)
class Lane:
    """A row of the picture; `colour` fills its bars and writes its signs."""

    title: str
    colour: str
    things: Sequence[Bar | Mark]


def find_window(
    moments: Iterable[datetime], default: datetime
) -> tuple[datetime, datetime]:
    """The whole hours around these moments, an hour from `default` where there are none."""
    times = list(moments) or [default]
    start = min(times).replace(minute=0, second=0, microsecond=0)
    end = max(times).replace(minute=0, second=0, microsecond=0) + HOUR
    return start, end


def draw_timeline(
    title: str, window: tuple[datetime, datetime], lanes: Sequence[Lane]
) -> str:
    """The SVG element of the lanes between two moments, whose hours the scale names.

    Moments carry the time zone in which the hours are to be read.
    """
    height = LANE * len(lanes) + FOOT
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH} {height}",
            "role": "img",
            "aria-labelledby": "timeline-title timeline-desc",
            "class": "timeline",
            "font-size": "13",
        },
    )
    SubElement(svg, "title", {"id": "timeline-title"}).text = title
    SubElement(svg, "desc", {"id": "timeline-desc"}).text = _describe(lanes)
    _draw_scale(svg, window, height)
    for number, lane in enumerate(lanes):
        _draw_lane(svg, window, lane, number * LANE)
    return tostring(svg, encoding="unicode")


def _describe(lanes: Sequence[Lane]) -> str:
    counts = "，".join(f"{lane.title} {len(lane.things)} 项" for lane in lanes)
    return f"{counts}。逐项内容见下方表格。"


def _place(window: tuple[datetime, datetime], moment: datetime) -> float:
    """The x of a moment; what lies outside is drawn at the edge."""
    start, end = window
    share = (min(max(moment, start), end) - start) / (end - start)
    return round(LABEL + share * (WIDTH - LABEL - RIGHT), 1)


def _list_hours(window: tuple[datetime, datetime]) -> Iterator[datetime]:
    start, end = window
    hours = (end - start) // HOUR
    step = next((step for step in STEPS if hours <= 12 * step), STEPS[-1])
    moment = start
    while moment <= end:
        yield moment
        moment += step * HOUR


def _draw_scale(svg: Element, window: tuple[datetime, datetime], height: int) -> None:
    for moment in _list_hours(window):
        x = f"{_place(window, moment)}"
        bottom = f"{height - FOOT}"
        line = {"x1": x, "x2": x, "y1": "0", "y2": bottom, "stroke": LINE}
        SubElement(svg, "line", line)
        text = {"x": x, "y": f"{height - 8}", "text-anchor": "middle", "fill": INK}
        SubElement(svg, "text", text).text = f"{moment:%H:%M}"


def _draw_lane(
    svg: Element, window: tuple[datetime, datetime], lane: Lane, top: int
) -> None:
    text = {"x": "0", "y": f"{top + 19}", "fill": INK}
    SubElement(svg, "text", text).text = lane.title
    for thing in lane.things:
        if isinstance(thing, Bar):
            x = _place(window, thing.start)
            width = max(2.0, round(_place(window, thing.end) - x, 1))
            shape = {"x": f"{x}", "y": f"{top + 6}", "rx": "2", "fill": lane.colour}
            size = {"width": f"{width}", "height": f"{BAR}"}
            drawn = SubElement(svg, "rect", shape | size)
        else:
            place = {"x": f"{_place(window, thing.at)}", "y": f"{top + 20}"}
            look = {"text-anchor": "middle", "fill": lane.colour}
            drawn = SubElement(svg, "text", place | look)
            drawn.text = thing.sign
        # An element's title comes first, or it is not read as one.
        words = Element("title")
        words.text = thing.label
        drawn.insert(0, words)
        if not isinstance(thing, Bar):
            words.tail, drawn.text = drawn.text, None
