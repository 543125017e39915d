import re
from datetime import timedelta
from pathlib import Path

import pytest

from accounts.errors import ExportThrottledError, PasswordWrongError
from accounts.models import AuditEntry, Consent, Message
from accounts.queries.own_data import collect_account_data
from accounts.rules.own_data import describe_action
from accounts.services.audit import record_audit
from accounts.services.exports import allow_export
from accounts.services.messages import deliver_due_messages, send_message
from portal.lib.masks import mask_id_number, mask_phone
from tests.clock import stopped
from tests.factories.accounts import (
    PASSWORD,
    UnitAppointmentFactory,
    UnitMemberFactory,
    UserFactory,
    make_id_number,
)
from tests.factories.requests import file_name_change, file_number_change

pytestmark = pytest.mark.django_db
PROJECT = Path(__file__).resolve().parent.parent.parent


def rows_of(person, key):
    [section] = [each for each in collect_account_data(person) if each.key == key]
    return [dict(zip(section.columns, row, strict=True)) for row in section.rows]


def send(recipient, now, *, template="password_changed", context=None, channel="sms"):
    return send_message(
        channel=channel,
        recipient=recipient,
        template=template,
        context=context or {},
        now=now,
    )


def test_the_account_in_full(owner):
    facts = {row["item"]: row["value"] for row in rows_of(owner, "account")}

    assert facts["姓名"] == "赵一"
    assert facts["证件号码"] == owner.id_number
    assert facts["手机号码"] == owner.phone
    assert facts["账号状态"] == "正常"
    assert facts["注册时间"] == "2026-01-05 09:00:00+0800"


def test_the_profile(owner):
    facts = {row["item"]: row["value"] for row in rows_of(owner, "profile")}

    assert facts["工作单位"] == owner.profile.unit_name
    assert facts["专业序列"] == "工程技术人员"


def test_no_profile_no_rows():
    assert rows_of(UserFactory(), "profile") == []


def test_consents(owner, stranger, now):
    for person in (owner, stranger):
        Consent.objects.create(
            person=person,
            kind="privacy",
            version="2026-01",
            given_at=now,
            address="::1",
        )

    assert rows_of(owner, "consents") == [
        {
            "at": "2026-06-15 10:00:00+0800",
            "kind": "隐私政策",
            "version": "2026-01",
            "address": "::1",
        }
    ]


def test_messages_masked_and_without_codes(owner, now):
    send(owner.phone, now)
    send(owner.phone, now, template="code_login", context={"code": "123456"})
    deliver_due_messages(clock=stopped(now))

    rows = rows_of(owner, "messages")

    assert [row["recipient"] for row in rows] == [owner.masked_phone] * 2
    assert "密码已修改" in rows[0]["text"]
    assert rows[1]["text"] == "（含验证码，不提供）"
    assert "123456" not in str(rows)


def test_mail_to_the_address_on_file(owner, now):
    owner.email = "zhao@example.com"
    send("zhao@example.com", now, channel="mail")
    send("zhang@example.com", now, channel="mail")

    assert [row["recipient"] for row in rows_of(owner, "messages")] == [
        "z***@example.com"
    ]


def test_messages_to_a_phone_with_the_same_mask_are_not_mine(now):
    mine = UserFactory(phone="19900001234")
    send("19900001234", now)
    send("19911111234", now, template="account_closed")
    assert mask_phone("19900001234") == mask_phone("19911111234")

    assert [row["title"] for row in rows_of(mine, "messages")] == ["密码修改提醒"]


def test_what_the_phone_got_before_it_was_mine(owner, now):
    send(owner.phone, owner.date_joined - timedelta(seconds=1))
    assert rows_of(owner, "messages") == []

    send(owner.phone, owner.date_joined)
    assert len(rows_of(owner, "messages")) == 1

    record_audit(
        action="account.phone_changed",
        target=f"user:{owner.code}",
        actor=owner,
        now=now,
    )
    assert rows_of(owner, "messages") == []
    send(owner.phone, now)
    assert len(rows_of(owner, "messages")) == 1


def test_what_was_never_sent_or_is_forgotten(owner, now):
    withheld, forgotten = send(owner.phone, now), send(owner.phone, now)
    Message.objects.filter(pk=withheld.pk).update(state=Message.State.WITHHELD)
    Message.objects.filter(pk=forgotten.pk).update(
        recipient_cipher=b"", text_cipher=b""
    )

    assert rows_of(owner, "messages") == []


def test_appointments(owner, unit, now):
    UnitAppointmentFactory(unit=unit, person=owner, appointed_at=now)

    assert rows_of(owner, "appointments") == [
        {"unit": unit.name, "from": "2026-06-15 10:00:00+0800", "until": ""}
    ]


def test_units_past_and_present(owner, stranger, unit, now):
    former = UnitMemberFactory(
        person=owner,
        source="list",
        joined_at=now - timedelta(days=2),
        ended_at=now - timedelta(days=1),
    )
    UnitMemberFactory(unit=unit, person=owner, source="profile", joined_at=now)
    UnitMemberFactory(unit=unit, person=stranger)

    assert rows_of(owner, "memberships") == [
        {
            "unit": former.unit.name,
            "source": "单位名单",
            "from": "2026-06-13 10:00:00+0800",
            "until": "2026-06-14 10:00:00+0800",
        },
        {
            "unit": unit.name,
            "source": "本人填写",
            "from": "2026-06-15 10:00:00+0800",
            "until": "",
        },
    ]


def test_requests_with_masked_numbers(owner, stranger, now):
    first = file_name_change(owner, now=now)
    second = file_number_change(owner, now=now + timedelta(minutes=1))
    file_name_change(stranger, now=now)

    rows = rows_of(owner, "requests")

    assert rows == [
        {
            "code": first.code,
            "kind": "姓名变更",
            "filed_at": "2026-06-15 10:00:00+0800",
            "wanted": "姓名：赵易",
            "files": "1",
            "state": "待审核",
            "decided_at": "",
        },
        {
            "code": second.code,
            "kind": "证件号码变更",
            "filed_at": "2026-06-15 10:01:00+0800",
            "wanted": f"证件号码：{mask_id_number(make_id_number(7001))}",
            "files": "1",
            "state": "待审核",
            "decided_at": "",
        },
    ]


@pytest.mark.parametrize(
    "action",
    [
        *("account.opened", "account.linked_to_unit", "account.phone_replaced"),
        *("account.name_changed", "account.id_number_changed"),
        *("unit.coordinator_appointed", "enrolment.opened_by_staff"),
        *("admin.user_changed", "second_factor.reset"),
    ],
)
def test_nobody_has_to_read_the_words_of_the_audit(owner, staff, now, action):
    target = f"user:{owner.code}"
    record_audit(action=action, target=target, actor=staff, now=now)

    [row] = rows_of(owner, "audit")

    assert "." not in row["action"]


def test_every_action_on_an_account_has_words():
    """Found in the code: an action that comes later must not be exported as its code."""
    about_people = re.compile(
        r'"((?:account|enrolment|profile|second_factor|wechat)\.[a-z_]+)"'
    )
    written = {
        action
        for app in ("accounts", "learning")
        for file in sorted((PROJECT / app / "services").rglob("*.py"))
        for action in about_people.findall(file.read_text())
    }

    assert len(written) > 15
    assert {each for each in written if describe_action(each) == each} == set()


def test_what_was_done_to_the_account_and_by_whom(owner, stranger, staff, now):
    entries = [
        ("account.registered", owner, owner),
        ("personal_data.unmasked", owner, staff),
        ("something.else", owner, None),
        ("account.registered", stranger, stranger),
    ]
    for action, target, actor in entries:
        record_audit(action=action, target=f"user:{target.code}", actor=actor, now=now)

    rows = rows_of(owner, "audit")

    assert [(row["action"], row["actor"]) for row in rows] == [
        ("注册账号", "本人"),
        ("工作人员查看完整号码", "工作人员"),
        ("something.else", "系统"),
    ]


# --- Who may take it -----------------------------------------------------------------------
def test_an_audit_entry(owner, now):
    allow_export(person=owner, password=PASSWORD, now=now)

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.actor) == (
        "personal_data.exported",
        f"user:{owner.code}",
        owner,
    )


def test_a_wrong_password(owner, now):
    with pytest.raises(PasswordWrongError):
        allow_export(person=owner, password="wrong", now=now)

    assert AuditEntry.objects.count() == 0


def test_three_a_day(owner, stranger, now):
    for _ in range(3):
        allow_export(person=owner, password=PASSWORD, now=now)

    with pytest.raises(ExportThrottledError):
        allow_export(person=owner, password=PASSWORD, now=now)

    assert AuditEntry.objects.count() == 3
    allow_export(person=stranger, password=PASSWORD, now=now)
