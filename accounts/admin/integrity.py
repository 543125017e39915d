"""The integrity record for staff: to look at, with numbers masked; nobody writes here."""

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.base import ReadOnlyAdmin
from accounts.models import IntegrityRecord
from portal.lib.masks import mask_numbers


@admin.register(IntegrityRecord)
class IntegrityRecordAdmin(ReadOnlyAdmin):
    list_display = ("code", "person", "kind", "moment", "source")
    list_select_related = ("person",)
    list_filter = ("kind",)
    search_fields = ("=code", "=person__name", "=source")
    search_help_text = "按编号、学员姓名或来源查找。"
    ordering = ("-recorded_at", "-pk")
    show_full_result_count = False
    fields = ("code", "person", "kind", "text", "source", "recorded_at", "recorded_by")

    @admin.display(description="记入时间", ordering="recorded_at")
    def moment(self, record: IntegrityRecord) -> str:
        return f"{timezone.localtime(record.recorded_at):%Y-%m-%d %H:%M}"

    @admin.display(description="内容（号码已掩码）")
    def text(self, record: IntegrityRecord) -> SafeString:
        return format_html(
            '<div class="integrity-text">{}</div>', mask_numbers(record.text)
        )
