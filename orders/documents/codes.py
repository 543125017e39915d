"""Papers and sheets about activation codes: cards to cut out, the blank list, what is wrong."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path

import segno
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from catalog.models import Plan
from orders.models import ActivationCode
from portal.lib.pdf import Press, open_press
from portal.lib.spreadsheet import write_sheet

PAPER = "orders/paper"
# Fixed, because trying all eight masks costs more than drawing the code.
QR_MASK = 2
NAME_HEAD = "姓名"
ACCOUNT_HEAD = "账号（用户名、手机号码或身份证号码，任填一项）"
_COLUMNS = ((NAME_HEAD, 16), (ACCOUNT_HEAD, 46))
_ERRORS = (("错误说明", 50), ("原文件行号", 12))


def press() -> Press:
    return open_press(
        settings.NODE_MODULES, Path(settings.RARE_FONT_FILE), settings.VAR_DIR / "fonts"
    )


def make_code_cards(
    codes: Sequence[ActivationCode], *, plan: Plan, now: datetime
) -> bytes:
    """Return the PDF with a card for each code. Raises `PaperError`."""
    address = settings.SITE_URL + reverse("orders:code-redeem")
    context = {
        "plan": plan,
        "address": address.partition("://")[2],
        "rows": _pair([_describe_card(code, address) for code in codes]),
        "date": timezone.localdate(now),
        "portal": settings.PORTAL_NAME,
    }
    html = render_to_string(f"{PAPER}/cards.html", context)
    folder = Path(settings.BASE_DIR) / "templates" / PAPER
    return press().render(html, stylesheets=[folder / "cards.css"])


def _describe_card(code: ActivationCode, address: str) -> dict[str, object]:
    """The code stands behind the # of the address: browsers send that to no server, so it
    comes into no log and no Referer."""
    modules = segno.make_qr(f"{address}#{code.secret}", error="m", mask=QR_MASK).matrix
    return {
        "number": code.number,
        "secret": code.written_secret,
        "qr_size": len(modules),
        "qr_path": "".join(_draw_runs(modules)),
    }


def _draw_runs(modules: Sequence[Sequence[int]]) -> Iterator[str]:
    """Neighbouring dark modules of a row as one box: half as much to draw."""
    for y, row in enumerate(modules):
        x = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                yield f"M{x} {y}h{length}v1h-{length}z"
            x += length


def _pair(cards: Sequence[dict[str, object]]) -> list[Sequence[dict[str, object]]]:
    return [cards[start : start + 2] for start in range(0, len(cards), 2)]


def write_code_template() -> bytes:
    """The blank list of people; every cell is text, so that numbers keep their digits."""
    return write_sheet("赠送名单", _COLUMNS, [("", "")] * 50)


def write_code_errors(rows: Iterable[tuple[int, str, str, str]]) -> bytes:
    """Rows (line, name, account, problem) as they were typed, to correct and send again."""
    return write_sheet(
        "赠送名单",
        (*_COLUMNS, *_ERRORS),
        ((name, account, problem, line) for line, name, account, problem in rows),
    )
