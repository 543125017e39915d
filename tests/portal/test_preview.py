"""Staff see a learner's pages, drafts included; nothing is counted, nobody is enrolled."""

import re
from datetime import date

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from learning.models import Enrolment, PersonClock, PlaySession
from tests.factories.accounts import UserFactory
from tests.factories.catalog import make_plan
from tests.factories.learning import enrol

pytestmark = pytest.mark.django_db
WRITE = re.compile(r'^(INSERT INTO|UPDATE|DELETE FROM) "(?!django_session)')


@pytest.fixture
def draft():
    return make_plan(courses=1, is_published=False)


@pytest.fixture
def editor(db):
    person = UserFactory(staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_plan"))
    return person


def pages_of(plan):
    course = plan.courses.get().code
    return [
        reverse("learning:course-list", args=[plan.code]),
        reverse("learning:player", args=[plan.code, course]),
    ]


def test_staff_see_what_a_learner_will(client_of, editor, draft):
    client = client_of(editor)

    with CaptureQueriesContext(connection) as queries:
        courses, player = (client.get(page) for page in pages_of(draft))

    assert (courses.status_code, player.status_code) == (200, 200)
    for page in (courses, player):
        assert "不记录学习进度" in page.content.decode()
    # The stage with its video, and the script that reports to nobody.
    html = player.content.decode()
    assert 'id="player"' in html
    assert "js/player_preview" in html
    assert "js/player_session" not in html
    assert [query["sql"] for query in queries if WRITE.match(query["sql"])] == []
    for model in (Enrolment, PlaySession, PersonClock):
        assert not model.objects.exists()


def test_the_video_opens_for_who_previews(client_of, editor, draft):
    html = client_of(editor).get(pages_of(draft)[1]).content.decode()

    address = re.search(r'"video": "(/video/[^"]+)"', html)
    assert address
    # Signed for this person; the file itself is no part of this test.
    assert client_of(UserFactory()).get(address[1]).status_code == 404


def test_a_preview_cannot_be_credited(client_of, editor, draft):
    course = draft.courses.get().code
    wanted = {"plan": draft.code, "course": course, "chapter": 1}

    response = client_of(editor).post(
        reverse("learning:session-open"), wanted, content_type="application/json"
    )

    assert response.status_code == 404
    assert not PlaySession.objects.exists()


def test_others_find_nothing(client, client_of, owner, draft):
    colleague = UserFactory(staff=True)

    for page in pages_of(draft):
        assert client.get(page).status_code == 302
        for person in (owner, colleague):
            assert client_of(person).get(page).status_code == 404


def test_an_unknown_plan_is_not_found(client_of, editor):
    page = reverse("learning:course-list", args=["nothing"])

    assert client_of(editor).get(page).status_code == 404


def test_who_holds_the_plan_studies_it(client_of, staff):
    plan = make_plan(courses=1, required_credits=5, training_end=date(2999, 12, 31))
    enrol(staff, plan)

    html = client_of(staff).get(pages_of(plan)[1]).content.decode()

    assert "不记录学习进度" not in html
    assert "js/player_session" in html


def test_the_pages_of_the_plan_lead_there(client_of, client, editor, draft, owner):
    detail = reverse("plan-detail", args=[draft.code])
    course = reverse("course-detail", args=[draft.code, draft.courses.get().code])
    desk = client_of(editor)

    assert pages_of(draft)[0] in desk.get(detail).content.decode()
    assert pages_of(draft)[1] in desk.get(course).content.decode()
    published = reverse("plan-detail", args=[make_plan().code])
    assert "以学员身份预览" in desk.get(published).content.decode()
    for visitor in (client, client_of(owner)):
        assert visitor.get(detail).status_code == 404
        assert "以学员身份预览" not in visitor.get(published).content.decode()


def test_a_course_in_the_staff_site_leads_to_its_player(client_of, staff, draft):
    course = draft.courses.get()
    page = reverse("admin:catalog_course_change", args=[course.pk])

    assert pages_of(draft)[1] in client_of(staff).get(page).content.decode()
