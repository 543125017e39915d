"""Rows of the public pages for tests."""

from datetime import UTC, datetime

import factory
from django.core.files.base import ContentFile

from portal.content.models import Article, Download, Hotline

PUBLISHED_AT = datetime(2026, 5, 19, 1, 0, tzinfo=UTC)


class ArticleFactory(factory.django.DjangoModelFactory):
    """A published notice; traits `policy`, `help`, `draft`."""

    class Meta:
        model = Article

    class Params:
        policy = factory.Trait(kind=Article.Kind.POLICY)
        help = factory.Trait(kind=Article.Kind.HELP)
        draft = factory.Trait(is_published=False)

    slug = factory.Sequence(lambda n: f"article-{n}")
    kind = Article.Kind.NOTICE
    title = factory.Sequence(lambda n: f"关于开展网络培训的通知（{n}）")
    body = "<p>各有关单位：</p>"
    published_at = PUBLISHED_AT


class DownloadFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Download

    slug = factory.Sequence(lambda n: f"form-{n}")
    title = factory.Sequence(lambda n: f"学员注册名单（{n}）")
    file = factory.LazyFunction(lambda: ContentFile(b"sheet", name="list.xlsx"))
    updated_at = PUBLISHED_AT


class HotlineFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Hotline

    label = factory.Sequence(lambda n: f"咨询热线{n}")
    number = "400-023-9229"
