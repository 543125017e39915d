"""When a plan is finished, and how far it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CreditRule:
    """What a plan asks for: so many credits in all, of them at least these of either kind."""

    required: int
    compulsory: int = 0
    elective: int = 0


@dataclass(frozen=True)
class CreditState:
    """What a learner has earned of either kind."""

    compulsory: int = 0
    elective: int = 0


def count_useful_credits(rule: CreditRule, earned: CreditState) -> int:
    """Credits that help to fulfil the rule: what exceeds one kind's share fills the free rest.

    20 required and 10 elective credits: 30 required ones alone are worth 20.
    """
    compulsory = min(earned.compulsory, rule.compulsory)
    elective = min(earned.elective, rule.elective)
    free = rule.required - rule.compulsory - rule.elective
    beyond = earned.compulsory - compulsory + earned.elective - elective
    return compulsory + elective + min(free, beyond)


def is_plan_fulfilled(rule: CreditRule, earned: CreditState) -> bool:
    return count_useful_credits(rule, earned) >= rule.required


def plan_percent(rule: CreditRule, earned: CreditState) -> int:
    """计划完成度: whole percent, rounded down, 100 only when the rule is fulfilled."""
    if rule.required == 0:
        return 100
    return count_useful_credits(rule, earned) * 100 // rule.required
