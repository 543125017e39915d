"""The addresses of the API about studying. The player's endpoints are those of the browser."""

from datetime import date
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts.api.own_views import PAGING, OwnPages, OwnView, read
from accounts.models import PersonSession, User
from catalog.models import Video
from catalog.queries import get_plan_course, recall_plan_offer, signed_video_url
from learning import api
from learning.api_v1 import examples
from learning.api_v1.problems import refusals_as_problems
from learning.api_v1.serializers import (
    AnswerSerializer,
    BeatSerializer,
    ClosedSerializer,
    CourseDetailSerializer,
    CourseListQuery,
    HeldPlanSerializer,
    HoursQuery,
    HoursSerializer,
    JudgedSerializer,
    OpenedSerializer,
    OpenSerializer,
    PlanListQuery,
    StandSerializer,
    StudyCourseSerializer,
)
from learning.forms import read_json_object
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
from learning.queries.hours import read_year_hours
from learning.rules.credit import find_resume_ms
from portal.lib.api_throttles import StudyThrottle
from portal.lib.problems import ProblemError

TAG = ["学习"]
PLAN = OpenApiParameter("plan", str, "path", description="计划编号")
COURSE = OpenApiParameter("course", str, "path", description="课程编号")


class PlanList(OwnView, GenericAPIView[Any]):
    queryset = Enrolment.objects.none()
    serializer_class = HeldPlanSerializer
    pagination_class = OwnPages

    @extend_schema(
        operation_id="list_plans",
        tags=TAG,
        summary="列出本人已开通的计划和学习进度，新的年度在前",
        parameters=[PlanListQuery, *PAGING],
        responses={200: HeldPlanSerializer(many=True), **examples.PROBLEMS_OF_ONE},
        examples=[examples.PLAN],
    )
    def get(self, request: Request) -> Response:
        wanted = read(PlanListQuery, request.query_params)
        held = list_enrolments_for(self.person).filter(**wanted)
        rows = self.paginate_queryset(held.values_list(*HELD_PLAN_COLUMNS)) or []
        plans = [HeldPlan(*row) for row in rows]
        return self.get_paginated_response(HeldPlanSerializer(plans, many=True).data)


class CourseList(OwnView, GenericAPIView[Any]):
    queryset = Enrolment.objects.none()
    serializer_class = StudyCourseSerializer
    pagination_class = OwnPages

    @extend_schema(
        operation_id="list_courses",
        tags=TAG,
        summary="列出一个计划的课程和本人的进度",
        description="没有开通的计划与不存在的计划一样回答 404。",
        parameters=[PLAN, CourseListQuery, *PAGING],
        responses={200: StudyCourseSerializer(many=True), **examples.PROBLEMS_OF_ONE},
        examples=[examples.COURSE_IN_LIST],
    )
    def get(self, request: Request, plan: str) -> Response:
        kind = read(CourseListQuery, request.query_params).get("kind", "")
        with refusals_as_problems():
            enrolment = get_enrolment_for(self.person, plan)
        offer = recall_plan_offer(enrolment.plan_id)
        page = self.paginate_queryset(offer.of_kind(kind)) or []
        states = list_course_states(enrolment, page)
        return self.get_paginated_response(
            StudyCourseSerializer(states, many=True).data
        )


class CourseDetail(OwnView):
    @extend_schema(
        operation_id="read_course",
        tags=TAG,
        summary="读取一门课程：章节、进度、视频地址",
        parameters=[PLAN, COURSE],
        responses={200: CourseDetailSerializer, **examples.PROBLEMS_OF_ONE},
        examples=[examples.COURSE],
    )
    def get(self, request: Request, plan: str, course: str) -> Response:
        with refusals_as_problems():
            enrolment = get_enrolment_for(self.person, plan)
            held = get_plan_course(enrolment.plan, course)
        found = held.course
        chapters = list_chapter_states(enrolment, found)
        answer = {
            "course": found.code,
            "title": found.title,
            "summary": found.summary,
            "kind": held.kind,
            "credits": found.credits,
            "lecturer": found.lecturer.name,
            "can_study": enrolment.plan.is_open_for_study(timezone.localdate()),
            "chapters": [describe_chapter(each, self.person) for each in chapters],
        }
        return Response(CourseDetailSerializer(answer).data)


class Hours(OwnView):
    @extend_schema(
        operation_id="read_hours",
        tags=TAG,
        summary="读取本人一个年度的学时",
        parameters=[HoursQuery],
        responses={200: HoursSerializer, **examples.PROBLEMS_OF_READING},
        examples=[examples.HOURS],
    )
    def get(self, request: Request) -> Response:
        wanted = read(HoursQuery, request.query_params)
        today: date = timezone.localdate()
        hours = read_year_hours(self.person, wanted.get("year", today.year))
        duty = settings.YEARLY_DUTY_HOURS
        answer = {
            "year": hours.year,
            "general": {"earned": hours.general, "duty": duty["general"]},
            "professional": {
                "earned": hours.professional,
                "duty": duty["professional"],
            },
            "total": hours.total,
        }
        return Response(HoursSerializer(answer).data)


class StudyView(OwnView):
    def get_throttles(self) -> list[BaseThrottle]:
        return [StudyThrottle()]

    def ask(self, request: Request, endpoint: api.Endpoint) -> Response:
        """Let one of the player's endpoints answer, for this login of this person."""
        body = request._request.body
        if len(body) > api.LARGEST_BODY:
            raise ProblemError(status=413, code="too_long", title="请求内容过长")
        with refusals_as_problems():
            data = read_json_object(body)
            return Response(endpoint(self.person, find_login(request), data))


class OpenSession(StudyView):
    @extend_schema(
        operation_id="open_session",
        tags=TAG,
        summary="打开一个章节，开始学习会话",
        description=(
            "一人同时只有一个学习会话：新打开的使原来的结束（原处收到 taken_over）。"
            "此后每十秒左右报告一次；打开后的第一次报告起才计时。"
        ),
        request=OpenSerializer,
        responses={200: OpenedSerializer, **examples.PROBLEMS_OF_STUDY},
        examples=[examples.OPEN, examples.OPENED, *examples.OPENING_REFUSED],
    )
    def post(self, request: Request) -> Response:
        return self.ask(request, api.session_open)


class TakeBeat(StudyView):
    @extend_schema(
        operation_id="report_beat",
        tags=TAG,
        summary="报告播放位置，得知计入了多少",
        description="计时以服务器为准；没有收到应答时以原序号重发。",
        request=BeatSerializer,
        responses={200: StandSerializer, **examples.PROBLEMS_OF_STUDY},
        examples=[examples.BEAT, examples.STAND, *examples.STUDY_REFUSED],
    )
    def post(self, request: Request) -> Response:
        return self.ask(request, api.beat)


class CloseSession(StudyView):
    @extend_schema(
        operation_id="close_session",
        tags=TAG,
        summary="最后一次报告，并结束学习会话",
        request=BeatSerializer,
        responses={200: ClosedSerializer, **examples.PROBLEMS_OF_STUDY},
        examples=[examples.BEAT, examples.CLOSED],
    )
    def post(self, request: Request) -> Response:
        return self.ask(request, api.session_close)


class AnswerPrompt(StudyView):
    @extend_schema(
        operation_id="answer_prompt",
        tags=TAG,
        summary="回答学习中的题目",
        request=AnswerSerializer,
        responses={200: JudgedSerializer, **examples.PROBLEMS_OF_STUDY},
        examples=[examples.ANSWER, examples.JUDGED],
    )
    def post(self, request: Request) -> Response:
        return self.ask(request, api.prompt_answer)


def find_login(request: Request) -> str:
    """Names the login that a play session is bound to: an app's row, or the browser's."""
    session = request.auth
    if isinstance(session, PersonSession):
        return session.code
    return api.login_of(request._request)


def describe_chapter(state: ChapterState, person: User) -> dict[str, Any]:
    """A chapter with the addresses of what can be played of it."""
    found = state.chapter.video
    video = found if found and found.state == Video.State.READY else None
    duration_ms = video.duration_ms if video else 0
    progress = state.progress
    return {
        "chapter": state.chapter.position,
        "title": state.chapter.title,
        "completed": state.is_completed,
        "duration_ms": duration_ms,
        "covered_ms": state.covered_ms,
        "resume_ms": find_resume_ms(
            progress.position_ms if progress else 0,
            [*progress.covered, *progress.pending] if progress else [],
            duration_ms,
            is_completed=state.is_completed,
        ),
        **_sign_files(video, person),
    }


def _sign_files(video: Video | None, person: User) -> dict[str, str | None]:
    names = {
        "video": "video.mp4" if video else "",
        "poster": "poster.jpg" if video and video.poster else "",
        "captions": "captions.vtt" if video and video.captions else "",
    }
    now = timezone.now()
    return {
        key: signed_video_url(video, person, now, name) if video and name else None
        for key, name in names.items()
    }
