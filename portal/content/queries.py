"""Reads of the public pages: what is published at `now`."""

from datetime import datetime

from django.db.models import QuerySet

from portal.content.errors import ArticleNotFoundError, DownloadNotFoundError
from portal.content.models import Article, Download, Hotline


def list_articles(*kinds: str, now: datetime) -> QuerySet[Article]:
    """Published articles of `kinds`, pinned ones first, then the newest; without bodies."""
    return (
        Article.objects.filter(kind__in=kinds, is_published=True, published_at__lte=now)
        .defer("body")
        .order_by("-is_pinned", "-published_at", "-pk")
    )


def get_article(slug: str, *kinds: str, now: datetime) -> Article:
    """Raise ArticleNotFoundError when no such article of `kinds` is published."""
    try:
        return Article.objects.get(
            slug=slug, kind__in=kinds, is_published=True, published_at__lte=now
        )
    except Article.DoesNotExist as error:
        raise ArticleNotFoundError from error


def list_downloads() -> QuerySet[Download]:
    return Download.objects.filter(is_published=True).order_by("position", "pk")


def get_download(slug: str) -> Download:
    """Raise DownloadNotFoundError when no such file is published."""
    try:
        return Download.objects.get(slug=slug, is_published=True)
    except Download.DoesNotExist as error:
        raise DownloadNotFoundError from error


def list_hotlines() -> QuerySet[Hotline]:
    return Hotline.objects.order_by("position", "pk")
