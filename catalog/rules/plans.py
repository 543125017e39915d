"""Whether plans and courses may be published, and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from catalog.errors import PriceRefusedError


def plan_price_fen(*, per_hour: bool, unit_price_fen: int, hours: int) -> int:
    """Price of a whole plan in fen: the unit price is one hour's or the plan's."""
    return unit_price_fen * hours if per_hour else unit_price_fen


def refuse_price(
    *, valid_from: date, unit_price_fen: int, is_published: bool, today: date
) -> None:
    """Raise `PriceRefusedError` for a price that may not be set today.

    A published plan's price of today has been shown and paid: it changes tomorrow at the
    earliest. A draft has been seen by nobody and may be corrected at once.
    """
    if unit_price_fen == 0:
        raise PriceRefusedError("单价须大于零")
    earliest = today + timedelta(days=1) if is_published else today
    if valid_from < earliest:
        raise PriceRefusedError(
            f"已发布的计划，新价格最早从 {earliest:%Y-%m-%d} 起执行"
            if is_published
            else "执行日期不能早于今天"
        )


@dataclass(frozen=True)
class CourseFacts:
    """What publishing needs to know of a course: `unplayable` are titles of chapters."""

    title: str
    credits: int
    chapter_count: int
    unplayable: Sequence[str] = ()
    is_compulsory: bool = False
    is_published: bool = True


@dataclass(frozen=True)
class PlanFacts:
    """What publishing needs to know of a plan. Credits and hours count the same."""

    hours: int
    price_fen: int
    required_credits: int
    compulsory_credits: int
    elective_credits: int


@dataclass(frozen=True)
class CreditSum:
    """Credits that the courses of a plan offer."""

    compulsory: int
    elective: int

    @property
    def total(self) -> int:
        return self.compulsory + self.elective


def sum_credits(courses: Sequence[CourseFacts]) -> CreditSum:
    """Add up what the courses of a plan offer."""
    compulsory = sum(course.credits for course in courses if course.is_compulsory)
    return CreditSum(
        compulsory=compulsory,
        elective=sum(course.credits for course in courses) - compulsory,
    )


def find_course_problems(course: CourseFacts) -> list[str]:
    """Say what keeps a course from being published; nothing when it may be."""
    problems = []
    if course.credits == 0:
        problems.append(f"课程《{course.title}》没有学分")
    if course.chapter_count == 0:
        problems.append(f"课程《{course.title}》没有章节")
    problems.extend(
        f"课程《{course.title}》的章节“{chapter}”没有可播放的视频"
        for chapter in course.unplayable
    )
    return problems


def find_plan_problems(plan: PlanFacts, courses: Sequence[CourseFacts]) -> list[str]:
    """Say what keeps a plan from being published; nothing when it may be.

    A plan must be one that a person can finish: the courses offer at least the compulsory,
    the elective and the total credits that it requires, and each of them can be studied.
    """
    problems = _find_sum_problems(plan, sum_credits(courses))
    if plan.price_fen == 0:
        problems.append("没有设定当前价格")
    if not courses:
        problems.append("没有课程")
    for course in courses:
        if not course.is_published:
            problems.append(f"课程《{course.title}》尚未发布")
        problems.extend(find_course_problems(course))
    return problems


def _find_sum_problems(plan: PlanFacts, offered: CreditSum) -> list[str]:
    checks = (
        (
            plan.required_credits == plan.hours,
            f"要求学分 {plan.required_credits} 与学时 {plan.hours} 不一致",
        ),
        (
            offered.compulsory >= plan.compulsory_credits,
            f"必修课程合计 {offered.compulsory} 学分，不足 {plan.compulsory_credits} 学分",
        ),
        (
            offered.elective >= plan.elective_credits,
            f"选修课程合计 {offered.elective} 学分，不足 {plan.elective_credits} 学分",
        ),
        (
            offered.total >= plan.required_credits,
            f"全部课程合计 {offered.total} 学分，不足 {plan.required_credits} 学分",
        ),
    )
    return [problem for holds, problem in checks if not holds]
