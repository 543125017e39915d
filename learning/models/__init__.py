"""What a person may study, how far they are, and the time that counted or did not."""

from learning.models.appeals import Appeal, AppealEvent, CreditDecision
from learning.models.enrolments import (
    CourseCompletion,
    Enrolment,
    FurtherRight,
)
from learning.models.flags import StudyFlag
from learning.models.progress import ChapterProgress, CreditedTime, RefusedTime
from learning.models.prompts import Prompt, QuestionTally
from learning.models.sessions import PersonClock, PlaySession
from learning.models.unit_hours import UnitHours, UnitHoursEvent

__all__ = [
    "Appeal",
    "AppealEvent",
    "ChapterProgress",
    "CourseCompletion",
    "CreditDecision",
    "CreditedTime",
    "Enrolment",
    "FurtherRight",
    "PersonClock",
    "PlaySession",
    "Prompt",
    "QuestionTally",
    "RefusedTime",
    "StudyFlag",
    "UnitHours",
    "UnitHoursEvent",
]
