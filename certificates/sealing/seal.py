"""The round seal as outlines: no font is needed afterwards, every viewer shows the same.

Follows 国务院关于国家行政机关和企业事业单位社会团体印章管理的规定 (国发〔1999〕25号): round, at
most 42 mm for such bodies, a star in the middle, the name from left to right around it in
simplified Song, words of a special seal below the star.
"""

from dataclasses import dataclass
from math import cos, pi, radians, sin
from pathlib import Path
from typing import Any

from fontTools.misc.transform import Transform
from fontTools.pens.qu2cuPen import Qu2CuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

from certificates.errors import SealGlyphMissingError
from certificates.sealing.canvas import Canvas, Point, number

# Measures in millimetres, angles in degrees.
RING_WIDTH = 1.1
RING_GAP = 1.25
CHARACTER_HEIGHT = 6.0
BOTTOM_HEIGHT = 3.9
BOTTOM_DEPTH = 11.6
BOTTOM_LENGTH = 22.5
STAR_RADIUS = 6.6
CODE_HEIGHT = 1.75
CODE_PITCH = 4.9
PITCH_LIMIT = 26.0
# Above 238 degrees the ends of the name run into the bottom line.
SPAN_LIMIT, SPAN_LIMIT_WITH_BOTTOM = 262.0, 238.0
# Ink of an ideograph: 0.92 em high, its middle 0.38 em above the baseline.
INK, MIDDLE = 0.92, 0.38
DIGIT_INK, DIGIT_MIDDLE = 0.72, 0.36

# One operation of a recorded outline: its name and its points.
Operation = tuple[str, tuple[Point, ...]]


@dataclass(frozen=True)
class SealDesign:
    """What a seal says. `code` is the registered number on the lower arc, digits only."""

    organisation: str
    bottom: str = ""
    code: str = ""
    colour: str = "#d9121f"
    diameter: float = 42.0


@dataclass
class _Pen:
    """Draws glyphs of one font, each in font units under its own matrix."""

    font: TTFont
    canvas: Canvas

    def __post_init__(self) -> None:
        self.glyphs = self.font.getGlyphSet()
        self.characters = self.font.getBestCmap()
        self.units = self.font["head"].unitsPerEm

    def advance(self, character: str) -> float:
        return float(self.glyphs[self.characters[ord(character)]].width)

    def draw(self, character: str, matrix: Transform) -> None:
        body = " ".join(
            _write_operation(*operation) for operation in self._outline(character)
        )
        scale = " ".join(number(value, 7) for value in matrix[:4])
        place = " ".join(number(value, 4) for value in matrix[4:])
        self.canvas.add(f"q {scale} {place} cm {body} f Q")

    def _outline(self, character: str) -> list[Operation]:
        recording = DecomposingRecordingPen(self.glyphs)
        # Quadratic outlines have twice the nodes: one unit of tolerance halves the bytes.
        pen: Any = recording
        if "glyf" in self.font:
            pen = Qu2CuPen(recording, max_err=1.0, all_cubic=True)
        self.glyphs[self.characters[ord(character)]].draw(pen)
        return list(recording.value)


_LETTERS = {"moveTo": "m", "lineTo": "l", "curveTo": "c"}


def _write_operation(name: str, corners: tuple[Point, ...]) -> str:
    if name in ("closePath", "endPath"):
        return "h"
    pairs = " ".join(f"{x:.0f} {y:.0f}" for x, y in corners)
    return f"{pairs} {_LETTERS[name]}"


def draw_seal(design: SealDesign, font_path: Path) -> str:
    """Return the seal's operators: millimetres, origin in the middle, y upwards.

    Raises `SealGlyphMissingError` when the font lacks a character of the seal.
    """
    canvas = Canvas()
    canvas.fill_colour(design.colour)
    canvas.pen(design.colour, RING_WIDTH)
    canvas.circle(0, 0, design.diameter / 2 - RING_WIDTH / 2, "S")
    canvas.polygon(_star(STAR_RADIUS), "f")
    with TTFont(font_path, lazy=True) as font:
        pen = _Pen(font, canvas)
        words = design.organisation + design.bottom + design.code
        missing = [word for word in words if ord(word) not in pen.characters]
        if missing:
            raise SealGlyphMissingError("".join(missing))
        _draw_name(pen, design)
        _draw_bottom(pen, design.bottom)
        _draw_code(pen, design)
    return str(canvas)


def _star(radius: float) -> list[Point]:
    inner = radius * sin(radians(18)) / sin(radians(54))
    corners = []
    for corner in range(10):
        reach = radius if corner % 2 == 0 else inner
        angle = pi / 2 + corner * pi / 5
        corners.append((reach * cos(angle), reach * sin(angle)))
    return corners


def _draw_name(pen: _Pen, design: SealDesign) -> None:
    count = len(design.organisation)
    middle = design.diameter / 2 - RING_WIDTH - RING_GAP - CHARACTER_HEIGHT / 2
    span = SPAN_LIMIT_WITH_BOTTOM if design.bottom else SPAN_LIMIT
    pitch = min(span / max(count - 1, 1), PITCH_LIMIT)
    em = CHARACTER_HEIGHT / INK
    slot = 2 * middle * sin(radians(pitch) / 2)
    squeeze = min(0.92, max(0.5, 0.9 * slot / em))
    for index, character in enumerate(design.organisation):
        # Clockwise from twelve o'clock.
        angle = radians(pitch * (index - (count - 1) / 2))
        matrix = (
            Transform()
            .rotate(-angle)
            .translate(0, middle)
            .scale(em / pen.units * squeeze, em / pen.units)
            .translate(-pen.units / 2, -MIDDLE * pen.units)
        )
        pen.draw(character, matrix)


def _draw_bottom(pen: _Pen, words: str) -> None:
    if not words:
        return
    em = BOTTOM_HEIGHT / INK
    step = min(em * 0.92, BOTTOM_LENGTH / len(words))
    squeeze = min(0.86, 0.96 * step / em)
    for index, character in enumerate(words):
        matrix = (
            Transform()
            .translate(step * (index - (len(words) - 1) / 2), -BOTTOM_DEPTH)
            .scale(em / pen.units * squeeze, em / pen.units)
            .translate(-pen.units / 2, -MIDDLE * pen.units)
        )
        pen.draw(character, matrix)


def _draw_code(pen: _Pen, design: SealDesign) -> None:
    radius = design.diameter / 2 - RING_WIDTH - 0.75 - CODE_HEIGHT / 2
    em = CODE_HEIGHT / DIGIT_INK
    for index, digit in enumerate(design.code):
        # Read from left to right along the lower arc, feet outwards.
        angle = radians(180 + CODE_PITCH * ((len(design.code) - 1) / 2 - index))
        matrix = (
            Transform()
            .rotate(-angle)
            .translate(0, radius)
            .rotate(pi)
            .scale(em / pen.units)
            .translate(-pen.advance(digit) / 2, -DIGIT_MIDDLE * pen.units)
        )
        pen.draw(digit, matrix)
