"""Rows for the page benchmark, written straight into the tables: a portal of some years."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone

from accounts.models import Profile, User
from catalog.models import (
    Chapter,
    Course,
    FieldOfStudy,
    Lecturer,
    Plan,
    PlanCourse,
    PlanPrice,
    Pricing,
    Subject,
    Video,
)
from learning.models import ChapterProgress, CourseCompletion, Enrolment
from orders.models import InvoiceRequest, Order, OrderLine
from portal import urls
from portal.content.models import Article, Download, Hotline
from portal.wsgi import application

PEOPLE = 2000
COURSES = 300
PLANS_A_YEAR = 8


@dataclass(frozen=True)
class Visitor:
    """A logged-in person with many rows, and how each page is asked for."""

    nothing: Callable[[], None]
    pages: dict[str, Callable[[], None]]


def populate() -> Visitor:
    content()
    courses = catalogue_courses()
    plans = catalogue_plans(courses)
    people = accounts()
    person = people[0]
    held = enrol(person, plans, courses)
    crowd(people, plans)
    cookie = login(person)
    urls.urlpatterns.append(path("benchmark/nothing/", nothing))

    def page(address: str) -> Callable[[], None]:
        return lambda: ask(address, cookie)

    return Visitor(
        nothing=page("/benchmark/nothing/"),
        pages={
            "首页": page(reverse("home")),
            "计划": page(reverse("plan-detail", args=[held.code])),
            "课程列表": page(reverse("learning:course-list", args=[held.code])),
            "课程培训": page(reverse("learning:training")),
            "个人空间": page(reverse("dashboard")),
        },
    )


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def ask(address: str, cookie: str) -> None:
    """One request through the WSGI handler and the whole middleware; fails unless answered 200."""
    answer: list[str] = []
    target, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": target,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_COOKIE": f"{settings.SESSION_COOKIE_NAME}={cookie}",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    response = application(
        environ, lambda status, headers, exc_info=None: answer.append(status)
    )
    b"".join(response)
    response.close()
    if not answer[0].startswith("200"):
        raise RuntimeError(f"{address} answered {answer[0]}")


def content() -> None:
    now = timezone.now()
    for kind in Article.Kind.values:
        Article.objects.bulk_create(
            Article(
                slug=f"{kind}-{i}",
                kind=kind,
                title=f"关于专业技术人员继续教育的通知（第{i}号）",
                body="<p>正文</p>",
                published_at=now - timedelta(days=i),
            )
            for i in range(200)
        )
    Download.objects.bulk_create(
        Download(slug=f"form-{i}", title=f"表格{i}", file="x", updated_at=now)
        for i in range(40)
    )
    Hotline.objects.bulk_create(
        Hotline(label=f"咨询{i}", number="400-000-0000", position=i) for i in range(5)
    )


def catalogue_courses() -> list[Course]:
    fields = FieldOfStudy.values
    now = timezone.now()
    lecturers = Lecturer.objects.bulk_create(
        Lecturer(name=f"讲师{i}", title="教授", organisation="某大学")
        for i in range(60)
    )
    courses = Course.objects.bulk_create(
        Course(
            code=f"course-{i}",
            title=f"专业技术人员继续教育课程 {i}",
            field=fields[i % len(fields)],
            lecturer=lecturers[i % len(lecturers)],
            credits=1,
            is_published=True,
        )
        for i in range(COURSES)
    )
    videos = Video.objects.bulk_create(
        Video(
            file=f"videos/{i}.mp4",
            state=Video.State.READY,
            duration_ms=2_700_000,
            created_at=now,
        )
        for i in range(COURSES * 3)
    )
    Chapter.objects.bulk_create(
        Chapter(
            course=course, position=n + 1, title=f"第{n + 1}章", video=videos[i * 3 + n]
        )
        for i, course in enumerate(courses)
        for n in range(3)
    )
    return courses


def catalogue_plans(courses: list[Course]) -> list[Plan]:
    year = timezone.localdate().year
    plans = Plan.objects.bulk_create(
        Plan(
            code=f"plan-{y}-{n}",
            year=y,
            subject=Subject.GENERAL if n % 2 else Subject.PROFESSIONAL,
            entry=1 + n % 2,
            title=f"{y}年度专业技术人员继续教育培训 {n}",
            hours=30,
            required_credits=30,
            training_start=date(y, 1, 1),
            training_end=date(year, 12, 31),
            sale_start=date(y, 1, 1),
            sale_end=date(year, 12, 31),
            is_published=True,
        )
        for y in range(2011, year + 1)
        for n in range(PLANS_A_YEAR)
    )
    PlanPrice.objects.bulk_create(
        PlanPrice(
            plan=plan,
            valid_from=plan.sale_start,
            pricing=Pricing.PER_HOUR,
            unit_price_fen=110,
            set_at=timezone.now(),
        )
        for plan in plans
    )
    PlanCourse.objects.bulk_create(
        PlanCourse(plan=plan, course=course, position=n)
        for i, plan in enumerate(plans)
        for n, course in enumerate(courses[(i * 7) % 200 : (i * 7) % 200 + 100])
    )
    return plans


def accounts() -> list[User]:
    now = timezone.now()
    people = User.objects.bulk_create(
        User(username=f"person-{i}", name=f"学员{i}", date_joined=now)
        for i in range(PEOPLE)
    )
    Profile.objects.bulk_create(Profile(person=p, updated_at=now) for p in people)
    return people


def enrol(person: User, plans: list[Plan], courses: list[Course]) -> Plan:
    """Give one person both subjects of every year, and progress in the newest plan.

    Sixteen years made up are more than anybody holds; half of them are finished.
    """
    now = timezone.now()
    plans = [plan for plan in plans if plan.code.endswith(("-0", "-1"))]
    rows = Enrolment.objects.bulk_create(
        Enrolment(
            person=person,
            plan=plan,
            source=Enrolment.Source.ORDER,
            opened_at=now,
            state=Enrolment.State.COMPLETED if i % 2 else Enrolment.State.OPEN,
            completed_at=now if i % 2 else None,
            percent=100 if i % 2 else 40,
        )
        for i, plan in enumerate(plans)
    )
    last = rows[-2]
    in_plan = list(last.plan.plan_courses.select_related("course"))
    chapters = Chapter.objects.filter(course__in=[pc.course_id for pc in in_plan])
    ChapterProgress.objects.bulk_create(
        ChapterProgress(
            enrolment=last,
            chapter=chapter,
            covered=[[0, 2_700_000]],
            covered_ms=2_700_000,
            completed_at=now,
            updated_at=now,
        )
        for chapter in chapters
    )
    CourseCompletion.objects.bulk_create(
        CourseCompletion(
            enrolment=last,
            course_id=pc.course_id,
            credits=1,
            is_compulsory=False,
            completed_at=now,
        )
        for pc in in_plan[:50]
    )
    return last.plan


def crowd(people: list[User], plans: list[Plan]) -> None:
    """Orders and enrolments of the others, so that the tables are not empty of strangers."""
    now = timezone.now()
    orders = Order.objects.bulk_create(
        Order(
            number=f"N{i:08d}",
            buyer=person,
            kind=Order.Kind.PERSONAL,
            state=Order.State.PAID,
            total_fen=3300,
            created_at=now,
            expires_at=now,
            paid_at=now,
        )
        for i, person in enumerate(people + people[:1] * 60)
    )
    # All but the newest few of a person's orders have their invoice.
    InvoiceRequest.objects.bulk_create(
        InvoiceRequest(
            order=order,
            buyer_kind=InvoiceRequest.Buyer.PERSON,
            title=order.buyer.name,
            requested_at=now,
        )
        for order in orders[:-3]
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            plan=plans[i % len(plans)],
            person=order.buyer,
            plan_title="计划",
            plan_year=2026,
            hours=30,
            price_fen=3300,
            is_live=False,
        )
        for i, order in enumerate(orders)
    )
    Enrolment.objects.bulk_create(
        Enrolment(
            person=person,
            plan=plans[i % len(plans)],
            source=Enrolment.Source.ORDER,
            opened_at=now,
        )
        for i, person in enumerate(people[1:])
    )


def login(person: User) -> str:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(person.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = person.get_session_auth_hash()
    store.create()
    return str(store.session_key)
