"""What the accounts know of a person, for the person: a part of 导出我的数据."""

from datetime import datetime

from django.utils import timezone

from accounts.models import (
    AuditEntry,
    Consent,
    Message,
    PersonSession,
    Profile,
    UnitAppointment,
    UnitMember,
    User,
    WeChatLink,
)
from accounts.queries.integrity import list_integrity_records
from accounts.queries.people import find_profile
from accounts.queries.requests import list_requests_for, list_wanted
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
    """The account and its profile, then what happened with it, one section for each table."""
    return [
        _describe_account(person),
        _describe_profile(find_profile(person)),
        _list_consents(person),
        _list_messages(person),
        _list_memberships(person),
        _list_appointments(person),
        _list_requests(person),
        _list_integrity(person),
        _list_sessions(person),
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
        target=f"user:{person.code}",
        action__in=("account.phone_changed", "account.phone_replaced"),
    )
    last = changes.order_by("-position").first()
    return last.at if last is not None else person.date_joined


def _list_memberships(person: User) -> Section:
    columns = {
        "unit": "单位",
        "source": "来源",
        "from": "加入时间",
        "until": "结束时间",
    }
    members = UnitMember.objects.select_related("unit").filter(person=person)
    rows = [
        (
            each.unit.name,
            each.get_source_display(),
            _local(each.joined_at),
            _local(each.ended_at),
        )
        for each in members.order_by("joined_at", "pk")
    ]
    return Section("memberships", "所在单位名单", columns, rows)


def _list_requests(person: User) -> Section:
    """Numbers masked as on their page: that of a lost phone may be a stranger's request."""
    columns = {
        "code": "受理编号",
        "kind": "事项",
        "filed_at": "提交时间",
        "wanted": "申请内容",
        "files": "证明材料（个）",
        "state": "状态",
        "decided_at": "办结时间",
    }
    rows = [
        (
            each.code,
            each.get_kind_display(),
            _local(each.filed_at),
            "；".join(f"{change.label}：{change.new}" for change in list_wanted(each)),
            str(len(each.files.all())),
            each.get_state_display(),
            _local(each.decided_at),
        )
        for each in reversed(list_requests_for(person))
    ]
    return Section("requests", "我的申请", columns, rows)


def _list_integrity(person: User) -> Section:
    columns = {"code": "编号", "kind": "类别", "at": "记入时间", "text": "内容"}
    rows = [
        (each.code, each.get_kind_display(), _local(each.recorded_at), each.text)
        for each in list_integrity_records(person).reverse()
    ]
    return Section("integrity", "诚信档案", columns, rows)


def _list_appointments(person: User) -> Section:
    columns = {"unit": "单位", "from": "指定时间", "until": "结束时间"}
    appointments = UnitAppointment.objects.select_related("unit").filter(person=person)
    rows = [
        (each.unit.name, _local(each.appointed_at), _local(each.ended_at))
        for each in appointments.order_by("appointed_at", "pk")
    ]
    return Section("appointments", "单位经办人", columns, rows)


def _list_sessions(person: User) -> Section:
    columns = {
        "from": "登录时间",
        "device": "设备",
        "address": "来源地址",
        "until": "退出时间",
    }
    rows = [
        (
            _local(session.started_at),
            session.device,
            session.address,
            _local(session.ended_at),
        )
        for session in PersonSession.objects.filter(person=person).order_by(
            "started_at", "pk"
        )
    ]
    return Section("sessions", "登录记录", columns, rows)


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
