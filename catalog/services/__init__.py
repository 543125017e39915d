"""Use cases of the catalogue: publishing with checks, prices, and making uploads playable."""

from catalog.services.captions import read_captions
from catalog.services.copying import copy_plan, draft_next_year
from catalog.services.ordering import order_chapters, order_plan_courses
from catalog.services.prices import set_plan_price
from catalog.services.publishing import (
    publish_course,
    publish_plan,
    withdraw_course,
    withdraw_plan,
)
from catalog.services.questions import (
    ImportCounts,
    drop_question_sheet,
    import_question_sheet,
    upload_question_sheet,
)
from catalog.services.served import note_served
from catalog.services.uploads import (
    begin_upload,
    forget_abandoned_uploads,
    receive_part,
    take_upload,
)
from catalog.services.videos import delete_video, process_video, retry_video

__all__ = [
    "ImportCounts",
    "begin_upload",
    "copy_plan",
    "delete_video",
    "draft_next_year",
    "drop_question_sheet",
    "forget_abandoned_uploads",
    "import_question_sheet",
    "note_served",
    "order_chapters",
    "order_plan_courses",
    "process_video",
    "publish_course",
    "publish_plan",
    "read_captions",
    "receive_part",
    "retry_video",
    "set_plan_price",
    "take_upload",
    "upload_question_sheet",
    "withdraw_course",
    "withdraw_plan",
]
