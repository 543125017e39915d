"""Reads of the catalogue: what is taught, and who may fetch a video for how long."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.core.cache import cache
from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse

from catalog.errors import (
    CourseNotFoundError,
    PlanNotFoundError,
    VideoLinkExpiredError,
    VideoNotFoundError,
)
from catalog.models import (
    Chapter,
    Course,
    FieldOfStudy,
    Plan,
    PlanCourse,
    Subject,
    Video,
)
from catalog.rules import CourseFacts, CreditSum, PlanFacts

COURSES_PER_PAGE = 12
OFFER_KEPT_SECONDS = 30

# An address serves through a pause for lunch, not longer than an evening. It ends on the hour,
# so that reloading a page within the hour finds the video in the browser's cache.
VIDEO_LINK_LIFETIME = timedelta(hours=2)
VIDEO_LINK_STEP_SECONDS = 3600
_VIDEO_SALT = "catalog.video"


def list_plans(
    *, subject: str = "", year: int | None = None, field: str = ""
) -> QuerySet[Plan]:
    """Published plans: newest year first, 公需科目 first, entry one before entry two."""
    plans = Plan.objects.published()
    if subject:
        plans = plans.filter(subject=subject)
    if year is not None:
        plans = plans.filter(year=year)
    if field:
        plans = plans.filter(field=field)
    return plans.order_by("-year", "subject", "entry", "pk")


def list_plan_years() -> dict[str, list[int]]:
    """Years that have published plans, newest first, for every subject; one query."""
    rows = (
        Plan.objects.published()
        .order_by("-year")
        .values_list("subject", "year")
        .distinct()
    )
    years: dict[str, list[int]] = {subject: [] for subject in Subject.values}
    for subject, year in rows:
        years[subject].append(year)
    return years


def get_plan(code: str) -> Plan:
    """Raise PlanNotFoundError when no such plan is published."""
    return _get_plan(Plan.objects.published(), code)


def get_plan_for_staff(code: str) -> Plan:
    """Like `get_plan`, drafts included: for the preview of staff."""
    return _get_plan(Plan.objects.all(), code)


def _get_plan(plans: QuerySet[Plan], code: str) -> Plan:
    try:
        return plans.get(code=code)
    except Plan.DoesNotExist as error:
        raise PlanNotFoundError from error


@dataclass(frozen=True, slots=True)
class OfferedCourse:
    """A course as a plan offers it, the same for everybody.

    Plain values: pages keep the list of a plan, and the drawn card of a course is found again
    by what this says.
    """

    pk: int
    code: str
    title: str
    field: str
    credits: int
    kind: str
    lecturer_name: str
    lecturer_title: str
    chapter_count: int
    duration_ms: int

    @property
    def field_label(self) -> str:
        return str(FieldOfStudy(self.field).label)

    @property
    def kind_label(self) -> str:
        return str(PlanCourse.Kind(self.kind).label)


@dataclass(frozen=True)
class PlanOffer:
    """What a plan offers: its courses in order."""

    courses: list[OfferedCourse]

    def of_kind(self, kind: str) -> list[OfferedCourse]:
        """Courses of one kind; all of them for the empty kind."""
        return [each for each in self.courses if kind in ("", each.kind)]

    @property
    def credits(self) -> CreditSum:
        compulsory = sum(each.credits for each in self.of_kind("compulsory"))
        total = sum(each.credits for each in self.courses)
        return CreditSum(compulsory=compulsory, elective=total - compulsory)

    @property
    def course_count(self) -> int:
        return len(self.courses)

    @property
    def compulsory_count(self) -> int:
        return len(self.of_kind("compulsory"))

    @property
    def elective_count(self) -> int:
        return self.course_count - self.compulsory_count

    @property
    def has_both_kinds(self) -> bool:
        return self.compulsory_count > 0 and self.elective_count > 0


def read_plan_offer(plan_id: int) -> PlanOffer:
    """Read the courses of a plan with lecturers, chapters and length; one query."""
    rows = (
        PlanCourse.objects.filter(plan_id=plan_id)
        .order_by("position", "pk")
        .values_list(
            *("course_id", "course__code", "course__title", "course__field"),
            *("course__credits", "kind"),
            *("course__lecturer__name", "course__lecturer__title"),
            Count("course__chapters"),
            Sum("course__chapters__video__duration_ms", default=0),
        )
    )
    return PlanOffer([OfferedCourse(*row) for row in rows])


def recall_plan_offer(plan_id: int) -> PlanOffer:
    """Like `read_plan_offer`, up to half a minute old: for pages that everybody opens."""
    # While a release is rolled out, processes of both must not read each other's values.
    key = f"catalog:offer:{'-'.join(OfferedCourse.__slots__)}:{plan_id}"
    offer: PlanOffer | None = cache.get(key)
    if offer is None:
        offer = read_plan_offer(plan_id)
        cache.set(key, offer, OFFER_KEPT_SECONDS)
    return offer


def get_plan_course(plan: Plan, course_code: str) -> PlanCourse:
    """The course as the plan holds it, with lecturer. Raises CourseNotFoundError."""
    try:
        return plan.plan_courses.select_related("course__lecturer").get(
            course__code=course_code
        )
    except PlanCourse.DoesNotExist as error:
        raise CourseNotFoundError from error


def list_chapters(course: Course) -> QuerySet[Chapter]:
    """Chapters of a course in order, with their videos."""
    return course.chapters.select_related("video").order_by("position")


# --- Publishing ----------------------------------------------------------------------------


def read_plan_facts(plan: Plan) -> tuple[PlanFacts, list[CourseFacts]]:
    """What `rules.find_plan_problems` wants to know; three queries."""
    facts = PlanFacts(
        hours=plan.hours,
        price_fen=plan.price_fen,
        required_credits=plan.required_credits,
        compulsory_credits=plan.compulsory_credits,
        elective_credits=plan.elective_credits,
    )
    rows = plan.plan_courses.select_related("course").order_by("position", "pk")
    rows = rows.prefetch_related("course__chapters__video")
    return facts, [
        read_course_facts(
            row.course, is_compulsory=row.kind == PlanCourse.Kind.COMPULSORY
        )
        for row in rows
    ]


def read_course_facts(course: Course, *, is_compulsory: bool = False) -> CourseFacts:
    """What `rules.find_course_problems` wants to know."""
    chapters = sorted(course.chapters.all(), key=lambda chapter: chapter.position)
    return CourseFacts(
        title=course.title,
        credits=course.credits,
        chapter_count=len(chapters),
        unplayable=[
            chapter.title
            for chapter in chapters
            if chapter.video is None or chapter.video.state != Video.State.READY
        ],
        is_compulsory=is_compulsory,
        is_published=course.is_published,
    )


def list_published_plans_with(course: Course) -> QuerySet[Plan]:
    return course.plans.filter(is_published=True).order_by("-year", "pk")


def list_waiting_videos(now: datetime) -> QuerySet[Video]:
    """Uploads that no living worker is processing, oldest first."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return Video.objects.filter(free, state=Video.State.WAITING).order_by("created_at")


# --- Signed addresses ------------------------------------------------------------------------


def signed_video_url(
    video: Video, person: AbstractBaseUser, now: datetime, name: str = "video.mp4"
) -> str:
    """Address under which `person`, logged in, may fetch a file of `video` for a while.

    `name` is `video.mp4`, `poster.jpg` or `captions.vtt`. The caller has checked that the
    person may watch. Token: person, video and the second it ends, signed (HMAC-SHA-256).
    """
    end = int((now + VIDEO_LINK_LIFETIME).timestamp()) + video.duration_seconds
    end += -end % VIDEO_LINK_STEP_SECONDS
    token = signing.Signer(salt=_VIDEO_SALT).sign(f"{person.pk}.{video.pk}.{end}")
    return reverse("catalog:video", args=[token, name])


def get_signed_video(
    token: str, person: AbstractBaseUser | AnonymousUser, now: datetime
) -> Video:
    """The video that `token` opens for `person`.

    Raises VideoNotFoundError for a forged token, another person's or an unknown video, and
    VideoLinkExpiredError after its end.
    """
    try:
        value = signing.Signer(salt=_VIDEO_SALT).unsign(token)
    except signing.BadSignature as error:
        raise VideoNotFoundError from error
    person_id, video_id, end = value.split(".")
    if person.pk is None or person_id != str(person.pk):
        raise VideoNotFoundError
    if now >= datetime.fromtimestamp(int(end), tz=UTC):
        raise VideoLinkExpiredError
    try:
        return Video.objects.get(pk=int(video_id))
    except Video.DoesNotExist as error:
        raise VideoNotFoundError from error
