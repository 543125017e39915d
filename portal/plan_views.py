"""Plans and their courses: pages that span the catalogue, a person's study and orders."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog import queries
from catalog.errors import CourseNotFoundError, PlanNotFoundError
from catalog.models import FieldOfStudy, Plan, PlanCourse, Subject
from catalog.views import may_preview
from learning.models import Enrolment
from learning.queries import find_enrolment, list_enrolments_for
from orders.models import Order, OrderLine
from orders.queries import find_live_line
from orders.queries.codes import find_waiting_code

PLANS_PER_PAGE = 24


@dataclass(frozen=True)
class PlanAction:
    """The button of a plan for one visitor, in the words of the plan's entry.

    Without `url` there is nothing to press, and `note` says why.
    """

    label: str = ""
    url: str = ""
    note: str = ""
    enrolment: Enrolment | None = None


def plan_list(request: HttpRequest) -> HttpResponse:
    subject = _choice(request.GET.get("subject", ""), Subject.values)
    years = _merge_years(queries.list_plan_years(), subject)
    year = _choice(request.GET.get("year", ""), [str(y) for y in years])
    chosen_year = int(year) if year else next(iter(years), None)
    field = _choice(request.GET.get("field", ""), FieldOfStudy.values)
    today = timezone.localdate()
    plans = list(queries.list_plans(day=today, subject=subject, year=chosen_year))
    fields = [f for f in FieldOfStudy if any(plan.field == f for plan in plans)]
    if field:
        plans = [plan for plan in plans if plan.field == field]
    return render(
        request,
        "catalog/plan_list.html",
        {
            "subject": subject,
            "subject_label": Subject(subject).label if subject else "",
            "subjects": Subject,
            "years": years,
            "year": chosen_year,
            "field": field,
            "fields": fields,
            "page_obj": Paginator(plans, PLANS_PER_PAGE).get_page(
                request.GET.get("page")
            ),
            "today": today,
            "owned": _list_owned(request.user),
        },
    )


def plan_detail(request: HttpRequest, code: str) -> HttpResponse:
    plan = _get_plan(request, code)
    kind = _choice(request.GET.get("kind", ""), PlanCourse.Kind.values)
    # A draft is looked at while it is being made.
    read = queries.recall_plan_offer if plan.is_published else queries.read_plan_offer
    offer = read(plan.pk)
    courses = Paginator(offer.of_kind(kind), queries.COURSES_PER_PAGE)
    context = _describe_plan(request.user, plan) | {
        "offer": offer,
        "kind": kind,
        "kinds": PlanCourse.Kind,
        "preview_url": _preview_address(request, "learning:course-list", plan.code),
        "page_obj": courses.get_page(request.GET.get("page")),
    }
    return render(request, "catalog/plan_detail.html", context)


def course_detail(request: HttpRequest, plan: str, course: str) -> HttpResponse:
    row = _get_plan(request, plan)
    try:
        plan_course = queries.get_plan_course(row, course)
    except CourseNotFoundError as error:
        raise Http404(error.message) from error
    chapters = list(queries.list_chapters(plan_course.course))
    context = _describe_plan(request.user, row) | {
        "plan_course": plan_course,
        "course": plan_course.course,
        "chapters": chapters,
        "duration_ms": sum(c.video.duration_ms for c in chapters if c.video),
        "preview_url": _preview_address(request, "learning:player", plan, course),
    }
    return render(request, "catalog/course_detail.html", context)


def _preview_address(request: HttpRequest, name: str, *codes: str) -> str:
    """Where staff see what a learner studies; empty for everybody else."""
    return reverse(name, args=codes) if may_preview(request) else ""


def _choice(value: str, allowed: list[str]) -> str:
    """What the address asks for, or nothing when it asks for what does not exist."""
    return value if value in allowed else ""


def _merge_years(years: dict[str, list[int]], subject: str) -> list[int]:
    if subject:
        return years[subject]
    return sorted({year for found in years.values() for year in found}, reverse=True)


def _list_owned(user: User | AnonymousUser) -> set[int]:
    if not isinstance(user, User):
        return set()
    held = list_enrolments_for(user).exclude(state=Enrolment.State.REVOKED)
    return set(held.values_list("plan_id", flat=True))


def _get_plan(request: HttpRequest, code: str) -> Plan:
    """The published plan; staff who may see plans also see drafts, as a preview."""
    try:
        read = queries.get_plan_for_staff if may_preview(request) else queries.get_plan
        return read(code, day=timezone.localdate())
    except PlanNotFoundError as error:
        raise Http404(error.message) from error


def _describe_plan(user: User | AnonymousUser, plan: Plan) -> dict[str, Any]:
    today = timezone.localdate()
    enrolment = line = code = None
    if isinstance(user, User):
        enrolment = find_enrolment(user.pk, plan.pk)
        if enrolment is None:
            line = find_live_line(user.pk, plan.pk)
            # Plans without codes, nearly all of them, cost no query for this.
            code = find_waiting_code(user.pk, plan.pk) if plan.sells_codes else None
    if code is not None and line is None:
        action = _action_of_given(plan, today)
    else:
        action = choose_action(plan, enrolment, line, today)
    return {
        "plan": plan,
        "today": today,
        "plan_action": action,
        "sells_codes": plan.sells_codes and plan.is_on_sale(today),
        "group_action": choose_group_action(plan, today),
    }


def choose_group_action(plan: Plan, today: date) -> PlanAction:
    """The second button, whatever the visitor holds: to buy the plan for others."""
    if not plan.is_on_sale(today) or plan.price_fen == 0:
        return PlanAction()
    label = "团体购买" if plan.entry == Plan.Entry.ONE else "团体报名"
    return PlanAction(label, reverse("orders:group-start", args=[plan.code]))


def choose_action(
    plan: Plan, enrolment: Enrolment | None, line: OrderLine | None, today: date
) -> PlanAction:
    """Say what a visitor can do with a plan: study it, pay for it, buy it, or nothing."""
    if enrolment is not None:
        return _action_of_holder(plan, enrolment)
    if line is not None:
        return _action_of_buyer(line)
    return _action_of_newcomer(plan, today)


def _action_of_holder(plan: Plan, enrolment: Enrolment) -> PlanAction:
    if enrolment.state == Enrolment.State.REVOKED:
        return PlanAction(note="该培训项目的学习资格已撤销，如有疑问请联系在线客服")
    label = "进入学习" if plan.entry == Plan.Entry.ONE else "去学习"
    url = reverse("learning:course-list", args=[plan.code])
    return PlanAction(label, url, "", enrolment)


def _action_of_buyer(line: OrderLine) -> PlanAction:
    if line.order.buyer_id != line.person_id:
        # The order belongs to whoever buys for the unit; its page is theirs alone.
        return PlanAction(note="单位正在为您购买该培训项目，支付后即可学习")
    order = reverse("orders:detail", args=[line.order.number])
    if line.order.state == Order.State.PENDING:
        return PlanAction("去支付", order, "您有一笔未支付的订单，支付后即可学习")
    return PlanAction("查看订单", order, "您已购买该培训项目")


def _action_of_given(plan: Plan, today: date) -> PlanAction:
    """What somebody does who was given a code: use it while there is training."""
    if today > plan.training_end:
        return PlanAction(note="培训时间已结束，获赠的激活码不能再使用")
    return PlanAction("立即激活", reverse("orders:codes"), "您获赠了该培训项目的激活码")


def _action_of_newcomer(plan: Plan, today: date) -> PlanAction:
    if not plan.is_published:
        return PlanAction(note="草稿预览：发布后学员才能看到和购买")
    if today < plan.sale_start:
        return PlanAction(note=f"{plan.sale_start:%Y-%m-%d} 开始报名")
    if today > plan.sale_end:
        return PlanAction(note="报名已结束")
    label = "立即购买" if plan.entry == Plan.Entry.ONE else "报名"
    return PlanAction(label, reverse("orders:checkout", args=[plan.code]))
