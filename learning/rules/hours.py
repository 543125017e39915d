"""How hours add up, and what a unit may record."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from learning.errors import HoursRefusedError

# Past years can be made up as far back as this.
FIRST_YEAR = 2011
HOURS_OF_A_DAY = 24

RECORDED, PASSED, REJECTED, WITHDRAWN = "recorded", "passed", "rejected", "withdrawn"
# A unit takes back what nobody has checked; the district may change its mind, with a reason.
STEPS = {
    (RECORDED, WITHDRAWN),
    (RECORDED, PASSED),
    (RECORDED, REJECTED),
    (PASSED, REJECTED),
    (REJECTED, PASSED),
}


def count_hours(
    plans: Iterable[tuple[int, int]], *, repeated: int = 0, recorded: int = 0
) -> int:
    """Hours of one person, year and subject; one credit is one hour.

    `plans` are pairs of credits earned and hours of the plan: a plan gives no more than it
    has. `repeated` are credits of courses finished in several of them, which count once.
    `recorded` are the unit's hours.
    """
    pairs = list(plans)
    capped = sum(min(earned, hours) for earned, hours in pairs)
    return min(capped, sum(earned for earned, _ in pairs) - repeated) + recorded


@dataclass(frozen=True)
class Training:
    """What a unit says of one training, for the year it counts in."""

    year: int
    kind: str
    content: str
    organiser: str
    starts_on: date
    ends_on: date
    hours: int
    result: str

    @property
    def days(self) -> int:
        return (self.ends_on - self.starts_on).days + 1


def refuse_training(training: Training, *, today: date) -> None:
    """Raise `HoursRefusedError` for a training that cannot have been as it is told."""
    if not FIRST_YEAR <= training.year <= today.year:
        raise HoursRefusedError(f"年度须在 {FIRST_YEAR} 至 {today.year} 之间")
    if training.ends_on < training.starts_on:
        raise HoursRefusedError("结束日期不能早于开始日期")
    if {training.starts_on.year, training.ends_on.year} != {training.year}:
        raise HoursRefusedError(f"起止日期须在 {training.year} 年内，跨年的请分年登记")
    if training.ends_on > today:
        raise HoursRefusedError("培训结束后才能登记")
    if not 0 < training.hours <= HOURS_OF_A_DAY * training.days:
        raise HoursRefusedError(
            f"{training.days} 天最多登记 {HOURS_OF_A_DAY * training.days} 学时"
        )


def refuse_beside(training: Training, others: Iterable[Training]) -> None:
    """Raise `HoursRefusedError` for one that the person's other records leave no room for.

    `others` are those of the same year that count: the same content is recorded once for the
    same days, and what lies within some days gives no more than 24 hours for each of them.
    """
    every = [training, *others]
    for other in every[1:]:
        if _share_a_day(training, other) and _key(other) == _key(training):
            raise HoursRefusedError("同一时段的同一培训内容已登记过")
    every.sort(key=lambda each: each.ends_on)
    for first in {each.starts_on for each in every}:
        if first <= training.starts_on and _overflows(training, every, first):
            raise HoursRefusedError(
                f"与同一时段已登记的学时合计超过每天 {HOURS_OF_A_DAY} 学时"
            )


def _overflows(training: Training, every: Iterable[Training], first: date) -> bool:
    """Whether some days from `first` on that hold `training` hold more hours than they have.

    `every` comes in the order of the last days. What reaches beyond the days may have been
    elsewhere, so it is left out: its own days are looked at as well.
    """
    hours = 0
    for each in every:
        hours += each.hours if each.starts_on >= first else 0
        days = (each.ends_on - first).days + 1
        if each.ends_on >= training.ends_on and hours > HOURS_OF_A_DAY * days:
            return True
    return False


def _share_a_day(one: Training, other: Training) -> bool:
    return one.starts_on <= other.ends_on and other.starts_on <= one.ends_on


def _key(training: Training) -> str:
    """The content without what people type now and then differently."""
    return "".join(filter(str.isalnum, training.content.casefold()))


def refuse_step(before: str, after: str) -> None:
    """Raise `HoursRefusedError` where a record cannot go from one state to the other."""
    if (before, after) not in STEPS:
        raise HoursRefusedError("该学时已有其他办理结果，请刷新页面后再试")
