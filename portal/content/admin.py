from django.contrib import admin

from portal.content.forms import ArticleForm
from portal.content.models import Article, Download, Hotline


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin):
    form = ArticleForm
    list_display = ("title", "kind", "is_pinned", "is_published", "published_at")
    list_filter = ("kind", "is_published", "is_pinned")
    search_fields = ("title",)
    ordering = ("-published_at",)
    date_hierarchy = "published_at"


@admin.register(Download)
class DownloadAdmin(admin.ModelAdmin):
    list_display = ("title", "note", "position", "is_published", "updated_at")
    list_filter = ("is_published",)
    search_fields = ("title", "note")
    ordering = ("position", "pk")


@admin.register(Hotline)
class HotlineAdmin(admin.ModelAdmin):
    list_display = ("label", "number", "note", "position")
    ordering = ("position", "pk")
