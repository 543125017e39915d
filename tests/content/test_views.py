from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from portal.content.models import Article
from tests.factories.content import ArticleFactory, DownloadFactory, HotlineFactory

pytestmark = pytest.mark.django_db


def test_notices_and_policies_are_listed_by_kind(client: Client) -> None:
    notice, policy = ArticleFactory(), ArticleFactory(policy=True)

    everything = client.get(reverse("content:notices"))
    policies = client.get(reverse("content:notices"), {"kind": "policy"})
    unknown = client.get(reverse("content:notices"), {"kind": "help"})

    assert set(everything.context["page_obj"]) == {notice, policy}
    assert list(policies.context["page_obj"]) == [policy]
    assert set(unknown.context["page_obj"]) == {notice, policy}


def test_the_list_is_paged_and_keeps_the_kind(client: Client) -> None:
    ArticleFactory.create_batch(16)

    response = client.get(reverse("content:notices"), {"kind": "notice", "page": 2})

    assert len(response.context["page_obj"]) == 1
    assert 'href="?kind=notice&amp;page=1"' in response.content.decode()


@pytest.mark.parametrize("count", [1, 15])
def test_the_list_takes_the_same_queries_for_any_number(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    ArticleFactory.create_batch(count)

    with django_assert_num_queries(2):
        client.get(reverse("content:notices"))


def test_a_notice_is_shown_with_its_body(client: Client) -> None:
    article = ArticleFactory(title="重要通知", body="<h2>一、培训对象</h2>")

    response = client.get(reverse("content:notice", args=[article.slug]))

    assert response.status_code == 200
    assert "<h2>一、培训对象</h2>" in response.content.decode()


@pytest.mark.parametrize("trait", ["draft", "help"])
def test_a_notice_that_is_none_answers_404(client: Client, trait: str) -> None:
    article = ArticleFactory(**{trait: True})

    response = client.get(reverse("content:notice", args=[article.slug]))

    assert response.status_code == 404


def test_a_form_is_downloaded_under_its_chinese_name(client: Client) -> None:
    download = DownloadFactory(title="缴费承诺书")

    response = client.get(reverse("content:download-file", args=[download.slug]))

    assert b"".join(response.streaming_content) == b"sheet"  # type: ignore[attr-defined]
    assert response["Content-Disposition"] == (
        "attachment; filename*=utf-8''"
        "%E7%BC%B4%E8%B4%B9%E6%89%BF%E8%AF%BA%E4%B9%A6.xlsx"
    )


def test_a_form_whose_file_is_gone_answers_404(client: Client) -> None:
    download = DownloadFactory()
    download.file.storage.delete(download.file.name)

    response = client.get(reverse("content:download-file", args=[download.slug]))

    assert response.status_code == 404


def test_a_withdrawn_form_answers_404(client: Client) -> None:
    download = DownloadFactory(is_published=False)

    response = client.get(reverse("content:download-file", args=[download.slug]))

    assert response.status_code == 404


def test_the_download_centre_lists_forms(client: Client) -> None:
    download = DownloadFactory(note="Excel电子格式")

    html = client.get(reverse("content:downloads")).content.decode()

    assert reverse("content:download-file", args=[download.slug]) in html
    assert "Excel电子格式" in html


def test_help_lists_guides_and_every_hotline(client: Client) -> None:
    guide = ArticleFactory(help=True, title="打印证书")
    HotlineFactory(label="学习技术咨询热线", number="400-618-7500")

    html = client.get(reverse("content:help")).content.decode()

    assert reverse("content:help-page", args=[guide.slug]) in html
    assert "400-618-7500" in html


def test_a_guide_names_the_others_beside_it(client: Client) -> None:
    guide, other = ArticleFactory(help=True), ArticleFactory(help=True)

    html = client.get(reverse("content:help-page", args=[guide.slug])).content.decode()

    assert reverse("content:help-page", args=[other.slug]) in html


def test_a_notice_is_no_guide(client: Client) -> None:
    notice = ArticleFactory()

    response = client.get(reverse("content:help-page", args=[notice.slug]))

    assert response.status_code == 404


def test_staff_may_not_publish_scripts(
    staff: Any, client_of: Callable[[Any], Client], now: datetime
) -> None:
    response = client_of(staff).post(
        reverse("admin:content_article_add"),
        {
            "title": "通知",
            "slug": "notice",
            "kind": "notice",
            "body": "<p>文</p><script>alert(1)</script>",
            "is_published": "on",
            "published_at_0": "2026-06-15",
            "published_at_1": "10:00:00",
        },
    )

    assert response.status_code == 302
    assert Article.objects.get().body == "<p>文</p>"
    assert Article.objects.get().published_at == now
