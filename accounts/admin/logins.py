"""Logins and second factors: to be read; a lost phone is taken off the account."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.cache import never_cache

from accounts.admin.base import ReadOnlyAdmin, get_actor
from accounts.forms.staff import ResetForm
from accounts.models import PersonSession, StaffDevice
from accounts.services.second_factor import reset_device


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


@admin.register(PersonSession)
class PersonSessionAdmin(ReadOnlyAdmin):
    list_display = (
        "person",
        "device",
        "address",
        "began",
        "seen",
        "ended",
        "end_reason",
    )
    list_filter = ("end_reason",)
    list_select_related = ("person",)
    search_fields = ("person__name", "person__username", "=person__code")
    search_help_text = "按姓名、用户名或账号编号查找。"
    # Rows are written at the login, and a million people's logins have no index by time.
    ordering = ("-pk",)
    show_full_result_count = False
    fields = (
        "person",
        ("device", "address"),
        ("started_at", "last_seen_at"),
        ("ended_at", "end_reason"),
    )

    @admin.display(description="登录时间", ordering="started_at")
    def began(self, session: PersonSession) -> str:
        return _moment(session.started_at)

    @admin.display(description="最近使用", ordering="last_seen_at")
    def seen(self, session: PersonSession) -> str:
        return _moment(session.last_seen_at)

    @admin.display(description="退出时间", ordering="ended_at", empty_value="正在登录")
    def ended(self, session: PersonSession) -> str | None:
        return _moment(session.ended_at) if session.ended_at else None


@admin.register(StaffDevice)
class StaffDeviceAdmin(ReadOnlyAdmin):
    list_display = ("user", "enrolled_at", "last_used_at", "codes_left")
    list_select_related = ("user",)
    search_fields = ("user__name", "user__username")
    ordering = ("-enrolled_at",)
    fields = ("user", "enrolled_at", "last_used_at", "codes_left")
    change_form_template = "admin/accounts/staffdevice/change_form.html"

    @admin.display(description="剩余恢复码")
    def codes_left(self, device: Any) -> int:
        return int(device.left)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffDevice]:
        left = Count("recovery_codes", filter=Q(recovery_codes__used_at__isnull=True))
        rows: QuerySet[StaffDevice] = super().get_queryset(request).annotate(left=left)
        return rows

    def get_urls(self) -> list[URLPattern]:
        reset = path(
            "<int:pk>/reset/",
            self.admin_site.admin_view(never_cache(self.reset_view)),
            name="accounts_staffdevice_reset",
        )
        return [reset, *super().get_urls()]

    def has_reset_permission(self, request: HttpRequest, device: StaffDevice) -> bool:
        """Not one's own, and a superuser's only by a superuser."""
        actor = get_actor(request)
        return (
            actor.has_perm("accounts.reset_staffdevice")
            and device.user_id != actor.pk
            and (actor.is_superuser or not device.user.is_superuser)
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        device = self.get_object(request, object_id)
        may_reset = device is not None and self.has_reset_permission(request, device)
        context = {"may_reset": may_reset} | (extra_context or {})
        return super().change_view(request, object_id, form_url, context)

    def reset_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, then take the device off the account."""
        device = get_object_or_404(StaffDevice.objects.select_related("user"), pk=pk)
        if not self.has_reset_permission(request, device):
            raise PermissionDenied
        form = ResetForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            reset_device(
                person=device.user,
                actor=get_actor(request),
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
            messages.success(request, "两步验证已重置，对方下次登录时重新绑定。")
            return redirect("admin:accounts_staffdevice_changelist")
        context = self.admin_site.each_context(request) | {
            "title": "重置两步验证",
            "device": device,
            "form": form,
            "opts": StaffDevice._meta,
        }
        return TemplateResponse(
            request, "admin/accounts/staffdevice/reset.html", context
        )
