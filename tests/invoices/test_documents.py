import subprocess
from io import BytesIO

import pikepdf
import pytest

from invoices.documents import draw_invoice
from invoices.models import Invoice
from tests.factories.invoices import ENTERPRISE, make_invoice

pytestmark = pytest.mark.django_db


def read_text(pdf: bytes, tmp_path) -> str:
    path = tmp_path / "invoice.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True
    )
    return done.stdout.decode()


def test_the_picture_says_what_was_issued_and_that_it_is_a_sample(tmp_path):
    invoice = make_invoice(details=ENTERPRISE, issued=True)

    text = read_text(draw_invoice(invoice), tmp_path)

    for value in (
        "电子发票（普通发票）",
        invoice.number,
        "2026年06月15日",
        "示例科技有限公司",
        "91110000600037341L",
        "重庆市人力资源开发服务中心",
        "*非学历教育服务*培训费",
        "31.13",
        "1.87",
        "6%",
        "¥33.00",
        "叁拾叁圆整",
        invoice.order.number,
        "仅供演示",
        "不得报销",
    ):
        assert value in text


def test_a_real_invoice_has_no_mark_of_a_sample(tmp_path):
    invoice = make_invoice(issued=True)
    invoice.is_sample = False

    text = read_text(draw_invoice(invoice), tmp_path)

    assert "演示" not in text
    assert "样" not in text


def test_a_red_invoice_shows_negative_amounts(tmp_path):
    invoice = make_invoice(issued=True)
    invoice.kind = Invoice.Kind.RED

    text = read_text(draw_invoice(invoice), tmp_path)

    assert "¥-33.00" in text
    assert "（负数）叁拾叁圆整" in text


def test_it_is_one_small_page():
    pdf = draw_invoice(make_invoice(issued=True))

    with pikepdf.open(BytesIO(pdf)) as document:
        (page,) = document.pages
        size = [round(float(side) / 72 * 25.4) for side in page.mediabox]
    assert size == [0, 0, 210, 140]
    assert len(pdf) < 80_000


@pytest.mark.parametrize("length", [4, 100])
def test_long_titles_stay_on_the_page(length):
    invoice = make_invoice(issued=True)
    invoice.title, invoice.remark = "长" * length, "备" * 2 * length

    with pikepdf.open(BytesIO(draw_invoice(invoice))) as document:
        assert len(document.pages) == 1
