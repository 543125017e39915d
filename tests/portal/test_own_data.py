"""导出我的数据: everything of one person, nothing of another, for the password only."""

import json
import zipfile
from datetime import timedelta
from io import BytesIO

import pytest
from django.apps import apps
from django.urls import reverse

from accounts.models import AuditEntry, User
from portal.own_data import collect_own_data
from portal.support.models import Conversation, ConversationMessage
from tests.factories.accounts import PASSWORD
from tests.factories.certificates import make_issue
from tests.factories.invoices import make_invoice, make_paid_order

EXPORT = reverse("own-data")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)
    return time_machine


def take(client, password=PASSWORD):
    return client.post(EXPORT, {"password": password})


def open_archive(response):
    assert response.status_code == 200
    assert response["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(BytesIO(response.content))
    assert archive.testzip() is None
    assert archive.namelist() == ["我的数据.html", "data.json"]
    data = json.loads(archive.read("data.json"))
    return data["sections"], archive.read("我的数据.html").decode()


def live(person, now):
    """A plan, its certificate, an order with its invoice, a talk with customer service."""
    issue = make_issue(person)
    invoice = make_invoice(make_paid_order(person))
    talk = Conversation.objects.create(
        person=person, topic="登录问题", started_at=now, updated_at=now
    )
    ConversationMessage.objects.create(
        conversation=talk, author=person, text=f"我是{person.name}", sent_at=now
    )
    return issue.certificate, invoice


def test_a_section_of_every_app(client_of, owner, now):
    certificate, invoice = live(owner, now)

    sections, page = open_archive(take(client_of(owner)))

    assert list(sections) == [
        *("account", "profile", "consents", "messages", "memberships"),
        *("appointments", "requests", "integrity", "sessions", "audit"),
        *("enrolments", "courses", "unit_hours", "appeals", "credit_decisions"),
        *(
            "certificates",
            "orders",
            "purchases",
            "codes",
            "claims",
            "invoices",
            "conversations",
        ),
    ]
    for key, name, value in [
        ("certificates", "number", certificate.number),
        ("orders", "number", invoice.order.number),
        ("purchases", "number", invoice.order.number),
        ("invoices", "request", invoice.request_number),
        ("conversations", "text", "我是赵一"),
        ("enrolments", "state", "已结业"),
    ]:
        assert value in [row[name] for row in sections[key]["rows"]]
        assert value in page
    facts = {row["item"]: row["value"] for row in sections["account"]["rows"]}
    assert facts["证件号码"] == owner.id_number


def test_nothing_of_anybody_else(client_of, owner, stranger, now):
    certificate, invoice = live(stranger, now)

    response = take(client_of(owner))

    sections, page = open_archive(response)
    everything = json.dumps(sections, ensure_ascii=False) + page
    for foreign in (
        *(stranger.name, stranger.id_number, stranger.phone, stranger.username),
        *(certificate.number, invoice.request_number, invoice.order.number),
    ):
        assert foreign not in everything


def test_an_attachment_that_nobody_keeps(client_of, owner):
    response = take(client_of(owner))

    assert response["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert response["Content-Disposition"].endswith("-20260615.zip")
    assert "no-store" in response["Cache-Control"]


def test_what_people_wrote_is_text(client_of, owner, now):
    talk = Conversation.objects.create(
        person=owner, topic="<b>x</b>", started_at=now, updated_at=now
    )
    ConversationMessage.objects.create(
        conversation=talk, author=owner, text="<script>alert(1)</script>", sent_at=now
    )

    _, page = open_archive(take(client_of(owner)))

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page


# Every column that names a person: in which section its rows go out, or why they do not.
COLUMNS = {
    "accounts.Consent.person": "consents",
    "accounts.PersonRequest.person": "requests",
    "accounts.PersonSession.person": "sessions",
    "accounts.Profile.person": "profile",
    "accounts.UnitAppointment.person": "appointments",
    "accounts.UnitMember.person": "memberships",
    "accounts.WeChatLink.person": "account",
    "certificates.Certificate.person": "certificates",
    "learning.Enrolment.person": "enrolments",
    "learning.UnitHours.person": "unit_hours",
    "learning.Appeal.person": "appeals",
    "accounts.IntegrityRecord.person": "integrity",
    "orders.ActivationCode.owner": "codes",
    "orders.ActivationCode.person": "codes",
    "orders.Claim.person": "claims",
    "orders.Order.buyer": "orders",
    "orders.OrderLine.person": "purchases",
    "support.Conversation.person": "conversations",
    # What is known of others, or of the staff's work.
    "accounts.AuditEntry.actor": None,
    "accounts.CoordinatorInvitation.invited_by": None,
    "accounts.CoordinatorInvitation.person": None,
    "accounts.ListRow.person": None,
    "accounts.PersonRequest.filed_by": None,
    "accounts.PersonRequest.first_decider": None,
    "accounts.PersonRequest.second_decider": None,
    "accounts.RegistrationList.decided_by": None,
    "accounts.RegistrationList.submitted_by": None,
    "accounts.RegistrationList.uploaded_by": None,
    "accounts.RequestEvent.actor": None,
    "accounts.StaffDevice.user": None,
    "accounts.SupervisedRegion.person": None,
    "admin.LogEntry.user": None,
    "certificates.Certificate.revoked_by": None,
    "orders.OrderEvent.actor": None,
    "orders.PaymentException.resolved_by": None,
    "accounts.IntegrityRecord.recorded_by": None,
    "catalog.PlanPrice.set_by": None,
    "catalog.QuestionSheet.uploaded_by": None,
    "learning.Appeal.filed_by": None,
    "learning.Appeal.first_decider": None,
    "learning.Appeal.second_decider": None,
    "learning.AppealEvent.actor": None,
    "learning.CreditDecision.actor": None,
    "learning.StudyFlag.closed_by": None,
    "learning.UnitHours.recorded_by": None,
    "learning.UnitHoursEvent.actor": None,
    "orders.BillDifference.resolved_by": None,
    "orders.Claim.filed_by": None,
    "orders.Claim.first_decider": None,
    "orders.Claim.second_decider": None,
    "orders.ClaimEvent.actor": None,
    "orders.GroupCheck.alarm_seen_by": None,
    "orders.Refund.decided_by": None,
    "orders.Refund.proposed_by": None,
    # The wish stands with its order.
    "orders.Refund.requested_by": None,
    # Lists of others that are deleted after a day or a month.
    "orders.CodeImport.owner": None,
    "orders.CodeImportRow.person": None,
    "orders.GroupCheck.buyer": None,
    "orders.GroupRow.person": None,
    "orders.IdempotencyKey.person": None,
    "support.ConversationMessage.author": None,
    # Files that are deleted soon, each offered where it came from.
    "accounts.PrivateFile.owner": None,
    # The work of staff, gone once the video is made.
    "catalog.VideoUpload.person": None,
    # Signs for staff to look at; what comes of one stands in a section of its own.
    "learning.StudyFlag.person": None,
    # The machinery of the credit, whose outcome is in the enrolments and courses.
    "learning.PersonClock.person": None,
    "learning.PlaySession.person": None,
    "learning.Prompt.person": None,
}


def test_every_table_about_people_was_thought_of(owner):
    found = {
        f"{field.model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.concrete and field.is_relation and field.related_model is User
    }
    sections = {section.key for section in collect_own_data(owner)}

    assert found == set(COLUMNS)
    assert {section for section in COLUMNS.values() if section} <= sections


@pytest.mark.parametrize("password", ["wrong", ""])
def test_no_archive_without_the_password(client_of, owner, password):
    response = take(client_of(owner), password)

    assert list(response.context["form"].errors) == ["password"]
    assert AuditEntry.objects.count() == 0


def test_three_a_day(client_of, owner, clock, now):
    client = client_of(owner)
    for _ in range(3):
        assert take(client)["Content-Type"] == "application/zip"

    refused = take(client)
    assert "今日导出次数已达上限" in refused.content.decode()
    assert AuditEntry.objects.filter(action="personal_data.exported").count() == 3

    clock.move_to(now + timedelta(days=1), tick=False)
    assert take(client_of(owner))["Content-Type"] == "application/zip"


def test_reading_the_page_hands_out_nothing(client_of, owner):
    response = client_of(owner).get(EXPORT)

    assert response["Content-Type"].startswith("text/html")
    assert AuditEntry.objects.count() == 0


def test_only_for_who_is_logged_in(client):
    assert take(client).status_code == 302
