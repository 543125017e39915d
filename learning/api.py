"""The player's endpoints: JSON in, JSON out, CSRF-protected, for the logged-in learner.

`learning.urls` makes them endpoints of the browser, `learning.api_v1` of the app.

Errors are `{"error": code, "message": words for the learner}`: 400 what no honest player
sends, 401 login over, 403 not entitled, 404 not this person's, 409 the session is not the
live one, 413 too long.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.rules.session_marks import read_code, read_note
from catalog.models import Chapter
from catalog.queries import signed_stream_url, signed_video_url
from learning.errors import (
    ChapterNotFoundError,
    EnrolmentNotFoundError,
    InvalidInputError,
    LearningError,
    NotEntitledError,
    OutsideTrainingPeriodError,
    PromptNotFoundError,
    SessionEndedError,
    SessionNotFoundError,
    TakenOverError,
    VideoUnavailableError,
)
from learning.forms import read_answer, read_beat, read_json_object, read_open
from learning.models import ChapterProgress, Prompt, RefusedTime
from learning.queries import get_enrolment_for, get_plan_chapter
from learning.rules.beat_tokens import BeatClaim
from learning.services import (
    Beat,
    StudyAnswer,
    answer_prompt,
    close_session,
    open_session,
    record_beat,
)
from learning.services.steady_beats import issue_beat_token

LARGEST_BODY = 2048
LOGIN_AGAIN = "登录已过期，请重新登录后继续学习"
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
STATUS_OF: dict[type[LearningError], int] = {
    InvalidInputError: 400,
    NotEntitledError: 403,
    OutsideTrainingPeriodError: 403,
    ChapterNotFoundError: 404,
    EnrolmentNotFoundError: 404,
    PromptNotFoundError: 404,
    SessionNotFoundError: 404,
    SessionEndedError: 409,
    TakenOverError: 409,
    VideoUnavailableError: 409,
}
Endpoint = Callable[[User, str, dict[str, Any]], dict[str, Any]]


def study_endpoint(view: Endpoint) -> Callable[[HttpRequest], JsonResponse]:
    """Turn `view(person, login, data)` into an endpoint of the player."""

    @require_POST
    @wraps(view)
    def endpoint(request: HttpRequest) -> JsonResponse:
        if not request.user.is_authenticated:
            # Why, where the middleware has told this browser before: sent away by a login
            # elsewhere, for one.
            why = read_note(request.session)
            return _refuse(401, "login_required", why or LOGIN_AGAIN)
        body = _read_body(request)
        if len(body) > LARGEST_BODY:
            return _refuse(413, "too_long", "请求内容过长")
        try:
            data = view(request.user, login_of(request), read_json_object(body))
        except LearningError as error:
            return _refuse(STATUS_OF[type(error)], error.code, error.message)
        return JsonResponse(data, headers={"Cache-Control": "no-store"})

    return endpoint


def _read_body(request: HttpRequest) -> bytes:
    """The JSON of a request, or of the field `beat` of a form.

    A page that closes can only send a form (navigator.sendBeacon sets no header, and the
    CSRF token has to travel somewhere).
    """
    if request.content_type in FORMS:
        return request.POST.get("beat", "").encode()
    return request.body


def login_of(request: HttpRequest) -> str:
    """The code of the login's row; Django's session key is given to nobody."""
    return read_code(request.session)


def _refuse(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse(
        {"error": code, "message": message},
        status=status,
        headers={"Cache-Control": "no-store"},
    )


def session_open(person: User, login: str, data: dict[str, Any]) -> dict[str, Any]:
    wanted = read_open(data)
    enrolment = get_enrolment_for(person, wanted.plan)
    chapter = get_plan_chapter(enrolment.plan, wanted.course, wanted.chapter)
    answer = open_session(
        person=person,
        enrolment=enrolment,
        chapter=chapter,
        login=login,
        position_ms=wanted.position_ms,
        clock=timezone.now,
    )
    live = describe_live(person, login, answer)
    return live | describe_sources(chapter, person, answer.now)


def describe_sources(chapter: Chapter, person: User, now: datetime) -> dict[str, str]:
    """Addresses of a chapter's video: one file, and its qualities where it has them."""
    video = chapter.video
    if video is None:
        return {"video": "", "stream": ""}
    return {
        "video": signed_video_url(video, person, now),
        "stream": signed_stream_url(video, person, now),
    }


def beat(person: User, login: str, data: dict[str, Any]) -> dict[str, Any]:
    answer = record_beat(
        person=person, login=login, beat=_build_beat(data), clock=timezone.now
    )
    return describe_live(person, login, answer)


def session_close(person: User, login: str, data: dict[str, Any]) -> dict[str, Any]:
    close_session(
        person=person, login=login, beat=_build_beat(data), clock=timezone.now
    )
    return {"closed": True}


def prompt_answer(person: User, login: str, data: dict[str, Any]) -> dict[str, Any]:
    given = read_answer(data)
    judged = answer_prompt(
        person=person,
        login=login,
        session=given.session,
        code=given.prompt,
        option=given.option,
        clock=timezone.now,
    )
    return describe_live(person, login, judged.answer) | {
        "outcome": judged.outcome.value
    }


def _build_beat(data: dict[str, Any]) -> Beat:
    given = read_beat(data)
    return Beat(
        given.session,
        given.sequence,
        given.position_ms,
        given.is_playing,
        given.is_hidden,
    )


def describe_live(person: User, login: str, answer: StudyAnswer) -> dict[str, Any]:
    """The answer, and the token with which the next beats need not come this way."""
    claim = BeatClaim(person.pk, answer.session, login)
    return describe_answer(answer) | {"token": issue_beat_token(claim, now=answer.now)}


def describe_answer(answer: StudyAnswer) -> dict[str, Any]:
    """The answer as the player reads it; the key of a question is not among it."""
    receipt = answer.receipt
    enrolment = answer.progress.enrolment
    hold = answer.hold_until
    return {
        "session": answer.session,
        "sequence": answer.sequence,
        "credited_ms": receipt.credited_ms,
        "refused_ms": receipt.refused_ms,
        "refused_reason": receipt.refusal,
        "refused": [
            {"reason": reason, "label": RefusedTime.Reason(reason).label, "ms": ms}
            for reason, ms in answer.refused_ms.items()
        ],
        "chapter": describe_chapter(answer.progress),
        "course_completed": receipt.course_completed,
        "plan_completed": receipt.plan_completed,
        "plan": {
            "percent": enrolment.percent,
            "credits": enrolment.credits_earned,
            "completed": enrolment.is_completed,
        },
        "prompt": describe_prompt(answer.prompt, answer) if answer.prompt else None,
        "prompt_due": answer.is_prompt_due,
        "hold_seconds": (
            max(0, -int((answer.now - hold).total_seconds() // 1)) if hold else 0
        ),
    }


def describe_chapter(progress: ChapterProgress) -> dict[str, Any]:
    video = progress.chapter.video
    duration_ms = video.duration_ms if video else 0
    return {
        "duration_ms": duration_ms,
        "covered": progress.covered,
        "covered_ms": progress.covered_ms,
        "pending": progress.pending,
        "pending_ms": progress.pending_ms,
        "position_ms": progress.position_ms,
        "completed": progress.completed_at is not None,
    }


def describe_prompt(prompt: Prompt, answer: StudyAnswer) -> dict[str, Any]:
    """A question without its key; the seconds end before the server's own deadline."""
    left = (prompt.deadline_at - answer.now).total_seconds()
    return {
        "code": prompt.code,
        "stem": prompt.stem,
        "options": [{"id": code, "text": text} for code, text in prompt.options],
        "seconds_left": max(0, int(left - answer.terms.tolerance_ms / 1000)),
        "seconds_given": answer.terms.prompt_answer_ms // 1000,
        "try": prompt.try_number,
        "tries": answer.terms.prompt_tries,
    }
