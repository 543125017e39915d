"""What WeChat Pay v3 says about a trade and a refund, by answer and by notification."""

from collections.abc import Mapping
from typing import Any

from portal.sandbox.store import Document
from portal.sandbox.wechat_pay_signatures import WeChatPayAccount
from portal.sandbox.wechat_pay_trades import PAID_STATES, STATE_LABELS


def describe_trade(trade: Document, account: WeChatPayAccount) -> Document:
    """Return a trade as the query answers it and the notification carries it."""
    told = {
        "appid": account.app_id,
        "mchid": account.merchant_id,
        "out_trade_no": trade["number"],
        "trade_state": trade["state"],
        "trade_state_desc": STATE_LABELS[trade["state"]],
        "attach": "",
        "amount": {"total": trade["amount_fen"], "currency": "CNY"},
    }
    if trade["state"] not in PAID_STATES:
        return told
    paid_fen = trade["paid_fen"] or trade["amount_fen"]
    return told | {
        "transaction_id": trade["transaction_id"],
        "trade_type": trade["trade_type"],
        "bank_type": "OTHERS",
        "success_time": trade["paid_at"] or trade["created_at"],
        "payer": {"openid": trade["payer"] or "oSANDBOX0000000000000000001"},
        "amount": {
            "total": paid_fen,
            "payer_total": paid_fen,
            "currency": "CNY",
            "payer_currency": "CNY",
        },
    }


def describe_refund(trade: Document, refund: Document) -> Document:
    """Return a refund as both refund calls answer it."""
    told = {
        "refund_id": refund["refund_id"],
        "out_refund_no": refund["number"],
        "transaction_id": trade["transaction_id"],
        "out_trade_no": trade["number"],
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": refund["created_at"],
        "status": refund["status"],
        "amount": {**_amounts(trade, refund), "currency": "CNY"},
    }
    if refund["success_time"]:
        told["success_time"] = refund["success_time"]
    return told


def note_refund(
    trade: Document, refund: Document, account: WeChatPayAccount
) -> Document:
    """Return what the notification of a refund carries."""
    told = {
        "mchid": account.merchant_id,
        "out_trade_no": trade["number"],
        "transaction_id": trade["transaction_id"],
        "out_refund_no": refund["number"],
        "refund_id": refund["refund_id"],
        "refund_status": refund["status"],
        "user_received_account": "支付用户零钱",
        "amount": _amounts(trade, refund),
    }
    if refund["success_time"]:
        told["success_time"] = refund["success_time"]
    return told


def _amounts(trade: Document, refund: Document) -> dict[str, Any]:
    return {
        "total": trade["amount_fen"],
        "refund": refund["amount_fen"],
        "payer_total": trade["paid_fen"],
        "payer_refund": refund["amount_fen"],
    }


def merge(document: Document, changes: Mapping[str, object]) -> Document:
    """Return `document` with `changes` in it; objects inside are merged as well."""
    merged = dict(document)
    for name, value in changes.items():
        known = merged.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            merged[name] = merge(known, value)
        else:
            merged[name] = value
    return merged
