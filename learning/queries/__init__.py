"""Reads of learning. A person's rows are reached through the `…_for` functions only."""

from learning.queries.courses import (
    ChapterState,
    CourseState,
    get_plan_chapter,
    list_chapter_states,
    list_course_states,
    read_refused_ms,
)
from learning.queries.enrolments import (
    HELD_PLAN_COLUMNS,
    HeldPlan,
    find_enrolment,
    get_enrolment_for,
    list_completed_for,
    list_enrolments_for,
    list_enrolments_of,
    list_holders,
    list_learners,
)
from learning.queries.prompts import (
    count_lost_in_a_row,
    find_open_prompt,
    find_question_text,
    list_recent_stems,
    read_question_pools,
    read_shown,
)

__all__ = [
    "HELD_PLAN_COLUMNS",
    "ChapterState",
    "CourseState",
    "HeldPlan",
    "count_lost_in_a_row",
    "find_enrolment",
    "find_open_prompt",
    "find_question_text",
    "get_enrolment_for",
    "get_plan_chapter",
    "list_chapter_states",
    "list_completed_for",
    "list_course_states",
    "list_enrolments_for",
    "list_enrolments_of",
    "list_holders",
    "list_learners",
    "list_recent_stems",
    "read_question_pools",
    "read_refused_ms",
    "read_shown",
]
