"""What sample people did: orders, payments, study and papers, with the time injected.

Nothing is written into the tables by hand. Payments go through settlement, credit through the
ledger beat by beat, so the sample data can only hold what the portal itself would allow.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from accounts.models import User
from catalog.models import Chapter, Plan
from certificates.services import issue_certificate, render_issue
from learning.models import Enrolment
from learning.queries import find_enrolment
from learning.services import (
    Beat,
    StudyAnswer,
    answer_prompt,
    open_session,
    record_beat,
)
from orders.models import Order
from orders.rules import InvoiceDetails
from orders.services.checkout import place_personal_order
from portal.demo.payments import pay_order

LOGIN = "sample"
BEAT = timedelta(seconds=settings.LEARNING["beat_seconds"])


class Watch:
    """A clock that only moves when told to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def order_plan(person: User, plan: Plan, now: datetime) -> Order:
    """Place an order with an invoice asked for, and leave it unpaid."""
    return place_personal_order(
        buyer=person,
        plan=plan,
        invoice=InvoiceDetails(buyer_kind="person", title=person.name),
        now=now,
    )


def buy_plan(person: User, plan: Plan, now: datetime) -> Enrolment:
    """Order a plan and pay for it."""
    order = order_plan(person, plan, now)
    pay_order(order, now)
    return get_enrolment(person, plan)


def get_enrolment(person: User, plan: Plan) -> Enrolment:
    """The right to study that a story is about. Raises `RuntimeError` where it went wrong."""
    enrolment = find_enrolment(person.pk, plan.pk)
    if enrolment is None:
        raise RuntimeError(f"{plan.code} is not open for the sample person")
    return enrolment


def study_plan(person: User, enrolment: Enrolment, start: datetime) -> datetime:
    """Watch every chapter of the plan to its end; returns when that was."""
    watch = Watch(start)
    for chapter in _chapters(enrolment.plan):
        study_chapter(person, enrolment, chapter, watch)
    return watch.now


def study_part(person: User, enrolment: Enrolment, start: datetime) -> None:
    """Watch the first two courses and half a chapter of the third."""
    watch = study_courses(person, enrolment, start, count=2)
    chapters = list(_chapters(enrolment.plan))
    courses = list(dict.fromkeys(chapter.course_id for chapter in chapters))
    unfinished = next(c for c in chapters if c.course_id == courses[2])
    study_chapter(person, enrolment, unfinished, watch, share=0.5)


def study_courses(
    person: User, enrolment: Enrolment, start: datetime, *, count: int
) -> Watch:
    """Watch the first courses of the plan; the clock stands where they end."""
    watch = Watch(start)
    chapters = list(_chapters(enrolment.plan))
    courses = list(dict.fromkeys(chapter.course_id for chapter in chapters))[:count]
    for chapter in chapters:
        if chapter.course_id in courses:
            study_chapter(person, enrolment, chapter, watch)
    return watch


def study_chapter(
    person: User,
    enrolment: Enrolment,
    chapter: Chapter,
    watch: Watch,
    *,
    share: float = 1.0,
) -> None:
    """Watch a share of a chapter at its own pace and answer every question rightly."""
    video = chapter.video
    if video is None:
        raise RuntimeError(f"{chapter} has no video")
    answer = open_session(
        person=person,
        enrolment=enrolment,
        chapter=chapter,
        login=LOGIN,
        position_ms=0,
        clock=watch,
    )
    session, position, sequence = answer.session, 0, 0
    end = int(video.duration_ms * share)
    while position < end:
        step = min(BEAT // timedelta(milliseconds=1), end - position)
        position += step
        sequence += 1
        watch.now += timedelta(milliseconds=step)
        beat = Beat(session, sequence, position, is_playing=True)
        answer = record_beat(person=person, login=LOGIN, beat=beat, clock=watch)
        _answer_question(person, answer, watch)
    watch.now += BEAT


def ask_for_certificate(enrolment: Enrolment, now: datetime) -> None:
    """Issue the certificate and make its paper."""
    issue = issue_certificate(enrolment=enrolment, actor=enrolment.person, now=now)
    render_issue(issue_id=issue.pk, now=now)


def _answer_question(person: User, answer: StudyAnswer, watch: Watch) -> None:
    if answer.prompt is None:
        return
    watch.now += timedelta(seconds=5)
    answer_prompt(
        person=person,
        login=LOGIN,
        session=answer.session,
        code=answer.prompt.code,
        option=answer.prompt.correct_option,
        clock=watch,
    )


def _chapters(plan: Plan) -> Iterable[Chapter]:
    return (
        Chapter.objects.filter(course__plan_courses__plan=plan)
        .select_related("video", "course")
        .order_by("course__plan_courses__position", "position")
        .distinct()
    )
