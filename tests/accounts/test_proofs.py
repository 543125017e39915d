from io import BytesIO

import pikepdf
import pytest
from PIL import Image

from accounts.errors import ProofRefusedError
from accounts.models import AuditEntry, PrivateFile
from accounts.rules.proofs import MAX_BYTES, find_kind
from accounts.services.proofs import open_proof, read_proofs, store_proofs
from tests.factories.requests import make_pdf, make_picture, make_proofs, upload

HEIC = b"\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1heic" + b"x" * 200


def read_one(content, name="x.jpg"):
    return read_proofs([upload(content, name)])[0]


def refused(content, name="x.jpg"):
    with pytest.raises(ProofRefusedError) as caught:
        read_one(content, name)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_become_plain_jpegs(kind):
    proof = read_one(make_picture(kind), "张三500103190001010018.png")

    assert (proof.name, proof.content_type) == ("证明材料1.jpg", "image/jpeg")
    assert Image.open(BytesIO(proof.content)).size == (320, 200)


def test_the_kind_is_told_by_the_content_not_by_the_name():
    assert read_one(make_picture("PNG"), "letter.pdf").content_type == "image/jpeg"
    assert "不是图片或PDF" in refused(b"<html><script>go()</script>", "card.jpg")
    assert find_kind(b"GIF89a" + b"\0" * 10) == ""


def test_place_camera_and_comments_are_gone():
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    content = make_picture(exif=exif, comment=b"secret comment") + b"SECRET TAIL"
    assert b"SecretCamera" in content

    drawn = read_one(content).content

    for trace in (b"SecretCamera", b"secret comment", b"SECRET TAIL", b"Exif"):
        assert trace not in drawn


def test_a_picture_is_put_upright():
    exif = Image.Exif()
    exif[0x0112] = 6

    drawn = read_one(make_picture(exif=exif)).content

    assert Image.open(BytesIO(drawn)).size == (200, 320)


def test_large_pictures_are_made_smaller():
    drawn = read_one(make_picture(size=(4000, 3000))).content

    assert Image.open(BytesIO(drawn)).size == (2400, 1800)


def test_what_is_transparent_becomes_white():
    content = BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(content, "PNG")

    drawn = Image.open(BytesIO(read_one(content.getvalue()).content))

    assert drawn.getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize("size", [(30000, 30000), (6000, 5000)])
def test_a_picture_that_unpacks_to_gigabytes(size):
    content = BytesIO()
    Image.new("1", size).save(content, "PNG")
    assert len(content.getvalue()) < MAX_BYTES

    assert refused(content.getvalue()) == "第1个文件尺寸过大，请缩小后上传。"


def test_heic_is_refused_with_a_way_out():
    words = refused(HEIC, "IMG_0001.HEIC")

    assert "HEIC格式" in words
    assert "截图后上传" in words


@pytest.mark.parametrize(
    "content", [b"\xff\xd8\xff" + b"x" * 300, make_picture()[:400], b"%PDF-1.4 nothing"]
)
def test_broken_files(content):
    assert "已损坏" in refused(content)


def test_the_place_of_the_bad_file_is_told():
    with pytest.raises(ProofRefusedError, match="第2个文件"):
        read_proofs([upload(), upload(b"text")])


def test_limits_of_number_and_size():
    with pytest.raises(ProofRefusedError, match="请上传证明材料"):
        read_proofs([])
    with pytest.raises(ProofRefusedError, match="最多上传6个"):
        read_proofs([upload() for _ in range(7)])
    assert "超过8 MB" in refused(make_picture() + b"\0" * MAX_BYTES)


def test_a_plain_pdf_stays_as_it_is():
    content = make_pdf()

    proof = read_one(content)

    assert (proof.name, proof.content_type) == ("证明材料1.pdf", "application/pdf")
    assert proof.content == content


JAVASCRIPT = {"S": pikepdf.Name.JavaScript, "JS": "app.alert(1)"}


@pytest.mark.parametrize(
    "root",
    [
        {"OpenAction": JAVASCRIPT},
        {"AA": {"WC": JAVASCRIPT}},
        {"OpenAction": {"S": pikepdf.Name.Launch, "F": "calc.exe"}},
        {"Names": {"JavaScript": {"Names": ["a", JAVASCRIPT]}}},
        {"Names": {"EmbeddedFiles": {"Names": []}}},
        {"AcroForm": {"XFA": "x"}},
    ],
)
def test_pdfs_that_do_something_or_carry_files(root):
    entries = {key: pikepdf.Object.parse(to_pdf(value)) for key, value in root.items()}

    assert "带有脚本、附件" in refused(make_pdf(**entries))


def to_pdf(value):
    """The source of a value in PDF's own words."""
    if isinstance(value, dict):
        parts = b"".join(b"/%s %s" % (k.encode(), to_pdf(v)) for k, v in value.items())
        return b"<<" + parts + b">>"
    if isinstance(value, list):
        return b"[" + b" ".join(map(to_pdf, value)) + b"]"
    if isinstance(value, pikepdf.Name):
        return str(value).encode()
    return b"(" + value.encode() + b")"


def test_an_attached_file_is_found():
    content = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.attachments["x.exe"] = b"MZ"
        pdf.save(content)

    assert "带有脚本、附件" in refused(content.getvalue())


def test_a_script_behind_a_reference_is_found():
    content = BytesIO()
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        action = pdf.make_indirect(pikepdf.Object.parse(to_pdf(JAVASCRIPT)))
        page.Annots = pikepdf.Array([pikepdf.Dictionary(Subtype="/Link", A=action)])
        pdf.save(content, object_stream_mode=pikepdf.ObjectStreamMode.generate)

    assert "带有脚本、附件" in refused(content.getvalue())


def test_long_and_locked_pdfs():
    locked = BytesIO()
    with pikepdf.open(BytesIO(make_pdf())) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="a", user="b"))

    assert "超过20页" in refused(make_pdf(21))
    assert read_one(make_pdf(20)).content_type == "application/pdf"
    assert "已加密" in refused(locked.getvalue())


@pytest.mark.django_db
def test_they_are_kept_encrypted_and_each_look_of_staff_is_noted(owner, staff, now):
    proofs = make_proofs(2)

    files = store_proofs(proofs, owner=owner, now=now)

    assert [file.purpose for file in files] == [PrivateFile.Purpose.PROOF] * 2
    assert b"JFIF" not in files[0].file.open("rb").read()
    content = open_proof(file=files[0], about="request:ABC", actor=staff, now=now)
    assert content == proofs[0].content
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target) == ("request.proof_opened", "request:ABC")
    assert (entry.actor, entry.detail) == (staff, {"file": files[0].code})
