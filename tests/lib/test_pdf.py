from io import BytesIO

import pikepdf
import pytest
from django.conf import settings
from fontTools.ttLib import TTFont

from portal.lib.fonts import FontFile, Role, everyday_characters
from portal.lib.pdf import (
    FAMILY,
    ForbiddenAddressError,
    PaperError,
    Press,
    UnprintableTextError,
    has_forbidden_category,
    lay_over,
    open_press,
)

PAGE = (
    "<style>@page {{ size: 100mm 60mm }} body {{ font-family: {fonts} }}</style>{text}"
)
OURS = "'Portal Serif', 'Portal Serif Full', 'Portal Serif Rare'"


@pytest.fixture(scope="session")
def press(tmp_path_factory) -> Press:
    none = tmp_path_factory.mktemp("fonts") / "none.ttf"
    return open_press(settings.NODE_MODULES, none, settings.VAR_DIR / "fonts")


def page(text: str, fonts: str = OURS) -> str:
    return PAGE.format(fonts=fonts, text=text)


def list_fonts(pdf: bytes) -> set[str]:
    with pikepdf.open(BytesIO(pdf)) as document:
        return {
            str(item.BaseFont).partition("+")[2]
            for item in document.objects
            if isinstance(item, pikepdf.Dictionary) and "/BaseFont" in item
        }


def test_everyday_characters_come_from_the_small_font(press):
    pdf = press.render(page("重庆市继续教育 2026"))

    assert list_fonts(pdf) == {"Portal-Serif"}
    assert len(pdf) < 10_000


def test_a_name_outside_gb_2312_takes_the_complete_font(press):
    """喆 and 堃 are in 通用规范汉字表, not in GB 2312."""
    pdf = press.render(page("欧阳喆堃"))

    assert list_fonts(pdf) == {"Portal-Serif", "Portal-Serif-Full"}


def test_a_missing_glyph_raises_instead_of_a_box(press):
    assert press.find_unprintable("张ไ") == "ไ"
    with pytest.raises((UnprintableTextError, PaperError)):
        press.render(page("张ไ"))


def test_a_font_of_the_system_raises(press):
    with pytest.raises(PaperError, match="font of the system"):
        press.render(page("2026", fonts="'DejaVu Sans'"))


@pytest.mark.parametrize(
    "text",
    ["\ue863", "张\u200b三", "张\u202e三", "张\x00三", "\U000e0001"],
    ids=["private use", "zero width", "right to left", "control", "tag"],
)
def test_control_and_private_characters_are_unprintable(press, text):
    assert len(press.find_unprintable(text)) == 1


def test_late_ideographs_are_not_taken_for_unassigned():
    """U+31350 is the first of extension H, newer than the tables of Python 3.11."""
    assert not has_forbidden_category("\U00031350")
    assert has_forbidden_category("\U000323b0")


def test_only_local_files_of_the_named_folders_are_read(press, tmp_path):
    picture = tmp_path / "picture.svg"
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    for address in (
        "http://127.0.0.1:1/picture.svg",
        "https://example.com/",
        "file:///etc/hostname",
        "file://server/share/picture.svg",
        picture.as_uri(),
    ):
        with pytest.raises(ForbiddenAddressError):
            press.render(page(f'<img src="{address}">'))

    allowed = Press(press.fonts, folders=[tmp_path])
    assert allowed.render(page(f'<img src="{picture.as_uri()}">')).startswith(b"%PDF")


def test_a_link_out_of_a_named_folder_is_not_followed(press, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.svg").symlink_to("/etc/hostname")
    allowed = Press(press.fonts, folders=[inside])

    with pytest.raises(ForbiddenAddressError):
        allowed.render(page(f'<img src="{(inside / "link.svg").as_uri()}">'))


def test_lay_over_keeps_one_page_with_both_and_the_drawing(press):
    text = press.render(page("上层"))
    background = press.render(page("底层"))

    merged = lay_over(text, background, drawing="0 g 0 0 10 10 re f")

    with pikepdf.open(BytesIO(merged)) as document:
        assert len(document.pages) == 1
        content = b"".join(
            part.read_bytes() for part in document.pages[0].Contents.as_list()
        )
        forms = document.pages[0].Resources.XObject
    assert len(forms) == 1
    assert content.rstrip().endswith(b"0 g 0 0 10 10 re f")


def test_the_trimmed_font_covers_gb_2312_and_the_dot_of_names(press):
    everyday = next(font for font in press.fonts if font.role is Role.EVERYDAY)

    coverage = everyday.read_coverage()

    assert [each for each in everyday_characters() if ord(each) not in coverage] == []
    assert ord("喆") not in coverage
    assert "·" in everyday_characters()
    assert everyday.path.stat().st_size < 4_000_000


def test_trimmed_copies_are_made_once(press):
    folder = press.fonts[0].path.parent
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}

    open_press(settings.NODE_MODULES, folder / "other.ttf", folder)

    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert len(before) == 3


def test_coverage_agrees_with_font_tools(press):
    font = press.find_font(700)
    with TTFont(font.path, lazy=True) as opened:
        known = frozenset(opened.getBestCmap())

    coverage = font.read_coverage()

    assert {point for point in range(0x30000) if point in coverage} == known


def test_the_face_rule_names_family_weight_and_file(tmp_path):
    font = FontFile(FAMILY, 700, tmp_path / "a b.ttf", Role.EVERYDAY)

    assert font.face_rule == (
        "@font-face { font-family: 'Portal Serif'; font-weight: 700;"
        f" src: url('{tmp_path.as_uri()}/a%20b.ttf') }}"
    )
