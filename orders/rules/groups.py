"""What a group check may tell its buyer, and when it looks like guessing.

Whoever pastes numbers learns which of them have an account and lack the plan: that much is
needed to buy. Everything else is one reason, unless the right name was given with the number.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

# Rows, what was pasted or uploaded, and error files are for the purchase, not for keeping.
ROWS_KEPT = timedelta(hours=24)
DAY = timedelta(days=1)

# The one reason, whatever is behind it: no account, a closed one, the plan held or ordered.
# Whether a name was given the buyer knows; that it is wrong must not be told apart.
UNAVAILABLE = "未注册或已购买"
UNAVAILABLE_NAMED = "未注册或已购买，或姓名与账号不一致"
HELD = "已开通该学习计划，无需购买"
ORDERED = "已有该学习计划的订单（待支付或已支付）"
TAKEN = "核对后刚刚已开通或已有订单，不能再购买"


class Verdict(StrEnum):
    """What a readable row means beside the accounts; the values of the row's outcome."""

    FREE = "free"
    UNAVAILABLE = "unavailable"
    HELD = "held"
    ORDERED = "ordered"


@dataclass(frozen=True, slots=True)
class Account:
    """What of an account decides about a row."""

    person_id: int
    name: str
    holds_plan: bool = False
    has_order: bool = False


def judge_person(*, name: str, account: Account | None) -> Verdict:
    """Compare a row with the account of its number. `name` is empty when none was given."""
    if account is None or (name and name != account.name):
        return Verdict.UNAVAILABLE
    if not account.holds_plan and not account.has_order:
        return Verdict.FREE
    if not name:
        return Verdict.UNAVAILABLE
    return Verdict.HELD if account.holds_plan else Verdict.ORDERED


def explain(outcome: str, *, has_name: bool) -> str:
    """The reason of a row that cannot be bought; empty for one that can."""
    if outcome == Verdict.UNAVAILABLE:
        return UNAVAILABLE_NAMED if has_name else UNAVAILABLE
    return {Verdict.HELD: HELD, Verdict.ORDERED: ORDERED, "taken": TAKEN}.get(
        outcome, ""
    )


@dataclass(frozen=True, slots=True)
class Alarm:
    """From how many numbers in a day on, and below which percentage found, staff look."""

    numbers: int
    percent: int


def looks_like_guessing(*, asked: int, known: int, alarm: Alarm) -> bool:
    """Whether so few of the numbers asked about in a day were anybody's to buy for."""
    return asked >= alarm.numbers and known * 100 < asked * alarm.percent


# The way of a group purchase as its pages show it, and where each state stands on it.
STEPS = ("填写名单", "系统验证", "提交订单", "支付", "开通学习")
_PLACES = {"": 0, "waiting": 1, "checking": 1, "refused": 1, "checked": 2}
_ORDERED = 3


def describe_steps(state: str) -> list[dict[str, str]]:
    """The steps with the state of each, as the component shows them; no state yet: the first
    is being done."""
    place = _PLACES.get(state, _ORDERED)
    return [
        {
            "title": title,
            "state": (
                "done" if number < place else "current" if number == place else "todo"
            ),
        }
        for number, title in enumerate(STEPS)
    ]
