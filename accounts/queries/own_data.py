"""What the accounts know of a person, for the person: a part of 导出我的数据."""

from datetime import datetime

from django.utils import timezone

from accounts.models import (
    AuditEntry,
    Consent,
    Message,
    Profile,
    UnitAppointment,
    User,
    WeChatLink,
)
from accounts.queries.people import find_profile
from accounts.rules.message_texts import TEMPLATES
from accounts.rules.own_data import HIDDEN_CODE, describe_action
from accounts.rules.series import level_name, series_name
from portal.lib.masks import mask_email, mask_phone
from portal.lib.own_data import Section, describe_moment

_AUDIT = {"at": "时间", "action": "操作", "actor": "操作人"}
_MESSAGES = {
    "at": "时间",
    "channel": "渠道",
    "recipient": "接收方",
    "title": "类别",
    "text": "内容",
    "state": "状态",
}


def collect_account_data(person: User) -> list[Section]:
    """Account, profile, consents, messages, appointments and what was done to the account."""
    return [
        _describe_account(person),
        _describe_profile(find_profile(person)),
        _list_consents(person),
        _list_messages(person),
        _list_appointments(person),
        _list_audit(person),
    ]


def _local(moment: datetime | None) -> str:
    return describe_moment(timezone.localtime(moment) if moment else None)


def _describe_account(person: User) -> Section:
    link = WeChatLink.objects.filter(person=person).first()
    facts = [
        ("姓名", person.name),
        ("用户名", person.username),
        ("证件类型", person.get_id_kind_display()),
        ("证件号码", person.id_number),
        ("手机号码", person.phone),
        ("电子邮箱", person.email),
        ("账号状态", person.get_state_display()),
        ("注册时间", _local(person.date_joined)),
        ("最近登录", _local(person.last_login)),
        ("微信绑定时间", _local(link.linked_at if link else None)),
    ]
    return Section("account", "账号", {"item": "项目", "value": "内容"}, facts)


def _describe_profile(profile: Profile | None) -> Section:
    facts = []
    if profile is not None:
        facts = [
            ("组织机构", profile.region.name if profile.region else ""),
            ("工作单位", profile.unit_name),
            ("专业序列", series_name(profile.series)),
            ("专业级别", level_name(profile.level)),
            ("学历", profile.get_education_display()),
            ("更新时间", _local(profile.updated_at)),
        ]
    return Section("profile", "个人信息", {"item": "项目", "value": "内容"}, facts)


def _list_consents(person: User) -> Section:
    columns = {"at": "时间", "kind": "内容", "version": "版本", "address": "来源地址"}
    rows = [
        (
            _local(consent.given_at),
            consent.get_kind_display(),
            consent.version,
            consent.address or "",
        )
        for consent in Consent.objects.filter(person=person).order_by(
            "given_at", "kind"
        )
    ]
    return Section("consents", "授权同意", columns, rows)


def _list_messages(person: User) -> Section:
    """What was sent to the phone and the mail address on file, as long as its text is kept.

    Several phones share a mask; which rows are this person's only the ciphertext tells. What
    went to the phone before it was this person's went to somebody else.
    """
    own = {person.phone, person.email} - {""}
    masks = {mask_phone(person.phone), mask_email(person.email)} - {""}
    candidates = (
        Message.objects.filter(
            recipient_mask__in=masks, created_at__gte=_own_since(person)
        )
        .exclude(recipient_cipher=b"")
        .exclude(state=Message.State.WITHHELD)
        .order_by("created_at", "pk")
    )
    rows = [
        (
            _local(message.created_at),
            message.get_channel_display(),
            message.recipient_mask,
            TEMPLATES[message.template].title,
            HIDDEN_CODE if TEMPLATES[message.template].holds_code else message.text,
            message.get_state_display(),
        )
        for message in candidates
        if message.recipient in own
    ]
    return Section("messages", "发送给您的消息", _MESSAGES, rows)


def _own_since(person: User) -> datetime:
    """Since when the phone on file is this person's."""
    changes = AuditEntry.objects.filter(
        target=f"user:{person.code}", action="account.phone_changed"
    )
    last = changes.order_by("-position").first()
    return last.at if last is not None else person.date_joined


def _list_appointments(person: User) -> Section:
    columns = {"unit": "单位", "from": "指定时间", "until": "结束时间"}
    appointments = UnitAppointment.objects.select_related("unit").filter(person=person)
    rows = [
        (each.unit.name, _local(each.appointed_at), _local(each.ended_at))
        for each in appointments.order_by("appointed_at", "pk")
    ]
    return Section("appointments", "单位经办人", columns, rows)


def _list_audit(person: User) -> Section:
    entries = AuditEntry.objects.filter(target=f"user:{person.code}")
    rows = [
        (
            _local(entry.at),
            describe_action(entry.action),
            _describe_actor(entry.actor_id, person),
        )
        for entry in entries.order_by("position")
    ]
    return Section("audit", "账号操作记录", _AUDIT, rows)


def _describe_actor(actor_id: int | None, person: User) -> str:
    if actor_id is None:
        return "系统"
    return "本人" if actor_id == person.pk else "工作人员"
