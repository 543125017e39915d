"""Messages of the UnionPay simulator: what is in them, and how they are signed."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from portal.sandbox.simulator import Delivery
from portal.sandbox.store import Document
from portal.sandbox.unionpay_keys import SIGNER_NAME, Identity, make_identity
from portal.sandbox.unionpay_trades import MESSAGES, PAYMENT, REFUND

# 0, 1, 2, 4 minutes: five sends (the vendor's gateway demo). A redirect counts as received.
RETRY_STEPS = (0, 60, 120, 240)
ACCEPTED = (200, 302)


@cache
def stranger() -> Identity:
    """Somebody with the right name and an authority of the own."""
    return make_identity(SIGNER_NAME)


def digest(fields: Mapping[str, str]) -> bytes:
    pairs = [f"{k}={v}" for k, v in sorted(fields.items()) if k != "signature"]
    return hashlib.sha256("&".join(pairs).encode()).hexdigest().encode()


def sign(fields: Mapping[str, str], identity: Identity) -> dict[str, str]:
    """Return the message with the signer's certificate and signature."""
    message = {**fields, "signPubKeyCert": identity.pem}
    raw = identity.key.sign(digest(message), padding.PKCS1v15(), hashes.SHA256())
    return {**message, "signature": base64.b64encode(raw).decode()}


def describe_message(
    merchant_id: str, document: Document, kind: str, subkind: str, code: str
) -> dict[str, str]:
    return {
        "version": "5.1.0",
        "encoding": "UTF-8",
        "signMethod": "01",
        "accessType": "0",
        "bizType": "000201",
        "exchangeRate": "0",
        "respCode": code,
        # Brackets with an & inside, as reserved fields may bring them.
        "reserved": "{cardTransData=1&discount=0}",
        "respMsg": MESSAGES[code],
        **describe_money(merchant_id, document, is_refund=kind == REFUND),
        "txnSubType": subkind,
    }


def describe_money(
    merchant_id: str, document: Document, *, is_refund: bool
) -> dict[str, str]:
    paid_fen = document["paid_fen"] or document["amount_fen"]
    return {
        "merId": merchant_id,
        "orderId": document["number"],
        "txnTime": document["txn_time"],
        "txnType": REFUND if is_refund else PAYMENT,
        "txnSubType": "00" if is_refund else "01",
        "txnAmt": str(paid_fen),
        "currencyCode": "156",
        "settleAmt": str(paid_fen),
        "settleCurrencyCode": "156",
        "queryId": document["query_id"],
        "traceNo": document["trace_no"],
        "traceTime": (document["paid_at"] or document["txn_time"])[4:],
    }


def write_time(text: str) -> str:
    """Return yyyyMMddHHmmss as people write it, and as the other vendors do."""
    if not text:
        return ""
    return (
        f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[8:10]}:{text[10:12]}:{text[12:14]}"
    )


def pack(url: str, notice: Mapping[str, str]) -> Delivery:
    return Delivery(
        url=url,
        body=urlencode(notice),
        content_type="application/x-www-form-urlencoded;charset=UTF-8",
        steps=RETRY_STEPS,
        statuses=ACCEPTED,
    )
