from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import (
    PhoneTakenError,
    RequestRefusedError,
    RequestStateError,
    RequestThrottledError,
)
from accounts.models import AuditEntry, Message, PersonRequest, PrivateFile
from accounts.queries.requests import (
    filter_overdue,
    find_phone_request,
    get_request_file_for,
    list_requests_for,
    list_wanted,
)
from accounts.services.cleaning import forget_old_traces
from accounts.services.request_decisions import refuse_request, return_request
from accounts.services.requests import (
    forget_old_requests,
    resend_request,
    take_address_try,
    take_person_try,
    take_phone_try,
    withdraw_request,
    withdraw_requests_of,
)
from tests.clock import at
from tests.factories.accounts import (
    UnitAppointmentFactory,
    UnitFactory,
    UserFactory,
    make_id_number,
    make_phone,
)
from tests.factories.requests import (
    UNIT_CODE,
    file_appointment,
    file_lost_phone,
    file_name_change,
    file_number_change,
    make_proofs,
    make_staff,
)
from tests.interruption import run_before

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("working_calendar")]


def steps(row):
    return list(row.events.order_by("pk").values_list("kind", flat=True))


def returned(row, now, reason="请上传身份证背面"):
    return return_request(
        request_id=row.pk,
        seen_version=row.version,
        reason=reason,
        actor=make_staff("审核"),
        now=now,
    )


def test_it_is_filed_with_proof_due_date_and_audit(owner, now):
    row = file_name_change(owner, now=now)

    assert (row.person, row.filed_by, row.state) == (owner, owner, "open")
    assert row.wanted == {"name": "赵易"}
    assert row.due_date == date(2026, 6, 18)
    assert steps(row) == ["filed"]
    file = row.files.get()
    assert (file.owner, file.expires_at) == (owner, None)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target) == ("request.filed", f"request:{row.code}")
    assert entry.detail == {"kind": "name_change"}


def test_what_is_asked_for_is_encrypted(owner, now):
    row = file_number_change(owner, now=now)

    assert row.wanted["id_number"].encode() not in bytes(row.wanted_cipher)
    [change] = list_wanted(row)
    assert change.old == owner.masked_id_number
    assert (
        change.new
        == row.wanted["id_number"][:6] + "********" + row.wanted["id_number"][-4:]
    )


def test_dom_28_three_working_days_with_the_chinese_calendar(owner):
    row = file_name_change(owner, now=at("2026-02-13 10:00"))

    assert row.due_date == date(2026, 2, 25)


def test_one_of_a_kind_at_a_time(owner, now):
    file_name_change(owner, now=now)

    with pytest.raises(RequestRefusedError, match="同类申请正在办理"):
        file_name_change(owner, now=now, name="赵亿")

    file_number_change(owner, now=now)
    assert PersonRequest.objects.count() == 2
    assert PrivateFile.objects.count() == 2


def test_what_needs_no_change_is_refused(owner, now):
    with pytest.raises(RequestRefusedError, match="相同"):
        file_name_change(owner, now=now, name=owner.name)

    assert PersonRequest.objects.count() == 0


def test_the_number_of_another_account_is_not_told(owner, stranger, now):
    """Or anybody logged in could ask who has an account."""
    row = PersonRequest(kind="number_change", person=owner)
    row.store_wanted({"id_number": stranger.id_number})

    filed = file_number_change(owner, now=now)

    assert filed.state == "open"


def test_a_coordinator_of_the_unit_need_not_ask(owner, regions, now):
    unit = UnitFactory(region=regions["500103"], credit_code=UNIT_CODE)
    UnitAppointmentFactory(unit=unit, person=owner)

    with pytest.raises(RequestRefusedError, match="已是该单位的经办人"):
        file_appointment(owner, now=now)


# --- A lost phone --------------------------------------------------------------------------
def test_a_lost_phone_is_filed_the_same_whether_there_is_an_account(owner, now):
    nobody = UserFactory.build(name="赵一", id_number=make_id_number(7777))
    asked = []
    # The first one of all makes the head of the audit chain.
    file_lost_phone(owner, now=now, phone=7009)
    for person, phone in ((owner, 7010), (nobody, 7011)):
        with CaptureQueriesContext(connection) as queries:
            row = file_lost_phone(person, now=now, phone=phone)
        asked.append(
            [
                " ".join(query["sql"].split()[:3])
                for query in queries.captured_queries
                if "SAVEPOINT" not in query["sql"]
            ]
        )
        assert (row.person, row.filed_by, row.state) == (None, None, "open")

    assert asked[0] == asked[1]


def test_the_new_phone_gets_the_number_of_the_request(owner, now):
    row = file_lost_phone(owner, now=now)

    message = Message.objects.get()
    assert message.recipient == make_phone(7002)
    assert row.code in message.text


def test_a_phone_in_use_is_told_to_its_holder(owner, stranger, now):
    with pytest.raises(PhoneTakenError):
        file_lost_phone(owner, now=now, phone=int(stranger.phone) - int(make_phone(0)))

    assert PersonRequest.objects.count() == 0
    assert PrivateFile.objects.count() == 0


def test_it_is_found_by_number_and_phone_together(owner, now):
    row = file_lost_phone(owner, now=now)

    assert find_phone_request(code=row.code, phone=make_phone(7002)) == row
    assert find_phone_request(code=row.code, phone=owner.phone) is None
    assert find_phone_request(code="0" * 16, phone=make_phone(7002)) is None


@pytest.mark.parametrize(
    ("take", "allowed"),
    [
        (lambda now: take_address_try(address="203.0.113.5", now=now), 20),
        (lambda now: take_phone_try(phone=make_phone(1), now=now), 3),
    ],
)
def test_tries_are_counted_for_a_day(now, take, allowed):
    for _ in range(allowed):
        take(now)

    with pytest.raises(RequestThrottledError):
        take(now + timedelta(hours=23))
    take(now + timedelta(hours=25))


def test_a_persons_tries_are_counted_apart(owner, stranger, now):
    for _ in range(10):
        take_person_try(person=owner, now=now)

    with pytest.raises(RequestThrottledError):
        take_person_try(person=owner, now=now)
    take_person_try(person=stranger, now=now)


# --- Sent again ----------------------------------------------------------------------------
def test_a_returned_request_is_sent_again(owner, now):
    row = returned(file_name_change(owner, now=now), now)
    old = row.files.get()
    later = now + timedelta(days=1)

    sent = resend_request(
        request=row,
        wanted={"name": "赵艺"},
        proofs=make_proofs(2),
        actor=owner,
        now=later,
    )

    assert (sent.state, sent.wanted, sent.version) == ("open", {"name": "赵艺"}, 3)
    # The 19th is 端午节.
    assert sent.due_date == date(2026, 6, 22)
    assert sent.decided_at is None
    assert sent.files.count() == 2
    assert not PrivateFile.objects.filter(pk=old.pk).exists()
    assert steps(sent) == ["filed", "returned", "resent"]


def test_without_new_proofs_the_old_ones_stay(owner, now):
    row = returned(file_name_change(owner, now=now), now)
    assert row.files.get().expires_at == now + timedelta(days=90)

    resend_request(
        request=row, wanted={"name": "赵艺"}, proofs=[], actor=owner, now=now
    )

    assert row.files.get().expires_at is None


def test_when_the_old_ones_are_gone_new_ones_are_needed(owner, now):
    row = returned(file_name_change(owner, now=now), now)
    later = now + timedelta(days=91)
    forget_old_traces(now=later)

    with pytest.raises(RequestRefusedError, match="已到期删除"):
        resend_request(
            request=row, wanted={"name": "赵艺"}, proofs=[], actor=owner, now=later
        )

    row.refresh_from_db()
    assert row.state == "returned"


def test_only_returned_ones_are_sent_again(owner, now):
    row = file_name_change(owner, now=now)

    with pytest.raises(RequestStateError):
        resend_request(
            request=row, wanted={"name": "赵艺"}, proofs=[], actor=owner, now=now
        )

    row.refresh_from_db()
    assert row.wanted == {"name": "赵易"}


# --- Withdrawn, forgotten ------------------------------------------------------------------
def test_withdrawn_at_once_with_its_proofs(owner, now):
    row = file_name_change(owner, now=now)

    withdrawn = withdraw_request(request=row, actor=owner, now=now)

    assert withdrawn.state == "withdrawn"
    assert PrivateFile.objects.count() == 0
    assert steps(withdrawn) == ["filed", "withdrawn"]
    file_name_change(owner, now=now)


def test_what_has_ended_cannot_be_withdrawn(owner, now):
    row = file_name_change(owner, now=now)
    refuse_request(
        request_id=row.pk,
        seen_version=1,
        reason="材料不符",
        actor=make_staff("审核"),
        now=now,
    )

    with pytest.raises(RequestStateError):
        withdraw_request(request=row, actor=owner, now=now)

    row.refresh_from_db()
    assert row.state == "refused"


def test_a_closed_account_asks_for_nothing(owner, stranger, now):
    rows = [file_name_change(owner, now=now), file_number_change(owner, now=now)]
    other = file_name_change(stranger, now=now, name="钱贰")

    assert withdraw_requests_of(person=owner, actor=owner, now=now) == 2

    states = PersonRequest.objects.filter(pk__in=[row.pk for row in rows])
    assert set(states.values_list("state", flat=True)) == {"withdrawn"}
    other.refresh_from_db()
    assert other.state == "open"


def test_90_days_after_the_decision_content_and_proofs_are_gone(owner, stranger, now):
    row = file_number_change(owner, now=now)
    waiting = file_name_change(stranger, now=now, name="钱贰")
    refuse_request(
        request_id=row.pk,
        seen_version=1,
        reason="材料不符",
        actor=make_staff("审核"),
        now=now,
    )

    forget_old_traces(now=now + timedelta(days=89))
    row.refresh_from_db()
    assert row.wanted
    assert row.files.count() == 1

    forget_old_traces(now=now + timedelta(days=90))
    row.refresh_from_db()
    assert (row.wanted, row.state) == ({}, "refused")
    assert row.files.count() == 0
    assert list_wanted(row) == []
    waiting.refresh_from_db()
    assert waiting.wanted == {"name": "钱贰"}
    assert waiting.files.count() == 1


def test_request_sent_again_while_old_ones_are_forgotten_is_kept(owner, now):
    row = returned(file_name_change(owner, now=now), now)
    later = now + timedelta(days=90)

    def send_again():
        resend_request(
            request=row,
            wanted={"name": "赵艺"},
            proofs=make_proofs(),
            actor=owner,
            now=later,
        )

    with run_before('UPDATE "accounts_personrequest"', send_again):
        assert forget_old_requests(now=later) == 0

    row.refresh_from_db()
    assert (row.state, row.wanted) == ("open", {"name": "赵艺"})


# --- Reads ---------------------------------------------------------------------------------
def test_everybody_sees_the_own_ones(owner, stranger, now):
    row = file_name_change(owner, now=now)
    file_name_change(stranger, now=now, name="钱贰")

    assert list_requests_for(owner) == [row]
    assert get_request_file_for(owner, row.code, row.files.get().code)


def test_overdue_is_what_waits_past_its_day(owner, now):
    row = file_name_change(owner, now=now)

    assert (
        list(filter_overdue(PersonRequest.objects.all(), today=date(2026, 6, 18))) == []
    )
    assert list(
        filter_overdue(PersonRequest.objects.all(), today=date(2026, 6, 19))
    ) == [row]
    withdraw_request(request=row, actor=owner, now=now)
    assert (
        list(filter_overdue(PersonRequest.objects.all(), today=date(2026, 6, 19))) == []
    )
