import subprocess
from io import BytesIO

import pikepdf
import pytest
import zxingcpp
from PIL import Image

from certificates import documents
from certificates.documents import Paper
from certificates.errors import SealKeyError
from portal.lib.pdf import UnprintableTextError

PRINTED = {
    "number": "2026-GX-0000001",
    "name": "欧阳建国",
    "id_number": "500105********4512",
    "has_full_id_number": False,
    "region": "渝中区",
    "unit_name": "重庆市第一人民医院心血管内科",
    "series": "卫生技术人员",
    "level": "副高级",
    "year": 2026,
    "subject": "公需科目",
    "field": "",
    "hours": 30,
    "issuer": "重庆市人力资源开发服务中心",
    "issued_date": "2026-06-15",
    "verify_url": "https://example.cn/v/7KQ4M2XD9HTV0123456789ABCD/",
    "lookup_address": "example.cn/verify/",
}


def compose(**values: object) -> bytes:
    printed = PRINTED | values
    return documents.compose(
        Paper(printed=printed, id_number=str(printed["id_number"]))
    )


def read_text(pdf: bytes, tmp_path) -> str:
    path = tmp_path / "paper.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True
    )
    return done.stdout.decode()


def draw(pdf: bytes, tmp_path, resolution: int) -> Image.Image:
    path = tmp_path / "paper.pdf"
    path.write_bytes(pdf)
    subprocess.run(
        ["pdftoppm", "-r", str(resolution), "-singlefile", "-png", path, path.stem],
        check=True,
        cwd=tmp_path,
    )
    return Image.open(tmp_path / "paper.png")


def test_the_paper_says_what_was_frozen(tmp_path):
    text = read_text(compose(), tmp_path)

    for value in (
        "证书编号：2026-GX-0000001",
        "专业技术人员继续教育合格证",
        "欧阳建国",
        "500105********4512",
        "渝中区",
        "重庆市第一人民医院心血管内科",
        "副高级",
        "卫生技术人员",
        "example.cn/verify/",
        "重庆市人力资源开发服务中心",
        "本合格证已采用电子印章，无需加盖鲜章。",
    ):
        assert value in text
    plain = "".join(text.split())
    assert "该同志于2026年度参加专业技术人员继续教育公需科目学习" in plain
    assert "完成规定的30学时" in plain
    assert "2026年6月15日" in plain


def test_the_field_of_study_is_named_where_a_plan_has_one(tmp_path):
    plain = "".join(
        read_text(compose(subject="专业科目", field="工程建设"), tmp_path).split()
    )

    assert "继续教育专业科目（工程建设）学习" in plain


@pytest.mark.parametrize("resolution", [60, 100, 200])
def test_the_code_on_the_page_leads_to_its_verification(tmp_path, resolution):
    picture = draw(compose(), tmp_path, resolution)

    codes = zxingcpp.read_barcodes(picture)

    assert [code.text for code in codes] == [PRINTED["verify_url"]]


def test_the_seal_is_in_the_content_under_the_text(tmp_path):
    """Red inside the seal's box also where form fields are not drawn, black text over it."""
    picture = draw(compose(), tmp_path, 100).convert("RGB")
    x, y = documents.SEAL_MIDDLE
    scale = 100 / 25.4
    reach = documents.SEAL_RADIUS * scale
    middle = (x * scale, picture.height - y * scale)
    box = picture.crop(
        (
            int(middle[0] - reach),
            int(middle[1] - reach),
            int(middle[0] + reach),
            int(middle[1] + reach),
        )
    )
    colours = list(box.get_flattened_data())
    red = sum(r > 180 and g < 80 and b < 80 for r, g, b in colours)
    black = sum(r < 60 and g < 60 and b < 60 for r, g, b in colours)

    assert red > 3000
    assert black > 200


def test_a_page_is_a4_landscape_and_all_fonts_are_embedded():
    with pikepdf.open(BytesIO(compose())) as document:
        (page,) = document.pages
        size = [round(float(side)) for side in page.mediabox]
        descriptors = [
            item
            for item in document.objects
            if isinstance(item, pikepdf.Dictionary)
            and str(item.get("/Type")) == "/FontDescriptor"
        ]
        embedded = [
            "/FontFile2" in item or "/FontFile3" in item for item in descriptors
        ]
    assert size == [0, 0, 842, 595]
    assert embedded
    assert all(embedded)


@pytest.mark.parametrize("unit", ["重庆", "重" * 40, "重庆市示例" * 24])
def test_a_signed_certificate_stays_small(unit):
    assert len(documents.sign(compose(unit_name=unit))) <= 95_000


def test_what_cannot_be_printed_is_refused_before_anything_is_made():
    with pytest.raises(UnprintableTextError) as caught:
        compose(name="张\ue863")
    assert caught.value.characters == "\ue863"


def test_markup_in_a_value_is_printed_not_obeyed(tmp_path):
    text = read_text(compose(unit_name='<b>甲</b>&"乙"'), tmp_path)

    assert '<b>甲</b>&"乙"' in text


def test_a_rare_character_sets_its_line_in_the_one_weight_it_has(monkeypatch):
    press = documents.press()
    monkeypatch.setattr(press, "needs_rare_font", lambda text: "国" in text)

    styles = [cell.style for cell in Paper(printed=PRINTED, id_number="1").cells]

    assert styles[0] == "value narrow row-1 plain"
    assert styles[1] == "value wide row-1"


def test_the_background_is_drawn_once_and_named_after_what_it_shows(
    settings, tmp_path, monkeypatch
):
    press = documents.press()
    monkeypatch.setattr(documents, "press", lambda: press)
    settings.VAR_DIR = tmp_path
    documents.background.cache_clear()
    first = documents.background("v1")
    documents.background.cache_clear()
    assert documents.background("v1") == first

    settings.CERTIFICATE_ISSUER = "另一示例中心"
    documents.background.cache_clear()
    documents.background("v1")

    kept = list((tmp_path / "certificates" / "backgrounds").iterdir())
    documents.background.cache_clear()
    assert len(kept) == 2
    assert {path.suffix for path in kept} == {".pdf"}


def test_production_uses_the_files_it_names(settings, tmp_path):
    settings.SEAL_KEY_FILE = str(tmp_path / "key.pem")
    settings.SEAL_CERTIFICATE_FILE = str(tmp_path / "certificate.pem")
    settings.SEAL_ROOTS_FILE = str(tmp_path / "roots.pem")

    paths = documents.seal_files.__wrapped__()

    assert [path.name for path in paths] == ["key.pem", "certificate.pem", "roots.pem"]
    assert list(tmp_path.iterdir()) == []


def test_production_without_its_seal_makes_none_up(settings, tmp_path):
    settings.PRODUCTION, settings.VAR_DIR = True, tmp_path

    with pytest.raises(SealKeyError):
        documents.seal_files.__wrapped__()

    assert list(tmp_path.iterdir()) == []
