"""Rows of logins: they begin, end once, say why, and are forgotten."""

from datetime import timedelta

import pytest

from accounts.models import PersonSession
from accounts.rules.sessions import SessionLimits, explain_end, find_natural_end
from accounts.services.cleaning import forget_old_traces
from accounts.services.passwords import change_password
from accounts.services.sessions import (
    begin_session,
    end_other_sessions,
    end_session,
    note_use,
    remove_session,
)
from tests.factories.accounts import PASSWORD

CHROME = "Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LIMITS = SessionLimits(idle=12 * HOUR, total=14 * DAY)
Reason = PersonSession.EndReason

pytestmark = pytest.mark.django_db


def begin(person, now, *, at_a_time=1, user_agent=CHROME):
    return begin_session(
        person=person,
        user_agent=user_agent,
        address="203.0.113.77",
        at_a_time=at_a_time,
        now=now,
    )


def live_codes(person):
    rows = PersonSession.objects.filter(person=person, ended_at__isnull=True)
    return set(rows.values_list("code", flat=True))


# --- Beginning -----------------------------------------------------------------------------
def test_a_row_holds_words_and_a_masked_address(owner, now):
    session = begin(owner, now)

    assert (session.device, session.address) == ("Chrome · Windows", "203.0.113.*")
    assert (session.started_at, session.last_seen_at) == (now, now)
    assert (session.ended_at, session.end_reason) == (None, "")


def test_a_new_login_ends_the_one_before_and_names_itself(owner, stranger, now):
    first, other = begin(owner, now), begin(stranger, now)

    second = begin(owner, now + HOUR)

    first.refresh_from_db()
    assert (first.ended_at, first.end_reason) == (now + HOUR, Reason.REPLACED)
    assert first.ended_from == second
    assert live_codes(owner) == {second.code}
    assert live_codes(stranger) == {other.code}


def test_as_many_as_are_allowed_stay_the_oldest_goes(owner, now):
    first = begin(owner, now, at_a_time=2)
    second = begin(owner, now + MINUTE, at_a_time=2)

    third = begin(owner, now + 2 * MINUTE, at_a_time=2)

    assert live_codes(owner) == {second.code, third.code}
    first.refresh_from_db()
    assert first.end_reason == Reason.REPLACED


def test_a_code_that_is_live_already_begins_nothing(owner, stranger, now):
    first = begin_session(
        person=owner, user_agent="", address="", at_a_time=1, now=now, code="a1"
    )
    again = begin_session(
        person=owner, user_agent="", address="", at_a_time=1, now=now, code="a1"
    )

    assert again == first
    assert live_codes(owner) == {"a1"}
    assert PersonSession.objects.count() == 1


# --- Use -----------------------------------------------------------------------------------
def test_use_is_written_once_in_five_minutes(owner, now):
    session = begin(owner, now)

    note_use(session_id=session.pk, now=now + 4 * MINUTE)
    session.refresh_from_db()
    assert session.last_seen_at == now

    note_use(session_id=session.pk, now=now + 5 * MINUTE)
    session.refresh_from_db()
    assert session.last_seen_at == now + 5 * MINUTE


# --- Ends ----------------------------------------------------------------------------------
def test_an_end_is_written_once(owner, now):
    session = begin(owner, now)

    assert end_session(code=session.code, reason=Reason.LOGOUT, now=now + MINUTE)
    assert not end_session(code=session.code, reason=Reason.IDLE, now=now + HOUR)

    session.refresh_from_db()
    assert (session.ended_at, session.end_reason) == (now + MINUTE, Reason.LOGOUT)


def test_the_others_end_and_the_present_one_stays(owner, stranger, now):
    here = begin(owner, now, at_a_time=3)
    elsewhere = begin(owner, now, at_a_time=3)
    begin(stranger, now)

    count = end_other_sessions(
        person=owner, current=here.code, reason=Reason.REMOVED, now=now + MINUTE
    )

    assert count == 1
    assert live_codes(owner) == {here.code}
    assert len(live_codes(stranger)) == 1
    elsewhere.refresh_from_db()
    assert (elsewhere.end_reason, elsewhere.ended_from) == (Reason.REMOVED, here)


def test_nobody_ends_the_session_of_somebody_else(owner, stranger, now):
    here, foreign = begin(owner, now), begin(stranger, now)

    ended = remove_session(
        person=owner, code=foreign.code, current=here.code, now=now + MINUTE
    )

    assert ended is None
    assert live_codes(stranger) == {foreign.code}


def test_a_changed_password_ends_all_but_this_session(owner, now):
    here = begin(owner, now, at_a_time=2)
    elsewhere = begin(owner, now, at_a_time=2)

    change_password(
        person=owner,
        present=PASSWORD,
        password="nanshan-huaihai-1901",
        now=now + MINUTE,
        session=here.code,
    )

    assert live_codes(owner) == {here.code}
    elsewhere.refresh_from_db()
    assert elsewhere.end_reason == Reason.PASSWORD
    owner.refresh_from_db()
    assert owner.password_changed_at == now + MINUTE


@pytest.mark.parametrize(
    ("started", "seen", "end"),
    [
        (0 * DAY, 0 * HOUR, ""),
        (1 * DAY, 12 * HOUR - MINUTE, ""),
        (1 * DAY, 12 * HOUR, "idle"),
        (14 * DAY - MINUTE, 0 * HOUR, ""),
        (14 * DAY, 0 * HOUR, "expired"),
        (15 * DAY, 13 * HOUR, "expired"),
    ],
)
def test_what_time_ends(now, started, seen, end):
    found = find_natural_end(
        started_at=now - started, last_seen_at=now - seen, limits=LIMITS, now=now
    )

    assert found == end


# --- The sweep -----------------------------------------------------------------------------
def test_the_sweep_writes_the_ends_that_time_brought(owner, staff, now):
    idle, old, used = (begin(owner, now, at_a_time=9) for _ in range(3))
    clerk = begin(staff, now)
    later = now + 14 * DAY
    for session, seen in ((old, later - HOUR), (clerk, now)):
        PersonSession.objects.filter(pk=session.pk).update(last_seen_at=seen)
    PersonSession.objects.filter(pk=used.pk).update(
        started_at=later - DAY, last_seen_at=later - HOUR
    )

    forget_old_traces(now=later)

    ends = {
        row.pk: (row.end_reason, row.ended_at) for row in PersonSession.objects.all()
    }
    assert ends == {
        idle.pk: ("expired", now + 14 * DAY),
        old.pk: ("expired", now + 14 * DAY),
        used.pk: ("", None),
        clerk.pk: ("expired", now + 12 * HOUR),
    }


def test_the_sweep_ends_what_lay_idle(owner, staff, now):
    session, clerk = begin(owner, now), begin(staff, now)

    forget_old_traces(now=now + HOUR)
    session.refresh_from_db()
    clerk.refresh_from_db()
    assert (session.end_reason, clerk.end_reason) == ("", "idle")
    assert clerk.ended_at == now + 30 * MINUTE

    forget_old_traces(now=now + 12 * HOUR)
    session.refresh_from_db()
    assert (session.end_reason, session.ended_at) == ("idle", now + 12 * HOUR)


def test_ended_rows_are_forgotten_after_180_days(owner, now):
    session = begin(owner, now)
    end_session(code=session.code, reason=Reason.LOGOUT, now=now)

    forget_old_traces(now=now + 180 * DAY)
    assert PersonSession.objects.count() == 1

    forget_old_traces(now=now + 180 * DAY + MINUTE)
    assert PersonSession.objects.count() == 0


# --- Words ---------------------------------------------------------------------------------
def test_the_words_name_moment_and_device(now):
    text = explain_end("replaced", ended_at=now, device="Chrome · Windows")

    assert text.startswith(
        "您的账号于 6月15日 10:00 在另一台设备（Chrome · Windows）登录，本机已退出。"
    )


@pytest.mark.parametrize("reason", ["account", "logout", ""])
def test_other_ends_say_little(now, reason):
    assert explain_end(reason, ended_at=now, device="") == "登录已失效，请重新登录。"
