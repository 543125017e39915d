"""The picture of an invoice for providers that deliver none, and files for downloads."""

from pathlib import Path

import segno
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from invoices.models import Invoice
from invoices.rules import amount_in_words
from portal.lib.money import format_yuan
from portal.lib.pdf import Press, open_press

PAPER = "invoices/paper"


def press() -> Press:
    return open_press(
        settings.NODE_MODULES, Path(settings.RARE_FONT_FILE), settings.VAR_DIR / "fonts"
    )


def draw_invoice(invoice: Invoice) -> bytes:
    """Return the PDF of an issued invoice, laid out as 电子发票（普通发票）.

    Raises `PaperError` when a value cannot be printed.
    """
    html = render_to_string(f"{PAPER}/invoice.html", describe(invoice))
    folder = Path(settings.BASE_DIR) / "templates" / PAPER
    return press().render(html, stylesheets=[folder / "invoice.css"])


def describe(invoice: Invoice) -> dict[str, object]:
    """Return what the paper prints, as text."""
    assert invoice.issued_at is not None  # noqa: S101 - held by a constraint
    sign = -1 if invoice.kind == Invoice.Kind.RED else 1
    modules = segno.make_qr(
        f"{invoice.number},{format_yuan(invoice.amount_fen)}"
    ).matrix
    return {
        "invoice": invoice,
        "red_of": invoice.corrects.number if sign < 0 and invoice.corrects else "",
        "date": timezone.localdate(invoice.issued_at),
        "net": format_yuan(sign * invoice.net_fen),
        "tax": format_yuan(sign * invoice.tax_fen),
        "total": format_yuan(sign * invoice.amount_fen),
        "words": ("（负数）" if sign < 0 else "") + amount_in_words(invoice.amount_fen),
        "rate": f"{invoice.tax_rate_permille / 10:g}%",
        "qr_size": len(modules),
        "qr_path": "".join(
            f"M{x} {y}.5h1"
            for y, row in enumerate(modules)
            for x, dark in enumerate(row)
            if dark
        ),
    }
