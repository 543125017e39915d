"""Chapters and courses in an order that staff change by numbers, buttons or dragging."""

import pytest
from django.urls import reverse

from catalog.models import Chapter, Course, PlanCourse
from catalog.services import order_chapters, order_plan_courses
from tests.factories.catalog import (
    ChapterFactory,
    CourseFactory,
    PlanCourseFactory,
    PlanFactory,
    make_course,
    make_plan,
)

pytestmark = pytest.mark.django_db


def order_of(course):
    rows = course.chapters.order_by("position")
    return [(row.position, row.title) for row in rows]


@pytest.fixture
def course():
    course = CourseFactory(is_published=False)
    for position, title in ((1, "甲"), (2, "乙"), (5, "丙")):
        ChapterFactory(course=course, position=position, title=title)
    return course


def test_chapters_change_places(course):
    first, second, third = course.chapters.order_by("position")

    order_chapters(course_id=course.pk, chapter_ids=[third.pk, first.pk, second.pk])

    assert order_of(course) == [(1, "丙"), (2, "甲"), (3, "乙")]


def test_who_is_not_named_comes_after_and_strangers_are_left_alone(course):
    foreign = ChapterFactory(position=7)
    second = course.chapters.get(title="乙")

    order_chapters(course_id=course.pk, chapter_ids=[foreign.pk, second.pk, second.pk])

    assert order_of(course) == [(1, "乙"), (2, "甲"), (3, "丙")]
    foreign.refresh_from_db()
    assert foreign.position == 7


def test_nothing_is_written_for_an_order_that_holds(django_assert_num_queries):
    course = make_course(chapters=2)
    ids = list(course.chapters.order_by("position").values_list("pk", flat=True))

    # Savepoint, the course, its chapters, and the end of the savepoint.
    with django_assert_num_queries(4):
        order_chapters(course_id=course.pk, chapter_ids=ids)


def test_a_course_without_chapters():
    order_chapters(course_id=CourseFactory().pk, chapter_ids=[])

    assert not Chapter.objects.exists()


def test_courses_of_a_plan(django_assert_num_queries):
    plan = PlanFactory()
    rows = [PlanCourseFactory(plan=plan, position=0) for _ in range(3)]

    order_plan_courses(plan_id=plan.pk, row_ids=[rows[2].pk, rows[0].pk, rows[1].pk])

    found = PlanCourse.objects.order_by("position")
    assert [(row.position, row.pk) for row in found] == [
        (1, rows[2].pk),
        (2, rows[0].pk),
        (3, rows[1].pk),
    ]


# --- In the staff site -------------------------------------------------------------------
def post_course(client, course, rows, **more):
    """Save the page of a course; `rows` are (chapter or None, number, title)."""
    data = {
        "title": course.title,
        "code": course.code,
        "field": course.field,
        "lecturer": course.lecturer_id,
        "credits": course.credits,
        "summary": "",
        "chapters-TOTAL_FORMS": len(rows),
        "chapters-INITIAL_FORMS": sum(row[0] is not None for row in rows),
    }
    for index, (chapter, number, title) in enumerate(rows):
        prefix = f"chapters-{index}-"
        data |= {f"{prefix}position": number, f"{prefix}title": title}
        data |= {f"{prefix}course": course.pk, f"{prefix}video": ""}
        if chapter is not None:
            data |= {
                f"{prefix}id": chapter.pk,
                f"{prefix}video": chapter.video_id or "",
            }
    page = reverse("admin:catalog_course_change", args=[course.pk])
    return client.post(page, data | more, follow=True)


def test_two_chapters_change_places_on_the_page(client_of, staff, course):
    one, two, three = course.chapters.order_by("position")

    response = post_course(
        client_of(staff), course, [(one, 2, "甲"), (two, 1, "乙"), (three, 3, "丙")]
    )

    assert "成功修改" in response.content.decode()
    assert order_of(course) == [(1, "乙"), (2, "甲"), (3, "丙")]


def test_equal_and_missing_numbers_are_no_mistake(client_of, staff, course):
    one, two, three = course.chapters.order_by("position")
    rows = [(one, 2, "甲"), (two, "", "乙"), (three, 2, "丙"), (None, 1, "新")]

    post_course(client_of(staff), course, rows)

    assert order_of(course) == [(1, "新"), (2, "甲"), (3, "丙"), (4, "乙")]


def test_a_removed_chapter_leaves_no_gap(client_of, staff, course):
    one, two, three = course.chapters.order_by("position")
    rows = [(one, 1, "甲"), (two, 2, "乙"), (three, 3, "丙")]

    post_course(client_of(staff), course, rows, **{"chapters-0-DELETE": "on"})

    assert order_of(course) == [(1, "乙"), (2, "丙")]


@pytest.mark.parametrize("number", ["-1", "10000", "x"])
def test_nonsense_is_refused(client_of, staff, course, number):
    one, two, three = course.chapters.order_by("position")
    rows = [(one, number, "甲"), (two, 2, "乙"), (three, 3, "丙")]

    post_course(client_of(staff), course, rows)

    assert order_of(course) == [(1, "甲"), (2, "乙"), (5, "丙")]


# --- Publishing from the page ------------------------------------------------------------
def test_published_by_the_button_of_the_page(client_of, staff, course):
    rows = [(row, row.position, row.title) for row in course.chapters.order_by("pk")]
    client = client_of(staff)

    html = post_course(client, course, rows, _publish="1").content.decode()
    assert "已保存并发布" in html
    assert 'name="_withdraw"' in html
    course.refresh_from_db()
    assert course.is_published

    html = post_course(client, course, rows, _withdraw="1").content.decode()
    assert "已保存并撤回" in html
    assert 'name="_publish"' in html
    course.refresh_from_db()
    assert not course.is_published


def test_saved_but_not_published_while_something_is_missing(client_of, staff, course):
    rows = [(row, row.position, row.title) for row in course.chapters.order_by("pk")]

    html = post_course(
        client_of(staff), course, [*rows, (None, 9, "没有视频")], _publish="1"
    ).content.decode()

    assert "章节“没有视频”没有可播放的视频" in html
    assert course.chapters.count() == 4
    assert not Course.objects.get(pk=course.pk).is_published


def test_what_a_published_course_lacks_is_told(client_of, staff, course):
    Course.objects.update(is_published=True)
    rows = [(row, row.position, row.title) for row in course.chapters.order_by("pk")]
    client = client_of(staff)
    assert "现在有以下问题" not in post_course(client, course, rows).content.decode()
    rows.append((None, 9, "没有视频"))

    html = post_course(client, course, rows).content.decode()
    assert "已发布，但现在有以下问题" in html
    assert "章节“没有视频”没有可播放的视频" in html
    rows[-1] = (course.chapters.get(title="没有视频"), 4, "没有视频")
    withdrawn = post_course(client, course, rows, _withdraw="1").content.decode()
    assert "现在有以下问题" not in withdrawn


def test_the_page_of_a_plan_has_the_button(client_of, staff):
    plan = make_plan(is_published=False)
    page = reverse("admin:catalog_plan_change", args=[plan.pk])

    assert 'name="_publish"' in client_of(staff).get(page).content.decode()
