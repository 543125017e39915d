"""Pure decisions of the catalogue."""

from catalog.rules.plans import (
    CourseFacts,
    CreditSum,
    PlanFacts,
    find_course_problems,
    find_plan_problems,
    plan_price_fen,
    refuse_price,
    sum_credits,
)
from catalog.rules.uploads import LARGEST_UPLOAD, VIDEO_EXTENSIONS, refuse_upload

__all__ = [
    "LARGEST_UPLOAD",
    "VIDEO_EXTENSIONS",
    "CourseFacts",
    "CreditSum",
    "PlanFacts",
    "find_course_problems",
    "find_plan_problems",
    "plan_price_fen",
    "refuse_price",
    "refuse_upload",
    "sum_credits",
]
