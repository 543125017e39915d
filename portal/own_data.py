"""导出我的数据: every app's part of what the portal knows of a person, pulled together."""

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.queries.own_data import collect_account_data
from certificates.models import Certificate
from invoices.models import Invoice
from learning.models import CourseCompletion, Enrolment
from learning.queries.appeals import list_appeals_for, list_credit_decisions_for
from learning.queries.hours import list_unit_hours_for
from learning.rules.durations import show_time
from orders.models import ActivationCode, Order, OrderLine
from orders.queries.claims import list_claims_for
from orders.rules.claims import list_facts
from portal.lib.money import format_yuan
from portal.lib.own_data import Section, describe_moment
from portal.support.models import ConversationMessage


def collect_own_data(person: User) -> list[Section]:
    """All sections, those of the accounts first. Apps below know nothing of each other's."""
    return [
        *collect_account_data(person),
        _list_enrolments(person),
        _list_courses(person),
        _list_unit_hours(person),
        _list_appeals(person),
        _list_credit_decisions(person),
        _list_certificates(person),
        _list_orders(person),
        _list_lines(person),
        _list_codes(person),
        _list_claims(person),
        _list_invoices(person),
        _list_conversations(person),
    ]


def _local(moment: datetime | None) -> str:
    return describe_moment(timezone.localtime(moment) if moment else None)


def _list_enrolments(person: User) -> Section:
    columns = {
        "plan": "培训计划",
        "year": "年度",
        "source": "来源",
        "opened_at": "开通时间",
        "state": "状态",
        "credits": "已得学分",
        "percent": "完成度（%）",
        "completed_at": "结业时间",
    }
    enrolments = Enrolment.objects.select_related("plan").filter(person=person)
    rows = [
        (
            each.plan.title,
            str(each.plan.year),
            each.get_source_display(),
            _local(each.opened_at),
            each.get_state_display(),
            str(each.credits_earned),
            str(each.percent),
            _local(each.completed_at),
        )
        for each in enrolments.order_by("opened_at", "pk")
    ]
    return Section("enrolments", "学习计划", columns, rows)


def _list_courses(person: User) -> Section:
    columns = {
        "plan": "培训计划",
        "course": "课程",
        "credits": "学分",
        "completed_at": "完成时间",
    }
    completions = CourseCompletion.objects.select_related("enrolment__plan", "course")
    rows = [
        (
            each.enrolment.plan.title,
            each.course.title,
            str(each.credits),
            _local(each.completed_at),
        )
        for each in completions.filter(enrolment__person=person).order_by(
            "completed_at", "pk"
        )
    ]
    return Section("courses", "已完成课程", columns, rows)


def _list_unit_hours(person: User) -> Section:
    columns = {
        "code": "登记编号",
        "unit": "登记单位",
        "year": "年度",
        "kind": "培训形式",
        "content": "培训内容",
        "organiser": "举办单位或地点",
        "period": "起止日期",
        "hours": "学时",
        "result": "考核结果",
        "recorded_at": "登记时间",
        "state": "状态",
        "reason": "说明",
    }
    rows = [
        (
            each.code,
            each.unit.name,
            str(each.year),
            each.get_kind_display(),
            each.content,
            each.organiser,
            f"{each.starts_on} 至 {each.ends_on}",
            str(each.hours),
            each.result,
            _local(each.recorded_at),
            each.get_state_display(),
            each.state_reason,
        )
        for each in list_unit_hours_for(person)
    ]
    return Section("unit_hours", "单位登记的学时", columns, rows)


def _list_appeals(person: User) -> Section:
    columns = {
        "code": "受理编号",
        "plan": "培训计划",
        "chapter": "章节",
        "reason": "未计入原因",
        "time": "时长",
        "filed_at": "提交时间",
        "text": "申诉理由",
        "files": "证明材料（个）",
        "state": "状态",
        "decided_at": "办结时间",
    }
    rows = [
        (
            each.code,
            each.stretch.enrolment.plan.title,
            each.stretch.chapter.title,
            each.stretch.get_reason_display(),
            show_time(each.stretch.milliseconds),
            _local(each.filed_at),
            each.wanted.get("text", ""),
            str(len(each.files.all())),
            each.get_state_display(),
            _local(each.decided_at),
        )
        for each in list_appeals_for(person)
    ]
    return Section("appeals", "学时申诉", columns, rows)


def _list_credit_decisions(person: User) -> Section:
    columns = {
        "kind": "决定",
        "plan": "培训计划",
        "chapter": "章节",
        "time": "时长",
        "reason": "原因",
        "at": "时间",
    }
    rows = [
        (
            each.get_kind_display(),
            each.enrolment.plan.title,
            each.chapter.title,
            show_time(each.milliseconds),
            each.reason,
            _local(each.at),
        )
        for each in list_credit_decisions_for(person)
    ]
    return Section("credit_decisions", "学时核定", columns, rows)


def _list_certificates(person: User) -> Section:
    columns = {
        "number": "证书编号",
        "plan": "培训计划",
        "issued_at": "发证时间",
        "versions": "版本数",
        "state": "状态",
    }
    certificates = (
        Certificate.objects.select_related("enrolment__plan")
        .prefetch_related("issues")
        .filter(person=person)
    )
    rows = [
        (
            each.number,
            each.enrolment.plan.title,
            _local(each.issued_at),
            str(len(each.issues.all())),
            each.get_state_display(),
        )
        for each in certificates.order_by("issued_at", "pk")
    ]
    return Section("certificates", "证书", columns, rows)


def _list_orders(person: User) -> Section:
    columns = {
        "number": "订单编号",
        "kind": "购买方式",
        "created_at": "下单时间",
        "amount": "金额（元）",
        "state": "状态",
        "paid_at": "支付时间",
    }
    rows = [
        (
            each.number,
            each.get_kind_display(),
            _local(each.created_at),
            format_yuan(each.total_fen),
            each.get_state_display(),
            _local(each.paid_at),
        )
        for each in Order.objects.filter(buyer=person).order_by("created_at", "pk")
    ]
    return Section("orders", "我下的订单", columns, rows)


def _list_lines(person: User) -> Section:
    """What was bought for the person, by whomever; not who bought it."""
    columns = {"number": "订单编号", "plan": "培训计划", "price": "价格（元）"}
    lines = OrderLine.objects.select_related("order").filter(person=person)
    rows = [
        (each.order.number, each.plan_title, format_yuan(each.price_fen))
        for each in lines.order_by("pk")
    ]
    return Section("purchases", "为我购买的计划", columns, rows)


def _list_codes(person: User) -> Section:
    """Codes bought, given and used; who else has one of them is that person's own matter."""
    columns = {
        "number": "激活码编号",
        "plan": "培训计划",
        "role": "关系",
        "state": "状态",
        "issued_at": "生成时间",
        "given_at": "赠送时间",
        "used_at": "使用时间",
    }
    mine = Q(owner=person) | Q(person=person)
    codes = ActivationCode.objects.filter(mine).select_related("plan")
    rows = [
        (
            each.number,
            each.plan.title,
            "我购买的" if each.owner_id == person.pk else "我获得的",
            each.get_state_display(),
            _local(each.issued_at),
            _local(each.given_at),
            _local(each.used_at),
        )
        for each in codes.order_by("pk")
    ]
    return Section("codes", "激活码", columns, rows)


def _list_claims(person: User) -> Section:
    """The letters stand whole: they are the person's own words and numbers."""
    columns = {
        "code": "受理编号",
        "kind": "类别",
        "plan": "补学计划",
        "filed_at": "提交时间",
        "facts": "填写内容",
        "letter": "承诺书全文",
        "files": "证明材料（个）",
        "state": "状态",
        "decided_at": "办结时间",
    }
    rows = []
    for each in reversed(list_claims_for(person)):
        wanted = each.wanted
        facts = "；".join(f"{label}：{value}" for label, value in list_facts(wanted))
        row = (
            each.code,
            each.get_kind_display(),
            each.plan.title,
            _local(each.filed_at),
            facts,
            wanted.get("letter", ""),
            str(len(each.files.all())),
            each.get_state_display(),
            _local(each.decided_at),
        )
        rows.append(row)
    return Section("claims", "缴费凭证", columns, rows)


def _list_invoices(person: User) -> Section:
    columns = {
        "request": "申请编号",
        "order": "订单编号",
        "title": "发票抬头",
        "credit_code": "统一社会信用代码",
        "email": "接收邮箱",
        "amount": "价税合计（元）",
        "state": "状态",
        "number": "发票号码",
        "requested_at": "申请时间",
    }
    invoices = Invoice.objects.select_related("order").filter(order__buyer=person)
    rows = [
        (
            each.request_number,
            each.order.number,
            each.title,
            each.credit_code,
            each.email,
            format_yuan(each.amount_fen),
            each.get_state_display(),
            each.number or "",
            _local(each.requested_at),
        )
        for each in invoices.order_by("requested_at", "pk")
    ]
    return Section("invoices", "发票", columns, rows)


def _list_conversations(person: User) -> Section:
    columns = {"at": "时间", "topic": "咨询内容", "by": "发送方", "text": "内容"}
    messages = ConversationMessage.objects.select_related("conversation").filter(
        conversation__person=person
    )
    rows = [
        (
            _local(each.sent_at),
            each.conversation.topic,
            "客服" if each.from_staff else "本人",
            each.text,
        )
        for each in messages.order_by("sent_at", "pk")
    ]
    return Section("conversations", "在线客服记录", columns, rows)
