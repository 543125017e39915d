"""课程培训: what a person studies, the courses of a plan, the player."""

from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from catalog.errors import CourseNotFoundError, PlanNotFoundError
from catalog.models import PlanCourse, Video
from catalog.queries import (
    COURSES_PER_PAGE,
    get_plan_course,
    get_plan_for_staff,
    read_plan_offer,
    recall_plan_offer,
    signed_stream_url,
    signed_video_url,
)
from catalog.views import may_preview
from learning.errors import EnrolmentNotFoundError
from learning.models import Enrolment
from learning.queries import (
    HELD_PLAN_COLUMNS,
    ChapterState,
    HeldPlan,
    get_enrolment_for,
    list_chapter_states,
    list_course_states,
    list_enrolments_for,
)
from learning.rules.credit import find_resume_ms

ENROLMENTS_PER_PAGE = 12
STATES = {"open": Enrolment.State.OPEN, "completed": Enrolment.State.COMPLETED}


@require_safe
@never_cache
@login_required
def training(request: HttpRequest) -> HttpResponse:
    enrolments = list_enrolments_for(cast(User, request.user))
    chosen = request.GET.get("state", "")
    if chosen in STATES:
        enrolments = enrolments.filter(state=STATES[chosen])
    rows = enrolments.values_list(*HELD_PLAN_COLUMNS)
    page = Paginator(rows, ENROLMENTS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "plans": [HeldPlan(*row) for row in page.object_list],
        "state": chosen if chosen in STATES else "",
        "today": timezone.localdate(),
    }
    return render(request, "learning/training.html", context)


@require_safe
@never_cache
@login_required
def course_list(request: HttpRequest, plan: str) -> HttpResponse:
    enrolment = _get_enrolment(request, plan)
    kind = request.GET.get("kind", "")
    kind = kind if kind in PlanCourse.Kind.values else ""
    # A draft is looked at while it is being made.
    read = read_plan_offer if _is_preview(enrolment) else recall_plan_offer
    offer = read(enrolment.plan_id)
    courses = Paginator(offer.of_kind(kind), COURSES_PER_PAGE)
    page = courses.get_page(request.GET.get("page"))
    context = {
        "enrolment": enrolment,
        "plan": enrolment.plan,
        "offer": offer,
        "kind": kind,
        "page_obj": page,
        "courses": list_course_states(enrolment, list(page.object_list)),
        "is_open": _is_open(enrolment),
        "is_preview": _is_preview(enrolment),
    }
    return render(request, "learning/course_list.html", context)


@require_safe
@never_cache
@login_required
def player(request: HttpRequest, plan: str, course: str) -> HttpResponse:
    enrolment = _get_enrolment(request, plan)
    try:
        plan_course = get_plan_course(enrolment.plan, course)
    except CourseNotFoundError as error:
        raise Http404(error.message) from error
    chapters = list_chapter_states(enrolment, plan_course.course)
    current = _choose_chapter(chapters, request.GET.get("chapter", ""))
    is_open = _is_open(enrolment)
    context = {
        "is_preview": _is_preview(enrolment),
        "enrolment": enrolment,
        "plan": enrolment.plan,
        "plan_course": plan_course,
        "course": plan_course.course,
        "chapters": chapters,
        "current": current,
        "next_chapter": _next_after(chapters, current),
        "is_open": is_open,
        "done_count": sum(state.is_completed for state in chapters),
    }
    video = current and _find_playable_video(current)
    if current and video and is_open:
        context["config"] = {
            "plan": enrolment.plan.code,
            "course": plan_course.course.code,
            "credits": plan_course.course.credits,
            "fastestSpeed": enrolment.plan.fastest_speed / 100,
            **_describe_chapter(current, video),
            **_describe_files(video, cast(User, request.user)),
            **_describe_service(request),
        }
    return render(request, "learning/player.html", context)


def _get_enrolment(request: HttpRequest, plan: str) -> Enrolment:
    """The person's enrolment; for staff without one a preview, which is never saved."""
    person = cast(User, request.user)
    try:
        return get_enrolment_for(person, plan)
    except EnrolmentNotFoundError as error:
        if not may_preview(request):
            raise Http404(error.message) from error
    try:
        seen = get_plan_for_staff(plan, day=timezone.localdate())
    except PlanNotFoundError as error:
        raise Http404(error.message) from error
    return Enrolment(person=person, plan=seen)


def _is_preview(enrolment: Enrolment) -> bool:
    return enrolment.pk is None


def _is_open(enrolment: Enrolment) -> bool:
    """Whether the player opens today; a preview does before the training begins."""
    today = timezone.localdate()
    return _is_preview(enrolment) or enrolment.plan.is_open_for_study(today)


def _choose_chapter(chapters: list[ChapterState], wanted: str) -> ChapterState | None:
    """The chapter the address names; without a name the first that is not finished."""
    if wanted:
        for state in chapters:
            if str(state.chapter.position) == wanted:
                return state
        raise Http404("no such chapter")
    unfinished = (state for state in chapters if not state.is_completed)
    return next(unfinished, chapters[0] if chapters else None)


def _next_after(
    chapters: list[ChapterState], current: ChapterState | None
) -> ChapterState | None:
    if current is None or current not in chapters:
        return None
    following = chapters[chapters.index(current) + 1 :]
    return following[0] if following else None


def _find_playable_video(state: ChapterState) -> Video | None:
    video = state.chapter.video
    return video if video and video.state == Video.State.READY else None


def _describe_chapter(current: ChapterState, video: Video) -> dict[str, Any]:
    """The chapter as the player's script reads it from a JSON block of the page."""
    progress = current.progress
    covered = progress.covered if progress else []
    pending = progress.pending if progress else []
    return {
        "chapter": current.chapter.position,
        "durationMs": video.duration_ms,
        "covered": covered,
        "pending": pending,
        "completed": current.is_completed,
        "resumeMs": find_resume_ms(
            progress.position_ms if progress else 0,
            [*covered, *pending],
            video.duration_ms,
            is_completed=current.is_completed,
        ),
    }


def _describe_files(video: Video, person: User) -> dict[str, str]:
    now = timezone.now()
    return {
        "video": signed_video_url(video, person, now),
        "stream": signed_stream_url(video, person, now),
        "poster": (
            signed_video_url(video, person, now, "poster.jpg") if video.poster else ""
        ),
        "captions": (
            signed_video_url(video, person, now, "captions.vtt")
            if video.captions
            else ""
        ),
    }


def _describe_service(request: HttpRequest) -> dict[str, Any]:
    here = urlencode({"next": request.get_full_path()})
    return {
        "beatSeconds": settings.LEARNING["beat_seconds"],
        "csrfCookie": settings.CSRF_COOKIE_NAME,
        "urls": {
            "open": reverse("learning:session-open"),
            "beat": reverse("learning:beat"),
            "close": reverse("learning:session-close"),
            "answer": reverse("learning:prompt-answer"),
            "login": f"{reverse(settings.LOGIN_URL)}?{here}",
        },
    }
