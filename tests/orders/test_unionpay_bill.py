"""UnionPay's daily file: read to its end or not at all."""

import base64
import io
import zipfile
import zlib
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from orders.payments.protocol import BillLine, Charge, GatewayUnavailable
from orders.payments.unionpay_bill import Entry, describe, read_file
from portal.sandbox import SandboxServer
from portal.sandbox.unionpay_files import COLUMNS, make_line
from tests.sandbox.test_protocol import NOTIFY_URL, make_charge
from tests.sandbox.unionpay_orders import gateway_at, make_return, open_order

MERCHANT = "777290000000001"
NOON = datetime.fromisoformat("2026-11-21T12:00:00+08:00")


def make_text(**changes: str) -> bytes:
    values = {
        "time": "1121093015",
        "amount": "000000003300",
        "query_id": "442611210930150000008",
        "number": "R261121ABCDEFGHJKLMN",
        "type": "01",
        "merchant": MERCHANT,
    }
    return make_line({**values, **changes})


def pack(files: dict[str, bytes]) -> str:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return base64.b64encode(zlib.compress(content.getvalue())).decode()


def read(*lines: bytes, name: str = f"INN26112188ZM_{MERCHANT}") -> list[Entry]:
    return read_file(pack({name: b"\r\n".join(lines)}), MERCHANT, near=NOON)


def test_widths_are_those_of_the_vendor() -> None:
    """As its own demo has them, with one byte between two fields."""
    widths = [width for _, width in COLUMNS]

    assert widths[:12] == [3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32]
    assert len(widths) == 42
    assert len(make_text()) == sum(widths) + 41


def test_line_is_read() -> None:
    assert read(make_text()) == [
        Entry(
            kind="01",
            number="R261121ABCDEFGHJKLMN",
            query_id="442611210930150000008",
            original_query_id="",
            amount_fen=3300,
            at=datetime.fromisoformat("2026-11-21T09:30:15+08:00"),
        )
    ]


def test_other_bytes_of_a_line_may_be_anything() -> None:
    """Names of merchants are GBK; widths count bytes."""
    line = bytearray(make_text())
    line[60:64] = "中文".encode("gbk")

    assert len(read(bytes(line))) == 1


def test_line_of_the_last_second_of_a_year_gets_its_year() -> None:
    near = datetime.fromisoformat("2027-01-01T12:00:00+08:00")
    content = pack({"ZM_": make_text(time="1231235959")})

    (entry,) = read_file(content, MERCHANT, near=near)

    assert entry.at == datetime.fromisoformat("2026-12-31T23:59:59+08:00")


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "00000000xx00"},
        {"amount": ""},
        {"time": "1321093015"},
        {"merchant": "777290000000002"},
    ],
)
def test_one_broken_or_foreign_line_spoils_the_file(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot be read or is not ours"):
        read(make_text(), make_text(**change))


def test_line_that_is_cut_off_spoils_the_file() -> None:
    with pytest.raises(ValueError, match="too short"):
        read(make_text(), make_text()[:200])


def test_file_without_lines_is_a_day_without_business() -> None:
    assert read() == []


def test_archive_without_the_file_is_not_one() -> None:
    with pytest.raises(ValueError, match="no ZM file"):
        read(make_text(), name="INN26112188ZME_1")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not base64",
        base64.b64encode(b"not deflated").decode(),
        base64.b64encode(zlib.compress(b"not a zip")).decode(),
        pack({"ZM_": make_text()})[:-40],
    ],
)
def test_unreadable_content_is_refused(content: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several libraries
        read_file(content, MERCHANT, near=NOON)


def test_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = pack({"ZM_": b"0" * (65 * 1024 * 1024)})
    assert len(bomb) < 200_000

    with pytest.raises(ValueError, match="too large"):
        read_file(bomb, MERCHANT, near=NOON)


def test_deflated_bomb_is_refused() -> None:
    bomb = base64.b64encode(zlib.compress(b"0" * (65 * 1024 * 1024))).decode()

    with pytest.raises(ValueError, match="cut off or too large"):
        read_file(bomb, MERCHANT, near=NOON)


def test_entries_become_payments_and_refunds() -> None:
    at = NOON
    entries = [
        Entry("01", "R1", "q1", "", 3300, at),
        Entry("04", "T1", "q2", "q1", 1000, at),
        Entry("31", "T2", "q3", "q9", 2000, at),
        # 预授权: no money has moved.
        Entry("02", "R2", "q4", "", 5000, at),
    ]

    lines = describe(entries, {"q1": "R1", "q9": "R9"}.__getitem__)

    assert list(lines) == [
        BillLine("R1", 3300, "q1", "", at),
        BillLine("R1", 1000, "q1", "T1", at),
        BillLine("R9", 2000, "q9", "T2", at),
    ]


# --- From the simulated file server --------------------------------------------------------


def days_ago(count: int) -> date:
    """A day of its own for each test: the orders of the others stay where they are."""
    return timezone.localdate() - timedelta(days=count)


def pay_on(sandbox: SandboxServer, day: date, clock: str = "101112") -> Charge:
    """A payment whose money moved at a Beijing time of the past."""
    charge = make_charge()
    open_order(charge)
    sandbox.unionpay.pay(charge.number)
    with sandbox.unionpay.trades.edit(charge.number) as trade:
        trade["paid_at"] = f"{day:%Y%m%d}{clock}"
    return charge


def refund_on(sandbox: SandboxServer, charge: Charge, day: date) -> str:
    back = make_return(1000)
    gateway_at().refund(charge, back, NOTIFY_URL)
    with sandbox.unionpay.trades.edit_refund(back.number) as refund:
        refund["paid_at"] = f"{day:%Y%m%d}111213"
    return back.number


def numbers_of(day: date, **later: int) -> list[tuple[str, str]]:
    """The entries of a day as they are now, or at a time counted from its beginning."""
    begins_at = datetime.combine(day, datetime.min.time(), NOON.tzinfo)
    gateway = gateway_at(begins_at + timedelta(**later) if later else None)
    lines = gateway.read_bill(day)
    return [(line.attempt_number, line.refund_number) for line in lines]


def test_calendar_day_is_put_together_from_two_clearing_days(
    sandbox: SandboxServer,
) -> None:
    """From 23:00 on a payment stands in the file of the next day."""
    day = days_ago(20)
    pay_on(sandbox, day - timedelta(days=1), "235959")
    pay_on(sandbox, day + timedelta(days=1), "000000")
    clocks = ["000000", "225959", "230000", "235959"]
    ours = {pay_on(sandbox, day, clock).number for clock in clocks}

    assert {number for number, _ in numbers_of(day)} == ours


def test_bill_tells_number_amount_and_time(sandbox: SandboxServer) -> None:
    day = days_ago(17)
    charge = pay_on(sandbox, day)

    (line,) = gateway_at().read_bill(day)

    assert line == BillLine(
        attempt_number=charge.number,
        amount_fen=3300,
        gateway_number=sandbox.unionpay.show(charge.number)["query_id"],
        at=datetime.fromisoformat(f"{day}T10:11:12+08:00"),
    )


def test_refund_of_an_older_payment_gets_its_number_by_asking(
    sandbox: SandboxServer,
) -> None:
    charge = pay_on(sandbox, days_ago(15))
    day = days_ago(13)
    number = refund_on(sandbox, charge, day)

    assert numbers_of(day) == [(charge.number, number)]
    assert sandbox.unionpay.requests[-1] == ("/gateway/api/queryTrans.do", "")


def test_refund_beside_its_payment_asks_nobody(sandbox: SandboxServer) -> None:
    day = days_ago(11)
    charge = pay_on(sandbox, day)
    number = refund_on(sandbox, charge, day)

    assert numbers_of(day) == [(charge.number, ""), (charge.number, number)]
    assert sandbox.unionpay.requests[-1][0] == "/unionpay/file"


@pytest.mark.parametrize(
    ("hours", "is_known"),
    [(24, False), (46, False), (47, False), (59, False), (60, True)],
)
def test_missing_file_is_an_empty_day_only_when_it_is_due(
    sandbox: SandboxServer, hours: int, *, is_known: bool
) -> None:
    """Noon of the second day after: the later clearing day's file is made by then."""
    day = days_ago(9)
    if is_known:
        assert numbers_of(day, hours=hours) == []
        return
    with pytest.raises(GatewayUnavailable):
        numbers_of(day, hours=hours)


def test_file_of_a_day_that_is_not_over_is_not_asked_for(
    sandbox: SandboxServer,
) -> None:
    today = timezone.localdate()
    begins_at = datetime.combine(today, datetime.min.time(), NOON.tzinfo)

    with pytest.raises(GatewayUnavailable, match="not made yet"):
        gateway_at(begins_at).read_bill(today)

    assert sandbox.unionpay.requests == []


def test_file_that_cannot_be_read_means_ask_again(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "portal.sandbox.unionpay.make_file", lambda *_: ("x.zip", "bm9uc2Vuc2U=")
    )

    with pytest.raises(GatewayUnavailable, match="bill"):
        numbers_of(days_ago(7))


@pytest.mark.parametrize("fault", ["html", "system_error", "bad_signature"])
def test_doubtful_file_means_ask_again(sandbox: SandboxServer, fault: str) -> None:
    day = days_ago(5)
    pay_on(sandbox, day)
    sandbox.unionpay.faults.append(fault)

    with pytest.raises(GatewayUnavailable):
        numbers_of(day)
