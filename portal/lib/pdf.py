"""HTML to PDF for every paper of the portal: local files only, named fonts, never tofu."""

import logging
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pikepdf
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from portal.lib.fonts import Coverage, FontFile, Role, trim_font

# The layout engine logs one line per step of each document at INFO.
logging.getLogger("weasyprint.progress").setLevel(logging.WARNING)

FAMILY = "Portal Serif"
COMPLETE_FAMILY = f"{FAMILY} Full"
RARE_FAMILY = f"{FAMILY} Rare"
FACES = {
    400: "400Regular/NotoSerifSC_400Regular.ttf",
    700: "700Bold/NotoSerifSC_700Bold.ttf",
    900: "900Black/NotoSerifSC_900Black.ttf",
}

# Ideographs of Unicode 15 and 15.1 (extensions H and I), which the character tables of
# Python 3.11 and 3.12 still call unassigned.
_LATE_IDEOGRAPHS = (range(0x31350, 0x323B0), range(0x2EBF0, 0x2EE5E))


class PaperError(Exception):
    """A paper cannot be made as it should look; nothing was produced."""


class UnprintableTextError(PaperError):
    """Some characters have no glyph in any font, or must not appear on a paper."""

    def __init__(self, characters: Iterable[str]) -> None:
        self.characters = "".join(dict.fromkeys(characters))
        points = " ".join(f"U+{ord(character):04X}" for character in self.characters)
        super().__init__(f"characters that cannot be printed: {points}")


class ForbiddenAddressError(FatalURLFetchingError):  # type: ignore[misc]
    """A template asked for something outside the folders that papers may read."""


class LocalFetcher(URLFetcher):  # type: ignore[misc]
    """Fetches files below `folders` and nothing else: no network, no other file."""

    def __init__(self, folders: Iterable[Path]) -> None:
        super().__init__(allowed_protocols=("file",), allow_redirects=False)
        self._folders = tuple(folder.resolve() for folder in folders)

    def fetch(
        self, url: str, headers: dict[str, str] | None = None
    ) -> URLFetcherResponse:
        parts = urlsplit(url)
        path = Path(unquote(parts.path)).resolve()
        if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
            raise ForbiddenAddressError(f"papers read local files only, not {url[:80]}")
        if not any(path.is_relative_to(folder) for folder in self._folders):
            raise ForbiddenAddressError(f"papers may not read {path}")
        return super().fetch(url, headers)


def has_forbidden_category(character: str) -> bool:
    """Tell whether a character must not appear on a paper although a font may have it.

    Control and format characters, lone surrogates, private-use and unassigned code points:
    a private-use character passes every glyph check and means something else elsewhere.
    """
    if any(ord(character) in block for block in _LATE_IDEOGRAPHS):
        return False
    return unicodedata.category(character).startswith("C")


@dataclass
class Press:
    """Typesets HTML with a closed set of fonts; make one per process and keep it.

    The font configuration is shared by all documents: one for each document grows a worker
    to several hundred MB (measured). Pango's font map is not made for several threads, so
    documents are laid out one at a time.
    """

    fonts: Sequence[FontFile]
    folders: Sequence[Path] = ()
    _lock: threading.Lock = field(
        default_factory=threading.Lock, init=False, repr=False
    )
    _sheets: dict[Path, CSS] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        readable = [*self.folders, *(font.path.parent for font in self.fonts)]
        self._fetcher = LocalFetcher(readable)

    @cached_property
    def _configuration(self) -> FontConfiguration:
        configuration = FontConfiguration()
        faces = "\n".join(font.face_rule for font in self.fonts)
        CSS(string=faces, font_config=configuration, url_fetcher=self._fetcher)
        return configuration

    @cached_property
    def _main(self) -> list[Coverage]:
        return self._read_coverages(Role.COMPLETE)

    @cached_property
    def _spare(self) -> list[Coverage]:
        return self._read_coverages(Role.RARE)

    def _read_coverages(self, role: Role) -> list[Coverage]:
        return [font.read_coverage() for font in self.fonts if font.role is role]

    def _is_common(self, character: str) -> bool:
        """Whether the main family has the character, in every weight."""
        return all(ord(character) in coverage for coverage in self._main)

    def _is_rare(self, character: str) -> bool:
        return any(ord(character) in coverage for coverage in self._spare)

    def find_unprintable(self, text: str) -> str:
        """Return the characters of `text` that cannot stand on a paper, each once."""
        bad = (
            character
            for character in text
            if has_forbidden_category(character)
            or not (self._is_common(character) or self._is_rare(character))
        )
        return "".join(dict.fromkeys(bad))

    def find_font(self, weight: int) -> FontFile:
        """Return the complete font of a weight, for those who draw outlines themselves."""
        return next(
            font
            for font in self.fonts
            if font.weight == weight and font.role is Role.COMPLETE
        )

    def needs_rare_font(self, text: str) -> bool:
        return not all(map(self._is_common, text))

    def render(self, html: str, *, stylesheets: Sequence[Path] = ()) -> bytes:
        """Return the PDF of a page.

        Raises `UnprintableTextError` when a glyph was missing after all, and `PaperError`
        when a font that was not chosen here crept in from the system.
        """
        with self._lock:
            sheets = [self._read_sheet(path) for path in stylesheets]
            document = HTML(string=html, url_fetcher=self._fetcher).render(
                stylesheets=sheets, font_config=self._configuration
            )
            pdf: bytes = document.write_pdf()
            self._check_fonts(document.fonts.values())
        return pdf

    def _read_sheet(self, path: Path) -> CSS:
        if path not in self._sheets:
            self._sheets[path] = CSS(
                filename=path,
                font_config=self._configuration,
                url_fetcher=self._fetcher,
            )
        return self._sheets[path]

    def _check_fonts(self, used: Iterable[object]) -> None:
        families = {font.family for font in self.fonts}
        for font in used:
            missing: dict[int, int] = getattr(font, "missing", {})
            if missing:
                raise UnprintableTextError(chr(point) for point in missing)
            if getattr(font, "family", "?") not in families:
                name = getattr(font, "family", "?")
                raise PaperError(f"a font of the system crept in: {name}")


_opening = threading.Lock()


def open_press(node_modules: Path, rare_font: Path, folder: Path) -> Press:
    """Return this process's one press for all papers.

    Noto Serif SC from npm: `Portal Serif` in the weights 400, 700 and 900 for everyday
    characters, `Portal Serif Full` in 400 and 700 for all of 通用规范汉字表. The font file
    `rare_font`, where it is installed, is `Portal Serif Rare`. `folder` keeps trimmed copies.
    """
    with _opening:
        return _make_press(node_modules, rare_font, folder)


@cache
def _make_press(node_modules: Path, rare_font: Path, folder: Path) -> Press:
    source = node_modules / "@expo-google-fonts" / "noto-serif-sc"
    paths = {weight: source / name for weight, name in FACES.items()}
    fonts = [
        FontFile(FAMILY, weight, trim_font(path, folder), Role.EVERYDAY)
        for weight, path in paths.items()
    ]
    fonts += [
        FontFile(COMPLETE_FAMILY, weight, paths[weight], Role.COMPLETE)
        for weight in (400, 700)
    ]
    if rare_font.is_file():
        fonts.append(FontFile(RARE_FAMILY, 400, rare_font, Role.RARE))
    return Press(fonts)


def lay_over(text: bytes, background: bytes, *, drawing: str = "") -> bytes:
    """Return the one page of `text` drawn over the one page of `background`.

    Both have the same size; streams are compressed and packed. `drawing` holds operators
    that are added on top, in points from the lower left.
    """
    output = BytesIO()
    with (
        pikepdf.open(BytesIO(text)) as upper,
        pikepdf.open(BytesIO(background)) as lower,
    ):
        upper.pages[0].add_underlay(lower.pages[0], None)
        if drawing:
            # The page's own content may leave the matrix changed.
            upper.pages[0].contents_add(b"q", prepend=True)
            upper.pages[0].contents_add(f"Q\n{drawing}".encode())
        upper.save(
            output,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            compress_streams=True,
        )
    return output.getvalue()
