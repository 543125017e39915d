"""Turns an issue's frozen values into the paper: background, text layer, seal."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import segno
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from certificates.errors import SealKeyError
from certificates.models import CertificateIssue
from certificates.rules import choose_fit, format_chinese_date
from certificates.sealing import ornament, seal
from certificates.sealing.canvas import MILLIMETRE, Canvas, number, points
from certificates.sealing.ornament import draw_background
from certificates.sealing.seal import SealDesign, draw_seal
from certificates.sealing.signing import SealedField, Sealer, ensure_sample_identity
from certificates.sealing.verifying import Verifier
from portal.lib.pdf import Press, UnprintableTextError, lay_over, open_press

TEMPLATE_VERSION = "v1"
PAPER_TEMPLATES = "certificates/paper"
# What the background is drawn by: a change here makes another file.
_DRAWING_SOURCES = (Path(ornament.__file__), Path(seal.__file__))
# Middle of the seal, millimetres from the lower left: under issuer and date.
SEAL_MIDDLE = (221.0, 50.0)
SEAL_RADIUS = 21.0
# Lower left corner and side of the QR code, millimetres.
QR_CORNER = (38.0, 34.5)
QR_SIDE = 29.0
# Fixed, because trying all eight masks costs more than drawing the code.
QR_MASK = 2


@dataclass(frozen=True)
class Cell:
    """A value in its place: row 1 to 3 of the narrow or the wide column."""

    value: str
    row: int
    wide: bool = False

    @property
    def style(self) -> str:
        """Class names; a rare character exists in one weight only, so its line is plain."""
        names = ["value", "wide" if self.wide else "narrow", f"row-{self.row}"]
        names.append(choose_fit(self.value, wide=self.wide))
        if press().needs_rare_font(self.value):
            names.append("plain")
        return " ".join(filter(None, names))


@dataclass(frozen=True)
class Paper:
    """The frozen values of one issue as the text layer wants them.

    `id_number` is what prints: masked, or complete where the centre wants it so.
    """

    printed: dict[str, Any]
    id_number: str
    template_version: str = TEMPLATE_VERSION

    @property
    def cells(self) -> tuple[Cell, ...]:
        return (
            Cell(self.printed["name"], 1),
            Cell(self.id_number, 1, wide=True),
            Cell(self.printed["region"], 2),
            Cell(self.printed["unit_name"], 2, wide=True),
            Cell(self.printed["level"], 3),
            Cell(self.printed["series"], 3, wide=True),
        )

    @property
    def date(self) -> str:
        return format_chinese_date(date.fromisoformat(self.printed["issued_date"]))

    @property
    def text(self) -> str:
        """Every character that comes from data and must have a glyph."""
        return "".join(map(str, [*self.printed.values(), self.id_number]))


def paper_of(issue: CertificateIssue) -> Paper:
    """Return the paper of an issue; decrypts the ID number only where it prints in full."""
    printed = issue.printed
    number = issue.id_number if printed["has_full_id_number"] else printed["id_number"]
    return Paper(
        printed=printed, id_number=number, template_version=issue.template_version
    )


def press() -> Press:
    return open_press(
        settings.NODE_MODULES, Path(settings.RARE_FONT_FILE), settings.VAR_DIR / "fonts"
    )


def compose(paper: Paper) -> bytes:
    """Return the unsigned certificate: the text layer over its background.

    Raises `UnprintableTextError` when a value cannot be printed as it is.
    """
    unprintable = press().find_unprintable(paper.text)
    if unprintable:
        raise UnprintableTextError(unprintable)
    folder = _template_folder(paper.template_version)
    html = render_to_string(
        f"{PAPER_TEMPLATES}/{paper.template_version}/text.html", {"paper": paper}
    )
    text = press().render(html, stylesheets=[folder / "text.css"])
    code = draw_code(paper.printed["verify_url"])
    return lay_over(text, background(paper.template_version), drawing=code)


def draw_code(address: str) -> str:
    """Return the QR code of an address as operators; runs of dark modules are one box."""
    modules = segno.make_qr(address, error="m", mask=QR_MASK).matrix
    canvas = Canvas()
    scale = number(QR_SIDE / len(modules) * MILLIMETRE, 6)
    left, bottom = (side * MILLIMETRE for side in QR_CORNER)
    canvas.add(f"q {scale} 0 0 {scale} {points((left, bottom))} cm 0.07 g")
    for index, row in enumerate(modules):
        y, x = len(modules) - 1 - index, 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                canvas.add(f"{x} {y} {length} 1 re")
            x += length
    canvas.add("f Q")
    return str(canvas)


@cache
def background(template_version: str) -> bytes:
    """Return paper, frame, seal and fixed words of a template version as a PDF.

    Drawn once and kept under `VAR_DIR/certificates/backgrounds`, named after everything it
    depends on.
    """
    design = SealDesign(
        organisation=settings.CERTIFICATE_ISSUER,
        bottom=settings.SEAL_BOTTOM_WORDS,
        code=settings.SEAL_CODE,
    )
    folder = _template_folder(template_version)
    sources = [folder / "fixed.html", folder / "fixed.css", *_DRAWING_SOURCES]
    digest = hashlib.sha256(repr(design).encode())
    for source in sources:
        digest.update(source.read_bytes())
    kept = settings.VAR_DIR / "certificates" / "backgrounds"
    path = Path(kept) / f"{template_version}-{digest.hexdigest()[:32]}.pdf"
    if not path.exists():
        _publish(path, _draw_background(template_version, design))
    return path.read_bytes()


def _draw_background(template_version: str, design: SealDesign) -> bytes:
    outlines = draw_seal(design, press().find_font(700).path)
    html = render_to_string(f"{PAPER_TEMPLATES}/{template_version}/fixed.html")
    folder = _template_folder(template_version)
    words = press().render(html, stylesheets=[folder / "fixed.css"])
    return lay_over(words, draw_background(seal=outlines, seal_middle=SEAL_MIDDLE))


def _publish(path: Path, content: bytes) -> None:
    """Write a file so that no other process ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
    draft.write_bytes(content)
    draft.replace(path)


def _template_folder(template_version: str) -> Path:
    return Path(settings.BASE_DIR) / "templates" / PAPER_TEMPLATES / template_version


def sign(pdf: bytes) -> bytes:
    """Return the certificate under the organisation's electronic seal."""
    x, y = SEAL_MIDDLE
    corners = (x - SEAL_RADIUS, y - SEAL_RADIUS, x + SEAL_RADIUS, y + SEAL_RADIUS)
    left, bottom, right, top = (round(corner * MILLIMETRE) for corner in corners)
    field = SealedField(
        box=(left, bottom, right, top),
        reason="专业技术人员继续教育合格证",
        location="重庆",
    )
    return sealer().seal(pdf, field)


@cache
def seal_files() -> tuple[Path, Path, Path]:
    """Return the paths of the seal's key, certificate and roots.

    Production names all three; the embedded default makes its own at first use.
    """
    named = (
        settings.SEAL_KEY_FILE,
        settings.SEAL_CERTIFICATE_FILE,
        settings.SEAL_ROOTS_FILE,
    )
    if all(named):
        key, certificate, roots = map(Path, named)
        return key, certificate, roots
    if settings.PRODUCTION:
        raise SealKeyError
    return ensure_sample_identity(
        Path(settings.VAR_DIR) / "keys",
        organisation=settings.CERTIFICATE_ISSUER,
        now=timezone.now(),
    )


@cache
def sealer() -> Sealer:
    key, certificate, _ = seal_files()
    return Sealer(key_file=key, certificate_file=certificate)


@cache
def verifier() -> Verifier:
    return Verifier(roots_file=seal_files()[2])
