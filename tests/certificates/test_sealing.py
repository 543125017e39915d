from io import BytesIO

import pikepdf
import pytest
from django.conf import settings
from fontTools.ttLib import TTFont

from certificates.errors import SealGlyphMissingError
from certificates.sealing.canvas import Canvas, colour, number
from certificates.sealing.ornament import draw_background
from certificates.sealing.seal import SealDesign, draw_seal
from portal.lib.pdf import FACES

FONT = settings.NODE_MODULES / "@expo-google-fonts/noto-serif-sc" / FACES[700]
DESIGN = SealDesign("重庆市人力资源开发服务中心", "继续教育专用章", "5000000000000")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (0.5, "0.5"), (-0.0001, "0"), (1 / 3, "0.333"), (1e-9, "0")],
)
def test_numbers_are_short_and_never_exponents(value, text):
    assert number(value) == text


def test_colour_gives_three_parts():
    assert colour("#ff0080") == "1 0 0.502"


def test_forms_are_drawn_turned_and_moved():
    canvas = Canvas()
    canvas.draw_form("Wave", x=3, y=4, turn=90)

    assert str(canvas) == "q 0 1 -1 0 3 4 cm /Wave Do Q"


def test_the_seal_is_one_ring_a_star_and_one_outline_for_each_character():
    operators = draw_seal(DESIGN, FONT)

    # 13 of the name, 7 below the star, 13 digits.
    assert operators.count(" f Q") == 33
    assert operators.count(" S") == 1
    assert operators.startswith("0.851 0.0706 0.1216 rg")


def test_a_seal_without_words_below_has_only_its_name():
    assert draw_seal(SealDesign("示例中心"), FONT).count(" f Q") == 4


def test_a_missing_glyph_is_an_error_that_names_it():
    assert 0x20BB7 not in TTFont(FONT, lazy=True).getBestCmap()

    with pytest.raises(SealGlyphMissingError) as caught:
        draw_seal(SealDesign("示例\U00020bb7中心"), FONT)
    assert str(caught.value) == "印章字体缺少以下字符：\U00020bb7"


def test_the_background_is_one_small_page_with_the_seal_last():
    seal = draw_seal(DESIGN, FONT)

    pdf = draw_background(seal=seal, seal_middle=(221, 50))

    with pikepdf.open(BytesIO(pdf)) as document:
        (page,) = document.pages
        content = page.Contents.read_bytes().decode()
        assert [round(float(side)) for side in page.mediabox] == [0, 0, 842, 595]
    assert len(pdf) < 30_000
    assert content.endswith(f"q 1 0 0 1 221 50 cm\n{seal}\nQ")
