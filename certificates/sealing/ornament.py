"""Frame, guilloche and paper of the certificate: drawn once for a template and a seal.

Millimetres on A4 landscape, origin at the lower left. Repeated motifs are form XObjects drawn
under different matrices, so the whole ornament packs into a few kilobytes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from math import cos, pi, sin

import pikepdf

from certificates.sealing.canvas import MILLIMETRE, Canvas, Point, number, points

PAGE = (297.0, 210.0)
RED = "#9d1b1f"
GOLD, PALE_GOLD, FAINT_GOLD = "#b08d3e", "#d9c48a", "#cdb67a"
TINT, WAVE, ROSETTE, BLUSH = "#fffdf6", "#f4ecd6", "#e9dcb8", "#f1dccf"

# The corner squares end 18 mm from the edge; what is left between them, 261 and 174 mm, is
# sixty and forty whole waves of the border.
CORNER = 18.0
BORDER_WAVE = 4.35
BORDER_MIDDLE = 13.6
BORDER_REACH = 2.35
MIDDLE = (PAGE[0] / 2, 101.0)


@dataclass(frozen=True)
class Ring:
    """Interlaced waves around a centre whose line itself bends into `LOBES` petals.

    `waves` is a multiple of `LOBES`; `strands` lines share the reach by shifted phases;
    `bend` is how far the middle line swings outwards and back, in millimetres.
    """

    radius: float
    bend: float
    reach: float
    waves: int
    strands: int
    colour: str
    width: float = 0.13


LOBES = 12
ROSETTE_RINGS = (
    Ring(50.0, 5.5, 3.4, 60, 5, ROSETTE),
    Ring(42.0, 6.5, 3.0, 48, 5, BLUSH),
    Ring(30.5, -7.5, 6.0, 36, 7, ROSETTE),
    Ring(19.5, 4.8, 2.6, 36, 5, BLUSH),
    Ring(11.5, -3.2, 4.0, 24, 6, ROSETTE),
    Ring(4.6, 1.0, 1.6, 24, 4, BLUSH),
)
CORNER_RINGS = (
    Ring(2.35, 0.35, 0.45, 24, 3, PALE_GOLD, 0.12),
    Ring(1.25, -0.2, 0.35, 12, 3, PALE_GOLD, 0.12),
)


def _sample(
    position: Callable[[float], Point], end: float, steps: int
) -> list[tuple[Point, Point]]:
    """Return knots and their derivatives by step for a curve given by its parameter."""
    size, nudge = end / steps, 1e-4
    knots = []
    for index in range(steps + 1):
        here = index * size
        (x0, y0), (x1, y1) = position(here - nudge), position(here + nudge)
        slope = ((x1 - x0) / (2 * nudge) * size, (y1 - y0) / (2 * nudge) * size)
        knots.append((position(here), slope))
    return knots


def _draw_petal(ring: Ring) -> str:
    """Return one petal of every strand of a ring, starting at angle zero."""
    canvas = Canvas()
    canvas.pen(ring.colour, ring.width)
    steps = 6 * ring.waves // LOBES
    for strand in range(ring.strands):
        shift = 2 * pi * strand / ring.strands

        def position(angle: float, shift: float = shift) -> Point:
            swing = ring.bend * cos(LOBES * angle)
            distance = (
                ring.radius + swing + ring.reach * sin(ring.waves * angle + shift)
            )
            return distance * cos(angle), distance * sin(angle)

        canvas.curve(_sample(position, 2 * pi / LOBES, steps), "S")
    return str(canvas)


def _draw_border_wave() -> str:
    """Return one wave of the border: five tall strands woven with three flat ones."""
    canvas = Canvas()
    for strands, reach, hue in ((5, BORDER_REACH, GOLD), (3, 1.15, RED)):
        canvas.pen(hue, 0.13 if hue == GOLD else 0.09)
        for strand in range(strands):
            shift = 2 * pi * strand / strands

            def position(
                along: float, shift: float = shift, reach: float = reach
            ) -> Point:
                return along, reach * sin(2 * pi * along / BORDER_WAVE + shift)

            canvas.curve(_sample(position, BORDER_WAVE, 6), "S")
    return str(canvas)


def _draw_paper_wave() -> str:
    canvas = Canvas()
    canvas.pen(WAVE, 0.12)

    def position(along: float) -> Point:
        return along, 1.45 * sin(2 * pi * along / 8.7)

    canvas.curve(_sample(position, 8.7, 4), "S")
    return str(canvas)


def _rotate_forms(names: Iterable[str]) -> str:
    canvas = Canvas()
    for name in names:
        for index in range(LOBES):
            canvas.draw_form(name, turn=360 * index / LOBES)
    return str(canvas)


def _draw_row() -> str:
    canvas = Canvas()
    for index in range(30):
        canvas.draw_form("Wave", x=8.7 * index)
    return str(canvas)


def _draw_corner(ring_forms: Iterable[str]) -> str:
    """Return a corner square, 7.2 mm wide, around the origin."""
    canvas = Canvas()
    canvas.fill_colour(RED)
    canvas.box(-4, -4, 8, 8, "f")
    canvas.pen(PALE_GOLD, 0.22)
    canvas.box(-3.5, -3.5, 7, 7, "S")
    canvas.add(_rotate_forms(ring_forms))
    canvas.fill_colour(PALE_GOLD)
    canvas.polygon(_lozenge(0, 0, 0.5, 0.5), "f")
    return str(canvas)


def _draw_frame(canvas: Canvas) -> None:
    width, height = PAGE

    def rule(inset: float, hue: str, thickness: float) -> None:
        canvas.pen(hue, thickness)
        canvas.box(inset, inset, width - 2 * inset, height - 2 * inset, "S")

    rule(8.2, RED, 1.7)
    rule(10.1, GOLD, 0.22)
    rule(10.7, GOLD, 0.45)
    rule(16.5, GOLD, 0.45)
    rule(17.1, GOLD, 0.18)
    rule(19.2, RED, 0.14)
    for index in range(60):
        for y in (BORDER_MIDDLE, height - BORDER_MIDDLE):
            canvas.draw_form("Border", x=CORNER + BORDER_WAVE * index, y=y)
    for index in range(40):
        for x in (BORDER_MIDDLE, width - BORDER_MIDDLE):
            canvas.draw_form("Border", x=x, y=CORNER + BORDER_WAVE * index, turn=90)
    for x in (BORDER_MIDDLE, width - BORDER_MIDDLE):
        for y in (BORDER_MIDDLE, height - BORDER_MIDDLE):
            canvas.draw_form("Corner", x=x, y=y)


def _draw_title_rule(canvas: Canvas) -> None:
    """Draw the tapering rule with a lozenge between title and subtitle."""
    middle, y = PAGE[0] / 2, 154.3
    canvas.fill_colour(GOLD)
    for side in (-1, 1):
        near, far = middle + side * 5.5, middle + side * 74
        canvas.polygon([(near, y + 0.28), (far, y), (near, y - 0.28)], "f")
        canvas.polygon(_lozenge(middle + side * 3.7, y, 0.75, 0.5), "f")
    canvas.fill_colour(RED)
    canvas.polygon(_lozenge(middle, y, 1.9, 1.25), "f")


def _draw_value_rules(canvas: Canvas) -> None:
    """Draw the rules under the six values of the text layer."""
    canvas.pen(FAINT_GOLD, 0.22)
    for y in (131.2, 118.7, 106.2):
        for left, right in ((63.0, 120.0), (156.0, 258.0)):
            canvas.add(f"{points((left, y))} m {points((right, y))} l S")


def _lozenge(x: float, y: float, width: float, height: float) -> list[Point]:
    return [(x, y + height), (x + width, y), (x, y - height), (x - width, y)]


def _draw_page(seal: str, seal_middle: Point) -> str:
    """Return the page's operators; the seal comes last and stays under the text layer."""
    canvas = Canvas()
    canvas.add(f"{number(MILLIMETRE, 6)} 0 0 {number(MILLIMETRE, 6)} 0 0 cm")
    canvas.fill_colour(TINT)
    canvas.box(0, 0, *PAGE, "f")
    for row in range(49):
        canvas.draw_form("Row", x=CORNER, y=CORNER + 3.6 * row + 0.6)
    canvas.draw_form("Rosette", x=MIDDLE[0], y=MIDDLE[1])
    _draw_frame(canvas)
    _draw_title_rule(canvas)
    _draw_value_rules(canvas)
    x, y = seal_middle
    canvas.add(f"q 1 0 0 1 {number(x)} {number(y)} cm", seal, "Q")
    return str(canvas)


def draw_background(*, seal: str, seal_middle: Point) -> bytes:
    """Return a one-page PDF with paper, rosette, frame and the seal around `seal_middle`."""
    with pikepdf.new() as pdf:
        forms: dict[str, pikepdf.Object] = {}

        def add_form(name: str, operators: str, parts: Iterable[str] = ()) -> None:
            forms[name] = _make_form(
                pdf, operators, {part: forms[part] for part in parts}
            )

        rosette = [f"R{index}" for index in range(len(ROSETTE_RINGS))]
        corner = [f"C{index}" for index in range(len(CORNER_RINGS))]
        for name, ring in zip(
            [*rosette, *corner], [*ROSETTE_RINGS, *CORNER_RINGS], strict=True
        ):
            add_form(name, _draw_petal(ring))
        add_form("Rosette", _rotate_forms(rosette), rosette)
        add_form("Corner", _draw_corner(corner), corner)
        add_form("Border", _draw_border_wave())
        add_form("Wave", _draw_paper_wave())
        add_form("Row", _draw_row(), ["Wave"])
        page = pdf.add_blank_page()
        page.mediabox = pikepdf.Array([0, 0, *(side * MILLIMETRE for side in PAGE)])
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary())
        for name in ("Rosette", "Corner", "Border", "Row"):
            page.Resources.XObject[f"/{name}"] = forms[name]
        page.Contents = pdf.make_stream(_draw_page(seal, seal_middle).encode())
        output = BytesIO()
        pdf.save(output, compress_streams=True)
    return output.getvalue()


def _make_form(
    pdf: pikepdf.Pdf, operators: str, parts: dict[str, pikepdf.Object]
) -> pikepdf.Object:
    stream = pdf.make_stream(operators.encode())
    stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
    # Generous: forms are clipped to it, and the page's edge clips anyway.
    stream.BBox = pikepdf.Array([-300, -300, 300, 300])
    resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary())
    for name, form in parts.items():
        resources.XObject[f"/{name}"] = form
    stream.Resources = resources
    return stream
