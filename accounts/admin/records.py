"""What was sent and what was done: to be read, and to be sent again."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin.base import ReadOnlyAdmin, get_actor
from accounts.models import AuditEntry, Message
from accounts.rules.message_texts import TEMPLATES
from accounts.services.messages import retry_message
from accounts.tasks import deliver_messages


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = (
        "moment",
        "channel",
        "template_title",
        "recipient_mask",
        "state",
        "tries",
        "error",
    )
    list_filter = ("state", "channel")
    search_fields = ("code__exact", "recipient_mask__exact")
    search_help_text = "按编号或接收方（如 138****1234）查找。"
    ordering = ("-created_at",)
    show_full_result_count = False
    actions = ("send_again",)
    fields = (
        "code",
        ("channel", "template_title", "recipient_mask"),
        "shown_text",
        ("state", "tries", "error"),
        ("created_at", "due_at", "expires_at", "sent_at"),
    )

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Not with the right to look: the audit role has that, and changes nothing."""
        return get_actor(request).has_perm("accounts.retry_message")

    @admin.display(description="创建时间", ordering="created_at")
    def moment(self, message: Message) -> str:
        return f"{timezone.localtime(message.created_at):%m-%d %H:%M:%S}"

    @admin.display(description="内容", ordering="template")
    def template_title(self, message: Message) -> str:
        return TEMPLATES[message.template].title

    @admin.display(description="正文")
    def shown_text(self, message: Message) -> str:
        if TEMPLATES[message.template].is_secret:
            return "（含验证码或专属链接，不显示）"
        return message.text

    @admin.action(description="重新发送所选消息", permissions=["retry"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        now = timezone.now()
        chosen = list(queryset.values_list("pk", flat=True))
        actor = get_actor(request)
        queued = sum(
            retry_message(message_id=pk, actor=actor, now=now) for pk in chosen
        )
        deliver_messages.delay_on_commit()
        messages.info(request, f"已重新排队 {queued} 条，其余不需要或不能再发送。")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("position", "moment", "actor", "action", "target", "details")
    list_select_related = ("actor",)
    search_fields = ("=target", "^action")
    search_help_text = "按对象（如 user:编号）或操作（如 personal_data.unmasked）查找。"
    ordering = ("-position",)
    show_full_result_count = False

    @admin.display(description="时间", ordering="position")
    def moment(self, entry: AuditEntry) -> str:
        return f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="说明")
    def details(self, entry: AuditEntry) -> str:
        return "；".join(
            f"{key}: {_in_words(entry.detail[key])}" for key in entry.detail
        )


def _in_words(value: object) -> str:
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)
