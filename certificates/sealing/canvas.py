"""PDF drawing operators in millimetres, written as short as the format allows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from math import cos, radians, sin

MILLIMETRE = 72 / 25.4
# Control-point distance of a quarter circle drawn as one cubic Bezier curve.
_ARC = 0.5522847498

Point = tuple[float, float]


def number(value: float, digits: int = 3) -> str:
    """Return the shortest decimal for `value`; PDF knows no exponents."""
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def points(*pairs: Point, digits: int = 3) -> str:
    return " ".join(f"{number(x, digits)} {number(y, digits)}" for x, y in pairs)


def colour(hexadecimal: str) -> str:
    """Return `#rrggbb` as three PDF colour components."""
    digits = hexadecimal.removeprefix("#")
    return " ".join(number(int(digits[i : i + 2], 16) / 255, 4) for i in (0, 2, 4))


@dataclass
class Canvas:
    """Collects operators; the caller decides the unit by the first `cm`."""

    operators: list[str] = field(default_factory=list)

    def add(self, *operators: str) -> None:
        self.operators.extend(operators)

    def fill_colour(self, hexadecimal: str) -> None:
        self.add(f"{colour(hexadecimal)} rg")

    def pen(self, hexadecimal: str, width: float) -> None:
        self.add(f"{colour(hexadecimal)} RG {number(width)} w")

    def box(self, x: float, y: float, width: float, height: float, paint: str) -> None:
        self.add(f"{points((x, y), (width, height))} re {paint}")

    def polygon(self, corners: Iterable[Point], paint: str) -> None:
        first, *rest = corners
        lines = " ".join(f"{points(corner)} l" for corner in rest)
        self.add(f"{points(first)} m {lines} h {paint}")

    def circle(self, x: float, y: float, radius: float, paint: str) -> None:
        arm = _ARC * radius
        right, top, left, bottom = x + radius, y + radius, x - radius, y - radius
        self.add(
            f"{points((right, y))} m"
            f" {points((right, y + arm), (x + arm, top), (x, top))} c"
            f" {points((x - arm, top), (left, y + arm), (left, y))} c"
            f" {points((left, y - arm), (x - arm, bottom), (x, bottom))} c"
            f" {points((x + arm, bottom), (right, y - arm), (right, y))} c {paint}"
        )

    def curve(self, knots: list[tuple[Point, Point]], paint: str) -> None:
        """Draw a smooth line through `knots`, each a position and its derivative by step."""
        path = [f"{points(knots[0][0])} m"]
        for ((x0, y0), (u0, v0)), ((x1, y1), (u1, v1)) in pairwise(knots):
            first = (x0 + u0 / 3, y0 + v0 / 3)
            second = (x1 - u1 / 3, y1 - v1 / 3)
            # A hundredth of a millimetre is finer than any printer.
            path.append(f"{points(first, second, (x1, y1), digits=2)} c")
        self.add(" ".join(path) + f" {paint}")

    def draw_form(
        self, name: str, *, x: float = 0, y: float = 0, turn: float = 0, flip: int = 1
    ) -> None:
        """Draw the form XObject `name` turned by `turn` degrees, then moved to x, y."""
        angle = radians(turn)
        matrix = (cos(angle) * flip, sin(angle) * flip, -sin(angle), cos(angle))
        numbers = " ".join(number(value, 5) for value in matrix)
        self.add(f"q {numbers} {points((x, y))} cm /{name} Do Q")

    def __str__(self) -> str:
        return "\n".join(self.operators)
