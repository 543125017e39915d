"""Videos from upload to play."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.cache import never_cache

from accounts.admin.base import get_actor
from catalog import queries, services, tasks
from catalog.admin.base import say_duration
from catalog.admin.uploads import begin_upload, receive_part
from catalog.errors import CatalogError
from catalog.forms import VideoForm, VideoUploadForm
from catalog.models import Chapter, Video


@admin.register(Video)
class VideoAdmin(admin.ModelAdmin):
    """Uploads and what became of them; a failed one says why and can be tried again."""

    list_display = [
        *("__str__", "progress", "length", "used_in", "created_at"),
    ]
    list_filter = ["state"]
    search_fields = ["source", "file", "chapters__title", "chapters__course__title"]
    ordering = ["-created_at", "-pk"]
    actions = ["retry"]
    change_form_template = "admin/catalog/video/change_form.html"
    readonly_fields = [
        *("progress", "failure", "length", "picture", "megabytes", "offered"),
        *("preview", "used_in", "created_at"),
    ]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        kwargs["form"] = VideoForm if change else VideoUploadForm
        form = super().get_form(request, obj, change=change, **kwargs)
        # A class made for this request, as Django's forms of the admin are.
        form.person = get_actor(request)  # type: ignore[attr-defined]
        if obj is not None and obj.captions:
            form.captions_url = queries.signed_video_url(  # type: ignore[attr-defined]
                obj, get_actor(request), timezone.now(), "captions.vtt"
            )
        return form

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["source", "upload", "captions"]
        return ["captions", *self.readonly_fields]

    def get_urls(self) -> list[URLPattern]:
        own = (
            ("uploads/", self.begin_upload_view, "upload_begin"),
            ("uploads/<slug:code>/", self.receive_part_view, "upload_part"),
        )
        return [
            path(
                route,
                self.admin_site.admin_view(never_cache(view)),
                name=f"catalog_video_{name}",
            )
            for route, view, name in own
        ] + super().get_urls()

    def begin_upload_view(self, request: HttpRequest) -> HttpResponse:
        self._demand_right_to_add(request)
        return begin_upload(request)

    def receive_part_view(self, request: HttpRequest, code: str) -> HttpResponse:
        self._demand_right_to_add(request)
        return receive_part(request, code)

    def _demand_right_to_add(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        extra = {
            "upload_url": reverse("admin:catalog_video_upload_begin"),
            "csrf_cookie": settings.CSRF_COOKIE_NAME,
        }
        try:
            return super().add_view(request, form_url, extra | (extra_context or {}))
        except CatalogError as error:
            # The form was sent twice at once, and the other one has taken the upload.
            self.message_user(request, error.message, messages.ERROR)
            return redirect("admin:catalog_video_changelist")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Video]:
        videos: QuerySet[Video] = super().get_queryset(request)
        chapters = Chapter.objects.select_related("course").order_by("pk")
        return videos.prefetch_related(Prefetch("chapters", queryset=chapters))

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        # The preview's address is signed for whoever looks.
        video = super().get_object(request, object_id, from_field)
        if video is not None:
            video.viewer = request.user
        return video

    def save_model(
        self, request: HttpRequest, obj: Video, form: Any, change: bool
    ) -> None:
        if not change:
            obj.created_at = timezone.now()
        code = form.cleaned_data.get("upload")
        if code:
            services.take_upload(person=get_actor(request), code=code, video=obj)
        elif change:
            # A worker may be writing the other columns this moment.
            obj.save(update_fields=VideoForm.Meta.fields)
        else:
            super().save_model(request, obj, form, change)
        if not change:
            tasks.process_video.delay_on_commit(obj.pk)

    def response_change(self, request: HttpRequest, obj: Video) -> HttpResponse:
        if "_retry" not in request.POST:
            return super().response_change(request, obj)
        self.retry(request, Video.objects.filter(pk=obj.pk))
        return redirect(request.path)

    def delete_model(self, request: HttpRequest, obj: Video) -> None:
        services.delete_video(video_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        for key in queryset.order_by("pk").values_list("pk", flat=True):
            services.delete_video(video_id=key)

    @admin.action(description="重新处理失败的视频", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        failed = [
            video.pk
            for video in queryset.order_by("pk")
            if services.retry_video(video_id=video.pk)
        ]
        for video_id in failed:
            tasks.process_video.delay_on_commit(video_id)
        if failed:
            self.message_user(request, f"已重新提交 {len(failed)} 个视频")
        else:
            self.message_user(request, "所选视频中没有处理失败的", messages.WARNING)

    @admin.display(description="状态", ordering="state")
    def progress(self, video: Video) -> str:
        now = timezone.now()
        if video.state == Video.State.FAILED:
            return f"处理失败：{video.failure}"
        if video.state == Video.State.WAITING and video.lease_until:
            return f"处理中 {video.percent}%" if video.lease_until > now else "待处理"
        return video.get_state_display()

    @admin.display(description="时长", ordering="duration_ms")
    def length(self, video: Video) -> str:
        return say_duration(video.duration_ms)

    @admin.display(description="画面")
    def picture(self, video: Video) -> str:
        return f"{video.width} × {video.height}" if video.width else "—"

    @admin.display(description="大小", ordering="size")
    def megabytes(self, video: Video) -> str:
        return f"{video.size / 1_000_000:.1f} MB" if video.size else "—"

    @admin.display(description="清晰度")
    def offered(self, video: Video) -> str:
        return "、".join(q.name for q in queries.list_qualities(video.pk)) or "—"

    @admin.display(description="所在章节")
    def used_in(self, video: Video) -> str:
        names = [f"{c.course.title} / {c.title}" for c in video.chapters.all()]
        return "、".join(names) or "未使用"

    @admin.display(description="预览")
    def preview(self, video: Any) -> str:
        if video.state != Video.State.READY:
            return "处理完成后可以预览"
        address = queries.signed_video_url(video, video.viewer, timezone.now())
        return format_html('<a href="{}" target="_blank">播放</a>', address)
