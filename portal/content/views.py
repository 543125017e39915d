from pathlib import PurePosixPath

from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.content import queries
from portal.content.errors import ArticleNotFoundError, DownloadNotFoundError
from portal.content.models import Article

NEWS = (Article.Kind.NOTICE, Article.Kind.POLICY)
PAGE_LENGTH = 15


@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    asked = request.GET.get("kind")
    kind = Article.Kind(asked) if asked in NEWS else None
    kinds = (kind,) if kind else NEWS
    articles = queries.list_articles(*kinds, now=timezone.now())
    page_obj = Paginator(articles, PAGE_LENGTH).get_page(request.GET.get("page"))
    context = {"page_obj": page_obj, "kind": kind, "kinds": NEWS}
    return render(request, "content/notices.html", context)


@require_safe
def notice(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        article = queries.get_article(slug, *NEWS, now=timezone.now())
    except ArticleNotFoundError as error:
        raise Http404 from error
    return render(request, "content/notice.html", {"article": article})


@require_safe
def downloads(request: HttpRequest) -> HttpResponse:
    context = {"downloads": queries.list_downloads()}
    return render(request, "content/downloads.html", context)


@require_safe
def download_file(request: HttpRequest, slug: str) -> FileResponse:
    try:
        download = queries.get_download(slug)
        content = download.file.open("rb")
    except (DownloadNotFoundError, FileNotFoundError) as error:
        raise Http404 from error
    name = download.title + PurePosixPath(str(download.file.name)).suffix
    return FileResponse(content, as_attachment=True, filename=name)


@require_safe
def help_index(request: HttpRequest) -> HttpResponse:
    context = {
        "articles": queries.list_articles(Article.Kind.HELP, now=timezone.now()),
        "hotlines": queries.list_hotlines(),
    }
    return render(request, "content/help.html", context)


@require_safe
def help_page(request: HttpRequest, slug: str) -> HttpResponse:
    now = timezone.now()
    try:
        article = queries.get_article(slug, Article.Kind.HELP, now=now)
    except ArticleNotFoundError as error:
        raise Http404 from error
    context = {
        "article": article,
        "articles": queries.list_articles(Article.Kind.HELP, now=now),
    }
    return render(request, "content/help_page.html", context)
