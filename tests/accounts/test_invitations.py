"""Invitations: one phone, one use, seven days, and nothing told about accounts."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.errors import (
    InvitationClosedError,
    InvitationPhoneError,
    InvitationThrottledError,
    NoAppointmentError,
)
from accounts.models import (
    AuditEntry,
    CoordinatorInvitation,
    Message,
    UnitAppointment,
    UnitMember,
)
from accounts.queries.invitations import get_invitation_by_token
from accounts.rules.throttles import INVITE_PHONE, INVITE_UNIT
from accounts.services.invitations import (
    accept_invitation,
    decline_invitation,
    invite_coordinator,
    withdraw_invitation,
)
from tests.factories.accounts import UnitAppointmentFactory, UserFactory, make_phone

pytestmark = pytest.mark.django_db
PAGE = "accounts:invitation"
PHONE = make_phone(77)
WEEK = timedelta(days=7)


@pytest.fixture
def invited(db):
    """The colleague who is to act for the unit."""
    return UserFactory(name="郑七", phone=make_phone(77))


def invite(unit, actor, now, phone=PHONE):
    return invite_coordinator(
        unit=unit,
        phone=phone,
        address="https://portal.example/invitation/{token}/",
        actor=actor,
        now=now,
    )


def read_token():
    """The token in the newest SMS."""
    text = Message.objects.latest("pk").text
    return re.search(r"/invitation/([\w-]+)/", text)[1]


def states():
    rows = CoordinatorInvitation.objects.order_by("pk")
    return list(rows.values_list("state", flat=True))


# --- Sending -------------------------------------------------------------------------------
def test_the_link_goes_out_and_only_its_hash_stays(unit, coordinator, now):
    invitation = invite(unit, coordinator, now)

    message = Message.objects.get()
    token = read_token()
    assert message.recipient == make_phone(77)
    assert message.expires_at == invitation.expires_at == now + WEEK
    assert f"李四邀请您担任“{unit.name}”的经办人" in message.text
    assert get_invitation_by_token(token) == invitation
    assert len(token) == 22
    stored = str(CoordinatorInvitation.objects.values().get())
    assert token not in stored
    assert make_phone(77) not in stored
    assert (invitation.phone_mask, states()) == ("199****0077", ["waiting"])
    assert AuditEntry.objects.get().action == "invitation.sent"


def test_it_is_the_same_whether_the_phone_has_an_account(
    unit, coordinator, now, invited
):
    known = invite(unit, coordinator, now)
    unknown = invite(unit, coordinator, now, phone=make_phone(78))

    assert known.state == unknown.state
    assert [m.template for m in Message.objects.all()] == ["coordinator_invited"] * 2
    assert known.person is unknown.person is None


def test_a_second_invitation_replaces_the_first(unit, coordinator, now):
    invite(unit, coordinator, now)
    first_token = read_token()

    invite(unit, coordinator, now + timedelta(hours=1))

    assert states() == ["withdrawn", "waiting"]
    assert get_invitation_by_token(first_token).state == "withdrawn"


def test_only_coordinators_invite(unit, stranger, now):
    with pytest.raises(NoAppointmentError):
        invite(unit, stranger, now)

    assert (states(), Message.objects.count()) == ([], 0)


def test_limits_of_a_phone_and_of_a_unit(unit, coordinator, now):
    for _ in range(INVITE_PHONE.count):
        invite(unit, coordinator, now)
    with pytest.raises(InvitationThrottledError):
        invite(unit, coordinator, now)
    # A refused try counts for the unit as well.
    for number in range(INVITE_UNIT.count - INVITE_PHONE.count - 1):
        invite(unit, coordinator, now, phone=make_phone(100 + number))
    with pytest.raises(InvitationThrottledError):
        invite(unit, coordinator, now, phone=make_phone(300))

    assert len(states()) == INVITE_UNIT.count - 1
    invite(unit, coordinator, now + timedelta(days=1))


# --- Answering -------------------------------------------------------------------------------
def test_accepting(unit, coordinator, invited, now):
    invitation = invite(unit, coordinator, now)

    accept_invitation(invitation=invitation, person=invited, now=now + WEEK / 2)

    invitation.refresh_from_db()
    assert (invitation.state, invitation.person) == ("accepted", invited)
    assert invitation.answered_at == now + WEEK / 2
    assert UnitAppointment.objects.filter(unit=unit, person=invited).count() == 1
    assert UnitMember.objects.get().source == "invited"
    assert invited.is_coordinator
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "invitation.sent",
        "coordinator.appointed",
        "invitation.accepted",
    ]


def test_the_account_of_another_phone_cannot_accept(unit, coordinator, stranger, now):
    invitation = invite(unit, coordinator, now)

    with pytest.raises(InvitationPhoneError):
        accept_invitation(invitation=invitation, person=stranger, now=now)

    assert states() == ["waiting"]
    assert UnitAppointment.objects.count() == 1
    assert UnitMember.objects.count() == 0


@pytest.mark.parametrize("how", ["accepted", "declined", "withdrawn", "expired"])
def test_what_is_closed_stays_closed(unit, coordinator, invited, now, how):
    invitation = invite(unit, coordinator, now)
    moment = now
    if how == "accepted":
        accept_invitation(invitation=invitation, person=invited, now=now)
    elif how == "declined":
        decline_invitation(invitation=invitation, actor=None, now=now)
    elif how == "withdrawn":
        withdraw_invitation(invitation=invitation, actor=coordinator, now=now)
    else:
        moment = now + WEEK
    before = (states(), UnitAppointment.objects.count(), AuditEntry.objects.count())

    with pytest.raises(InvitationClosedError):
        accept_invitation(invitation=invitation, person=invited, now=moment)
    with pytest.raises(InvitationClosedError):
        decline_invitation(invitation=invitation, actor=None, now=moment)
    with pytest.raises(InvitationClosedError):
        withdraw_invitation(invitation=invitation, actor=coordinator, now=moment)

    after = (states(), UnitAppointment.objects.count(), AuditEntry.objects.count())
    assert after == before


# --- The pages -------------------------------------------------------------------------------
@pytest.fixture
def sent(unit, coordinator):
    """An invitation of this moment, since pages ask the clock, and its token."""
    invite(unit, coordinator, timezone.now())
    return read_token()


def open_link(client, token):
    return client.get(reverse("accounts:invitation-link", args=[token]))


def test_the_token_leaves_the_address_at_once(client, sent):
    response = open_link(client, sent)

    assert response.url == reverse(PAGE)
    html = client.get(response.url).content.decode()
    assert "李四" in html
    assert "199****0077" in html
    assert sent not in html
    assert f"{reverse('accounts:login')}?next={reverse(PAGE)}" in html


def test_without_the_link_there_is_nothing(client, sent, client_of, invited):
    assert client.get(reverse(PAGE)).status_code == 404
    assert client_of(invited).get(reverse(PAGE)).status_code == 404
    assert open_link(client, "wrong").status_code == 404


def test_accepting_leads_to_the_workspace(client_of, invited, sent, unit):
    client = client_of(invited)
    open_link(client, sent)

    response = client.post(reverse(PAGE), {"answer": "accept"}, follow=True)

    assert response.redirect_chain[0][0] == reverse("unit-overview")
    assert f"您已成为“{unit.name}”的经办人。" in response.content.decode()
    assert client.get(reverse(PAGE)).status_code == 404


def test_the_link_survives_the_login(client, invited, sent):
    open_link(client, sent)
    client.post(reverse(PAGE), {"answer": "accept"})
    assert states() == ["waiting"]

    client.force_login(invited)
    client.post(reverse(PAGE), {"answer": "accept"})

    assert states() == ["accepted"]


def test_a_stranger_with_the_link_is_told_why_not(client_of, stranger, sent):
    client = client_of(stranger)
    open_link(client, sent)

    response = client.post(reverse(PAGE), {"answer": "accept"}, follow=True)

    assert "请使用收到短信的手机号码注册或登录" in response.content.decode()
    assert states() == ["waiting"]


def test_declining_needs_no_account(client, sent):
    open_link(client, sent)

    response = client.post(reverse(PAGE), {"answer": "decline"}, follow=True)

    assert "您已谢绝该邀请" in response.content.decode()
    assert states() == ["declined"]


def test_a_coordinator_invites_and_withdraws(client_of, coordinator, unit):
    client = client_of(coordinator)
    page = reverse("accounts:unit-coordinators")

    html = client.post(page, {"phone": "199 0000 0088"}, follow=True).content.decode()

    assert "邀请短信已发送" in html
    assert "199****0088" in html
    assert make_phone(88) not in html
    code = CoordinatorInvitation.objects.get().code
    withdraw = reverse("accounts:unit-invitation-withdraw", args=[code])
    other = UnitAppointmentFactory().person
    assert client_of(other).post(withdraw).status_code == 404
    assert states() == ["waiting"]
    assert "邀请已撤回" in client.post(withdraw, follow=True).content.decode()
    assert states() == ["withdrawn"]
    assert "无需撤回" in client.post(withdraw, follow=True).content.decode()


def test_a_wrong_phone_sends_nothing(client_of, coordinator):
    page = reverse("accounts:unit-coordinators")

    html = client_of(coordinator).post(page, {"phone": "12800138000"}).content.decode()

    assert "请填写11位手机号码" in html
    assert (states(), Message.objects.count()) == ([], 0)


def test_staff_do_not_read_the_link(client_of, staff, sent):
    url = reverse("admin:accounts_message_change", args=[Message.objects.get().pk])

    html = client_of(staff).get(url).content.decode()

    assert "含验证码或专属链接，不显示" in html
    assert sent not in html
