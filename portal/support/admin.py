from typing import Any, cast

from django.contrib import admin, messages
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from portal.support import services
from portal.support.errors import SupportError
from portal.support.forms import AnswerForm
from portal.support.models import Conversation, ConversationMessage


class MessageInline(admin.TabularInline):
    model = ConversationMessage
    fields = ("sent_at", "writer", "text")
    readonly_fields = fields
    ordering = ("sent_at", "pk")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="发送人")
    def writer(self, message: ConversationMessage) -> str:
        if message.from_staff:
            return f"客服（{message.author}）"
        return str(message.author or "访客")


@admin.register(Conversation)
class ConversationAdmin(admin.ModelAdmin):
    form = AnswerForm
    list_display = ("topic", "visitor", "state", "started_at", "updated_at")
    list_filter = ("state", "topic")
    search_fields = ("code", "person__name")
    list_select_related = ("person",)
    ordering = ("-updated_at",)
    fields = ("topic", "visitor", "state", "started_at", "answer", "close")
    readonly_fields = ("topic", "visitor", "state", "started_at")
    inlines = (MessageInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="学员")
    def visitor(self, conversation: Conversation) -> str:
        return str(conversation.person or "访客（未登录）")

    def save_model(
        self, request: HttpRequest, obj: Conversation, form: ModelForm, change: bool
    ) -> None:
        now = timezone.now()
        text = form.cleaned_data["answer"]
        try:
            if text:
                services.answer_conversation(
                    conversation_id=obj.pk,
                    text=text,
                    actor=cast(User, request.user),
                    now=now,
                )
            if form.cleaned_data["close"]:
                services.close_conversation(conversation_id=obj.pk, now=now)
        except SupportError as error:
            self.message_user(request, str(error), messages.ERROR)
