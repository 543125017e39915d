"""What becomes of requests for another phone and for an appointment."""

from datetime import timedelta

import pytest

from accounts.errors import (
    RequestRefusedError,
    RequestStateError,
)
from accounts.models import (
    AuditEntry,
    Message,
    PersonRequest,
    Unit,
    UnitAppointment,
    User,
    WeChatLink,
)
from accounts.queries import find_person_by_phone
from accounts.queries.requests import compare_request
from accounts.services.request_decisions import (
    approve_request,
    refuse_request,
)
from accounts.services.requests import withdraw_request
from tests.factories.accounts import (
    PASSWORD,
    UnitFactory,
    UserFactory,
    make_id_number,
    make_phone,
)
from tests.factories.requests import (
    UNIT_CODE,
    file_appointment,
    file_lost_phone,
    make_staff,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewers(db):
    return [make_staff("审核"), make_staff("审核")]


def approve(row, actor, now, version=None):
    row.refresh_from_db()
    return approve_request(
        request_id=row.pk, seen_version=version or row.version, actor=actor, now=now
    )


def state_of(row):
    return PersonRequest.objects.get(pk=row.pk).state


def texts_to(phone):
    return [each.text for each in Message.objects.all() if each.recipient == phone]


def actions():
    return list(AuditEntry.objects.order_by("position").values_list("action", "actor"))


# --- Lost phones ---------------------------------------------------------------------------
def test_a_phone_is_replaced_by_two_and_every_session_ends(
    client_of, owner, reviewers, now
):
    former, new = owner.phone, make_phone(7002)
    client = client_of(owner)
    WeChatLink.objects.create(person=owner, openid="o-former", linked_at=now)
    row = file_lost_phone(owner, now=now)

    approve(row, reviewers[0], now)

    assert state_of(row) == "first_approved"
    assert "有人申请变更您账号登记的手机号码" in texts_to(former)[0]
    assert client.get("/accounts/profile/").status_code == 200

    approve(row, reviewers[1], now)

    owner = User.objects.get(pk=owner.pk)
    assert find_person_by_phone(new) == owner
    assert find_person_by_phone(former) is None
    assert not owner.check_password(PASSWORD)
    assert WeChatLink.objects.count() == 0
    assert client.get("/accounts/profile/").status_code == 302
    assert "不再使用本手机号码" in texts_to(former)[1]
    assert "已变更为本号码" in texts_to(new)[1]
    assert ("account.phone_replaced", reviewers[1].pk) in actions()
    row.refresh_from_db()
    assert row.person == owner
    assert compare_request(row).changes[2].old == f"{former[:3]}****{former[-4:]}"


def test_a_wrong_phone_on_a_units_list(owner, reviewers, now):
    """Who was registered with a wrong number gets to 首次登录 this way."""
    owner.state = User.State.PENDING
    owner.save()
    row = file_lost_phone(owner, now=now)

    for reviewer in reviewers:
        approve(row, reviewer, now)

    owner = User.objects.get(pk=owner.pk)
    assert (owner.phone, owner.state) == (make_phone(7002), "pending")
    assert "办理首次登录" in texts_to(owner.phone)[-1]


def test_without_an_account_there_is_nothing_to_approve(reviewers, now):
    nobody = UserFactory.build(name="无名", id_number=make_id_number(7777))
    row = file_lost_phone(nobody, now=now)

    with pytest.raises(RequestRefusedError, match="没有使用该证件号码的账号"):
        approve(row, reviewers[0], now)

    assert state_of(row) == "open"
    refuse_request(
        request_id=row.pk,
        seen_version=1,
        reason="未找到账号",
        actor=reviewers[0],
        now=now,
    )
    assert row.code in texts_to(make_phone(7002))[-1]


@pytest.mark.parametrize(
    "change", [{"is_staff": True}, {"state": "closed", "is_active": False}]
)
def test_accounts_whose_phone_is_not_replaced_here(owner, reviewers, now, change):
    row = file_lost_phone(owner, now=now)
    User.objects.filter(pk=owner.pk).update(**change)

    with pytest.raises(RequestRefusedError):
        approve(row, reviewers[0], now)

    assert state_of(row) == "open"


def test_a_phone_taken_meanwhile_is_refused(owner, stranger, reviewers, now):
    row = file_lost_phone(owner, now=now)
    approve(row, reviewers[0], now)
    former = owner.phone
    stranger.store_phone(make_phone(7002))
    stranger.save()

    with pytest.raises(RequestRefusedError):
        approve(row, reviewers[1], now)

    changed = User.objects.get(pk=owner.pk)
    assert (changed.phone, changed.check_password(PASSWORD)) == (former, True)


def test_two_strangers_for_one_account(owner, reviewers, now):
    rows = [file_lost_phone(owner, now=now, phone=phone) for phone in (7002, 7003)]
    approve(rows[0], reviewers[0], now)

    with pytest.raises(RequestRefusedError, match="另一份"):
        approve(rows[1], reviewers[0], now)

    assert state_of(rows[1]) == "open"


def test_the_owner_stops_a_stranger_between_the_two(owner, reviewers, now):
    row = approve(file_lost_phone(owner, now=now), reviewers[0], now)

    withdraw_request(request=row, actor=owner, now=now)

    with pytest.raises(RequestStateError):
        approve(row, reviewers[1], now)
    assert User.objects.get(pk=owner.pk).phone == owner.phone


def test_a_name_that_differs_is_told_to_staff(owner, now):
    row = file_lost_phone(owner, now=now)
    User.objects.filter(pk=owner.pk).update(name="赵壹")

    assert compare_request(row).warnings == [
        "填写的姓名与账号登记的姓名不一致，请仔细核对证件。"
    ]


# --- Coordinators --------------------------------------------------------------------------
def test_a_new_unit_gets_its_coordinator(owner, regions, now):
    clerk = make_staff("业务")
    row = file_appointment(owner, now=now)

    approve(row, clerk, now)

    unit = Unit.objects.get(credit_code=UNIT_CODE)
    assert (unit.name, unit.region) == ("重庆市示例学校", regions["500103"])
    appointment = UnitAppointment.objects.get()
    assert (appointment.unit, appointment.person) == (unit, owner)
    assert (appointment.appointed_at, appointment.ended_at) == (now, None)
    owner.refresh_from_db()
    assert owner.is_coordinator
    entry = AuditEntry.objects.get(action="unit.coordinator_appointed")
    assert entry.detail == {"request": row.code, "unit": unit.pk}
    assert "单位经办人申请已通过" in texts_to(owner.phone)[0]


def test_a_known_unit_is_found_by_its_code(owner, regions, now):
    unit = UnitFactory(
        name="重庆市示例学校（总校）", region=regions["500106"], credit_code=UNIT_CODE
    )
    row = file_appointment(owner, now=now)
    assert "作为已登记的单位的经办人" in compare_request(row).warnings[0]

    approve(row, make_staff("审核"), now)

    assert Unit.objects.get(credit_code=UNIT_CODE) == unit
    assert UnitAppointment.objects.get().unit == unit


def test_a_known_unit_without_code_gets_it(owner, regions, now):
    unit = UnitFactory(name="重庆市示例学校", region=regions["500103"])
    row = file_appointment(owner, now=now)

    approve(row, make_staff("审核"), now)

    unit.refresh_from_db()
    assert unit.credit_code == UNIT_CODE
    assert UnitAppointment.objects.get().unit == unit


@pytest.mark.parametrize(
    "values",
    [
        {"credit_code": "12500000400000000A", "name": "重庆市示例学校"},
        {"credit_code": UNIT_CODE, "name": "别的", "is_active": False},
        {"credit_code": None, "name": "重庆市示例学校", "is_active": False},
    ],
)
def test_units_that_contradict(owner, regions, now, values):
    UnitFactory(region=regions["500103"], **values)
    before = list(Unit.objects.order_by("pk").values())
    row = file_appointment(owner, now=now)
    assert "不能通过" in compare_request(row).warnings[0]

    with pytest.raises(RequestRefusedError):
        approve(row, make_staff("审核"), now)

    assert state_of(row) == "open"
    assert list(Unit.objects.order_by("pk").values()) == before
    assert UnitAppointment.objects.count() == 0


def test_nobody_is_appointed_twice(owner, regions, now):
    clerk = make_staff("审核")
    row = file_appointment(owner, now=now)
    approve(row, clerk, now)
    UnitAppointment.objects.update(ended_at=now)

    again = file_appointment(owner, now=now + timedelta(days=1))
    approve(again, clerk, now)

    assert UnitAppointment.objects.filter(ended_at=None).count() == 1
    assert UnitAppointment.objects.count() == 2
