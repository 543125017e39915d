"""What is taught: plans, courses, chapters, videos and questions."""

from catalog.models.captions import CaptionText
from catalog.models.courses import Chapter, Course, FieldOfStudy, Lecturer
from catalog.models.plans import (
    Plan,
    PlanCourse,
    PlanPrice,
    PlanQuerySet,
    Pricing,
    Subject,
)
from catalog.models.question_sheets import QuestionSheet
from catalog.models.questions import Option, Question
from catalog.models.videos import Video, VideoQuality, VideoUpload, VideoUploadPart

__all__ = [
    "CaptionText",
    "Chapter",
    "Course",
    "FieldOfStudy",
    "Lecturer",
    "Option",
    "Plan",
    "PlanCourse",
    "PlanPrice",
    "PlanQuerySet",
    "Pricing",
    "Question",
    "QuestionSheet",
    "Subject",
    "Video",
    "VideoQuality",
    "VideoUpload",
    "VideoUploadPart",
]
