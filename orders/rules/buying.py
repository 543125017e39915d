"""Pure decisions of the pages and the API about orders: what to offer, when to ask again."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta

# Inside WeChat its own payment works best, and others may be blocked altogether.
WECHAT_GATEWAY = "wechat"
# While a buyer stands before a cashier something may happen at any moment.
SOON_SECONDS = 3
LATER_SECONDS = 15
# Staff have to look at it: hours rather than seconds.
REVIEW_SECONDS = 60
_AT_THE_CASHIER = timedelta(minutes=3)
# Long enough not to be hit upon twice, without blanks that a proxy may change.
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{8,128}", re.ASCII)


def arrange_gateways(
    gateways: Sequence[tuple[str, str]], *, in_wechat: bool
) -> list[tuple[str, str]]:
    """Return (code, label) of gateways as they are offered: WeChat's first inside WeChat."""
    if not in_wechat:
        return list(gateways)
    return sorted(gateways, key=lambda gateway: gateway[0] != WECHAT_GATEWAY)


def may_request_invoice(*, paid_on: date, today: date) -> bool:
    """Tell whether an invoice may still be asked for: in the calendar year of payment."""
    return paid_on.year == today.year


def find_next_poll(
    *,
    state: str,
    in_review: bool,
    last_started_at: datetime | None,
    now: datetime,
) -> int | None:
    """Return the seconds after which asking for an order's state makes sense again.

    None: only somebody's action can change it, and whoever acts knows. `last_started_at` is
    when the newest attempt that still waits was started, None without one.
    """
    if state != "pending":
        return None
    if in_review:
        return REVIEW_SECONDS
    if last_started_at is not None and now - last_started_at <= _AT_THE_CASHIER:
        return SOON_SECONDS
    return LATER_SECONDS


def read_idempotency_key(text: str) -> str | None:
    """Return the key that a client made for one request, None when it is none."""
    return text if _IDEMPOTENCY_KEY.fullmatch(text) else None
