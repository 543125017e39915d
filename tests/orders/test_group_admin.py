"""Staff look at lists that found few accounts, and at the people of a group order."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from orders.models import GroupCheck
from orders.services.groups import close_alarm
from portal.staff_queries import count_figures
from tests.factories.accounts import UserFactory, make_id_number
from tests.factories.groups import (
    make_checked,
    make_group_order,
    make_trainees,
)

pytestmark = pytest.mark.django_db
UNKNOWN = [make_id_number(n) for n in range(900_000, 900_060)]
LIST = reverse("admin:orders_groupcheck_changelist")


@pytest.fixture
def given(coordinator, unit, plan):
    return {"buyer": coordinator, "unit": unit, "plan": plan, "now": timezone.now()}


@pytest.fixture
def suspicious(given):
    return make_checked("\n".join(UNKNOWN), **given)


def make_clerk(*codenames):
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return person


def change_url(check):
    return reverse("admin:orders_groupcheck_change", args=[check.pk])


def test_the_queue_shows_what_to_look_at(client_of, suspicious, given):
    make_checked(make_trainees(1)[0].id_number, **given)
    client = client_of(make_clerk("view_groupcheck"))

    page = client.get(LIST, {"alarm__exact": "open"}).content.decode()

    assert suspicious.code in page
    assert "0%" in page
    assert page.count("field-code") == 1
    assert count_figures(now=timezone.now())["group_checks"] == 1
    start = client.get(reverse("admin:index"))
    cards = {card.label: card for card in start.context["waiting"]}
    assert cards["团购名单待核查"].value == 1
    assert "alarm__exact=open" in cards["团购名单待核查"].url


def test_staff_note_what_they_found(client_of, suspicious):
    clerk = make_clerk("view_groupcheck", "change_groupcheck")
    client = client_of(clerk)
    page = client.get(change_url(suspicious)).content.decode()
    assert UNKNOWN[0] not in page

    client.post(change_url(suspicious), {"alarm_note": "已电话核实，名单过期"})

    suspicious.refresh_from_db()
    assert suspicious.alarm == GroupCheck.Alarm.SEEN
    assert suspicious.alarm_note == "已电话核实，名单过期"
    assert suspicious.alarm_seen_by == clerk
    assert AuditEntry.objects.latest("pk").action == "group.alarm_closed"
    assert count_figures(now=timezone.now())["group_checks"] == 0


def test_without_a_note_nothing_is_closed(client_of, suspicious):
    client = client_of(make_clerk("view_groupcheck", "change_groupcheck"))

    client.post(change_url(suspicious), {"alarm_note": ""})

    suspicious.refresh_from_db()
    assert suspicious.alarm == GroupCheck.Alarm.OPEN


def test_who_may_only_look_closes_nothing(client_of, suspicious):
    client = client_of(make_clerk("view_groupcheck"))

    response = client.post(change_url(suspicious), {"alarm_note": "x"})

    assert response.status_code == 403
    suspicious.refresh_from_db()
    assert suspicious.alarm == GroupCheck.Alarm.OPEN


def test_an_order_leads_to_its_people(client_of, given):
    order = make_group_order(make_trainees(3), **given)
    other = make_group_order(make_trainees(2), **given)
    client = client_of(make_clerk("view_order", "view_orderline"))

    page = client.get(
        reverse("admin:orders_order_change", args=[order.pk])
    ).content.decode()
    people = reverse("admin:orders_orderline_changelist")
    url = f"{people}?order__id__exact={order.pk}"

    assert f'<a href="{url}">3 人，查看名单</a>' in page
    assert "lines-TOTAL_FORMS" not in page
    listed = client.get(url).content.decode()
    assert listed.count("field-person") == 3
    assert other.number not in listed


def test_of_two_staff_the_slower_one_is_told(client_of, suspicious, staff):
    client = client_of(make_clerk("view_groupcheck", "change_groupcheck"))
    close_alarm(check_id=suspicious.pk, note="已核实", actor=staff, now=timezone.now())

    page = client.post(change_url(suspicious), {"alarm_note": "x"}, follow=True)

    assert "该名单无需核查或已核查。" in page.content.decode()
    suspicious.refresh_from_db()
    assert (suspicious.alarm_note, suspicious.alarm_seen_by) == ("已核实", staff)
