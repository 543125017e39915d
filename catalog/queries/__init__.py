"""Reads of the catalogue: what is taught, and who may fetch a video for how long."""

from catalog.queries.captions import (
    find_caption_text,
    list_unread_captions,
    list_words_of_others,
)
from catalog.queries.courses import get_plan_course, list_chapters
from catalog.queries.plans import (
    COURSES_PER_PAGE,
    OfferedCourse,
    PlanOffer,
    get_plan,
    get_plan_for_staff,
    list_plan_years,
    list_plans,
    read_plan_offer,
    read_price_fen,
    recall_plan_offer,
)
from catalog.queries.publishing import (
    list_published_plans_with,
    read_course_facts,
    read_plan_facts,
)
from catalog.queries.questions import (
    SheetCheck,
    check_question_sheet,
    find_question_sheet,
    list_courses_for_sheets,
    list_pool_rows,
)
from catalog.queries.served import read_served_bytes
from catalog.queries.videos import (
    VideoTicket,
    get_quality,
    get_upload,
    get_video,
    list_qualities,
    list_waiting_videos,
    read_ticket,
    signed_stream_url,
    signed_video_url,
)

__all__ = [
    "COURSES_PER_PAGE",
    "OfferedCourse",
    "PlanOffer",
    "SheetCheck",
    "VideoTicket",
    "check_question_sheet",
    "find_caption_text",
    "find_question_sheet",
    "get_plan",
    "get_plan_course",
    "get_plan_for_staff",
    "get_quality",
    "get_upload",
    "get_video",
    "list_chapters",
    "list_courses_for_sheets",
    "list_plan_years",
    "list_plans",
    "list_pool_rows",
    "list_published_plans_with",
    "list_qualities",
    "list_unread_captions",
    "list_waiting_videos",
    "list_words_of_others",
    "read_course_facts",
    "read_plan_facts",
    "read_plan_offer",
    "read_price_fen",
    "read_served_bytes",
    "read_ticket",
    "recall_plan_offer",
    "signed_stream_url",
    "signed_video_url",
]
