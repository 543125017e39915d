"""What waits for the sample staff, and what they have decided: refunds, claims, odd money."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image, ImageDraw

from accounts.models import User
from accounts.services.proofs import Proof, read_proofs
from catalog.models import Plan
from orders.models import Claim, Order
from orders.rules import make_attempt_number
from orders.services.claims import approve_claim, file_claim
from orders.services.reconciliation import reconcile_bill, request_bill
from orders.services.refunds.asking import request_refund
from orders.services.refunds.deciding import approve_refund
from orders.services.refunds.running import run_refund
from portal.demo.histories import order_plan
from portal.demo.payments import GATEWAY, pay_order, pay_unknown, serve_gateways

REFUNDED, REFUND_ASKED, WRONGLY_PAID = "zy-2023", "zy-2022", "zy-2025"
VOUCHER_OPEN, VOUCHER_APPROVED, COMMITTED = "gx-2016", "gx-2017", "gx-2018"
LETTER = {"reason": "原平台已停止服务"}
# What came in place of 90 yuan.
WRONG_FEN = 8000


def load_staff_work(
    trainee: User, payer: User, staff: tuple[User, User], now: datetime
) -> None:
    """Refunds and claims of the trainee, a wrong amount of the payer, and a bill that differs.

    Of the staff the first decides money, both together decide claims.
    """
    _load_claims(trainee, staff, now)
    pay_wrongly(payer, now - timedelta(days=3))
    asked = _buy(trainee, REFUND_ASKED, now - timedelta(days=4))
    _ask(asked, "单位已统一购买，申请退款", now - timedelta(hours=26))
    refunded = _buy(trainee, REFUNDED, now - timedelta(days=8))
    _ask(refunded, "报错了年度", now - timedelta(days=7))
    with serve_gateways():
        _pay_back(refunded, staff[0], now)
        _read_bill(now - timedelta(days=3), now)


def pay_wrongly(person: User, at: datetime) -> None:
    """Order a plan and pay another amount than it costs: finance have to look at it."""
    pay_order(order_plan(person, _plan(WRONGLY_PAID), at), at, amount_fen=WRONG_FEN)


def _buy(person: User, code: str, at: datetime) -> Order:
    order = order_plan(person, _plan(code), at)
    pay_order(order, at)
    order.refresh_from_db()
    return order


def _ask(order: Order, reason: str, at: datetime) -> None:
    request_refund(order=order, line_ids=None, reason=reason, buyer=order.buyer, now=at)


def _pay_back(order: Order, actor: User, now: datetime) -> None:
    refund = order.refunds.get()
    decided_at = refund.requested_at + timedelta(hours=18)
    approve_refund(
        refund_id=refund.pk, decision="符合退款规则", actor=actor, now=decided_at
    )
    run_refund(refund_id=refund.pk, now=now)


def _read_bill(at: datetime, now: datetime) -> None:
    """The bill of a day on which something was paid that the portal knows nothing of."""
    day = timezone.localdate(at)
    pay_unknown(make_attempt_number(day), "公需科目培训", 3300, at)
    bill = request_bill(gateway=GATEWAY, day=day, now=now)
    reconcile_bill(bill_id=bill.pk, now=now)


def _load_claims(person: User, staff: tuple[User, User], now: datetime) -> None:
    long_ago = now - timedelta(days=20)
    voucher, letter = Claim.Kind.VOUCHER, Claim.Kind.COMMITMENT
    approved = _file(person, voucher, VOUCHER_APPROVED, long_ago)
    committed = _file(person, letter, COMMITTED, long_ago + timedelta(hours=1))
    for claim in (approved, committed):
        for days, actor in enumerate(staff, start=1):
            claim.refresh_from_db()
            approve_claim(
                claim_id=claim.pk,
                seen_version=claim.version,
                actor=actor,
                now=long_ago + timedelta(days=days),
            )
    _file(person, voucher, VOUCHER_OPEN, now - timedelta(hours=22))


def _file(person: User, kind: str, code: str, at: datetime) -> Claim:
    plan = _plan(code)
    paid_on = f"{plan.year}-06-30"
    proofs, wanted = [], LETTER | {"paid_on": paid_on}
    if kind == Claim.Kind.VOUCHER:
        wanted = {
            "order_number": f"GX{plan.year}0630001",
            "payer": person.name,
            "paid_on": paid_on,
            "amount_fen": "3300",
            "platform": "原公需科目学习平台",
        }
        proofs = [_draw_receipt(wanted)]
    return file_claim(
        kind=kind,
        person=person,
        plan=plan,
        wanted=wanted,
        proofs=proofs,
        actor=person,
        now=at,
    )


def _draw_receipt(wanted: Mapping[str, str]) -> Proof:
    """A picture as of a payment's page, with nothing in it that could be anybody's."""
    picture = Image.new("RGB", (720, 400), "white")
    lines = ("SAMPLE RECEIPT", wanted["order_number"], wanted["paid_on"], "CNY 33.00")
    for place, text in enumerate(lines):
        ImageDraw.Draw(picture).text(
            (60, 60 + 70 * place), text, fill="#1f2937", font_size=36
        )
    drawn = BytesIO()
    picture.save(drawn, "PNG")
    (proof,) = read_proofs([SimpleUploadedFile("receipt.png", drawn.getvalue())])
    return proof


def _plan(code: str) -> Plan:
    return Plan.objects.get(code=code)
