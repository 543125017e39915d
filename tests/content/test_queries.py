from datetime import datetime, timedelta

import pytest

from portal.content import queries
from portal.content.errors import ArticleNotFoundError, DownloadNotFoundError
from portal.content.models import Article
from tests.factories.content import ArticleFactory, DownloadFactory, HotlineFactory

pytestmark = pytest.mark.django_db
NOTICE, POLICY = Article.Kind.NOTICE, Article.Kind.POLICY


def test_pinned_articles_come_first_then_the_newest(now: datetime) -> None:
    old = ArticleFactory(published_at=now - timedelta(days=3), is_pinned=True)
    newest = ArticleFactory(published_at=now)
    middle = ArticleFactory(published_at=now - timedelta(days=1))

    assert list(queries.list_articles(NOTICE, now=now)) == [old, newest, middle]


def test_drafts_other_kinds_and_the_future_are_not_listed(now: datetime) -> None:
    ArticleFactory(draft=True)
    ArticleFactory(policy=True)
    ArticleFactory(published_at=now + timedelta(seconds=1))

    assert list(queries.list_articles(NOTICE, now=now)) == []


def test_several_kinds_are_listed_together(now: datetime) -> None:
    ArticleFactory(help=True)
    policy = ArticleFactory(policy=True, published_at=now)
    notice = ArticleFactory(published_at=now - timedelta(days=1))

    assert list(queries.list_articles(NOTICE, POLICY, now=now)) == [policy, notice]


@pytest.mark.parametrize("hidden", [{"draft": True}, {"help": True}])
def test_an_article_that_is_not_public_here_is_not_found(
    now: datetime, hidden: dict[str, bool]
) -> None:
    article = ArticleFactory(**hidden)

    with pytest.raises(ArticleNotFoundError):
        queries.get_article(article.slug, NOTICE, now=now)


def test_an_article_of_tomorrow_is_not_found_today(now: datetime) -> None:
    article = ArticleFactory(published_at=now + timedelta(days=1))

    with pytest.raises(ArticleNotFoundError):
        queries.get_article(article.slug, NOTICE, now=now)


def test_downloads_keep_their_order_and_hide_what_is_withdrawn() -> None:
    second = DownloadFactory(position=2)
    first = DownloadFactory(position=1)
    withdrawn = DownloadFactory(position=0, is_published=False)

    assert list(queries.list_downloads()) == [first, second]
    with pytest.raises(DownloadNotFoundError):
        queries.get_download(withdrawn.slug)


def test_hotlines_keep_their_order() -> None:
    second = HotlineFactory(position=2)
    first = HotlineFactory(position=1)

    assert list(queries.list_hotlines()) == [first, second]
