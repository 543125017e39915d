"""Pure decisions about money that goes back: who may have it, in which steps, when to ask."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from orders.rules.payments import Transitions
from portal.lib.codes import random_code

REFUND_TRANSITIONS: Transitions = {
    "requested": frozenset({"approved", "refused", "cancelled"}),
    "approved": frozenset({"done", "failed"}),
    # Tried anew under another number, paid back by other means, or given up.
    "failed": frozenset({"approved", "done", "cancelled"}),
    "done": frozenset(),
    "refused": frozenset(),
    "cancelled": frozenset(),
}

# Pauses after the first, second, ... round that brought no certainty; the last one repeats.
# Whether money went back is unknown until the gateway says so, so nobody gives up.
PAUSES = (
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)


# How long a worker may be busy with a refund; two calls of a gateway take half a minute.
REFUND_LEASE = timedelta(minutes=2)


@dataclass(frozen=True)
class RefundPolicy:
    """What buyers may have back without anybody's special decision.

    `days` after the payment, the day of payment not counted; `by_seat`: single people of an
    order; `after_study`: even of plans that were studied; `needs_approval`: finance look at a
    buyer's wish first.
    """

    buyers_may_ask: bool
    days: int
    by_seat: bool
    after_study: bool
    needs_approval: bool

    @classmethod
    def read(cls, config: Mapping[str, bool | int]) -> "RefundPolicy":
        return cls(
            buyers_may_ask=bool(config["buyers_may_ask"]),
            days=int(config["days"]),
            by_seat=bool(config["by_seat"]),
            after_study=bool(config["after_study"]),
            needs_approval=bool(config["needs_approval"]),
        )


def is_too_late(policy: RefundPolicy, *, paid_on: date, today: date) -> bool:
    """Whether the days in which buyers may have anything back are over."""
    return (today - paid_on).days > policy.days


def list_obstacles(
    policy: RefundPolicy,
    *,
    paid_on: date,
    today: date,
    is_whole: bool,
    studied: Iterable[str],
) -> list[str]:
    """Say in the buyer's words what of the policy stands against a refund.

    `studied` names the people among those concerned who have begun to study. A certificate
    needs a finished plan, so whoever has one is among them.
    """
    obstacles = []
    if is_too_late(policy, paid_on=paid_on, today=today):
        obstacles.append(f"已超过支付后{policy.days}天的退款期限")
    if not is_whole and not policy.by_seat:
        obstacles.append("只能整单退款")
    names = list(dict.fromkeys(studied))
    if names and not policy.after_study:
        shown = "、".join(names[:3]) + (f"等{len(names)}人" if len(names) > 3 else "")
        obstacles.append(f"{shown}已开始学习")
    return obstacles


def share_amount(prices_fen: Iterable[int], *, left_fen: int, is_rest: bool) -> int:
    """What goes back for lines of these prices.

    Never more than is left of what was received; everything that is left when nothing else
    of the order remains, so that an accepted odd amount leaves no rest behind.
    """
    return left_fen if is_rest else min(sum(prices_fen), left_fen)


def next_round(rounds: int, now: datetime) -> datetime:
    """When a gateway is asked again after `rounds` rounds without certainty."""
    return now + PAUSES[min(max(rounds, 1), len(PAUSES)) - 1]


def make_refund_number(day: date) -> str:
    """`T`, the date as yyMMdd and 13 random characters, by the rules of all three vendors."""
    return f"T{day:%y%m%d}{random_code(13)}"
