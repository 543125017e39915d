"""Use cases of learning: enrolments, play sessions, the ledger, anti-idle questions."""

from learning.services.enrolments import (
    open_enrolment_by_staff,
    open_enrolments,
    revoke_enrolment,
    withdraw_rights,
)
from learning.services.ledger import Beat, record_beat
from learning.services.prompts import PromptAnswer, answer_prompt
from learning.services.sessions import close_idle_sessions, close_session, open_session
from learning.services.study import Clock, Receipt, StudyAnswer

__all__ = [
    "Beat",
    "Clock",
    "PromptAnswer",
    "Receipt",
    "StudyAnswer",
    "answer_prompt",
    "close_idle_sessions",
    "close_session",
    "open_enrolment_by_staff",
    "open_enrolments",
    "open_session",
    "record_beat",
    "revoke_enrolment",
    "withdraw_rights",
]
