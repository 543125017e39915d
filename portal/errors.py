"""Error pages: friendly words, a reference number, and no use of the database.

The pages are rendered without the request, so no context processor runs: the page that says
"the database is down" must not ask the database who is logged in.
"""

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.template import TemplateDoesNotExist, TemplateSyntaxError, loader

from portal.lib.password_hashing import RETRY_SECONDS, HashingBusyError
from portal.lib.problems import problem_response
from portal.middleware import get_request_id

logger = logging.getLogger(__name__)

# Machines get problem details, as from the API's own views.
API_PREFIX = "/api/"
API_CODES = {
    400: "bad_request",
    403: "permission_denied",
    404: "not_found",
    500: "error",
    503: "busy",
}

LAST_RESORT = (
    '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
    "</head><body><h1>{title}</h1><p>参考编号：{reference}</p></body></html>"
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render_error(request, 400, "请求无法识别")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render_error(request, 403, "您没有权限访问此页面")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render_error(request, 404, "您访问的页面不存在")


def server_error(request: HttpRequest) -> HttpResponse:
    return render_error(request, 500, "系统出现故障")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose CSRF token is missing or stale (settings.CSRF_FAILURE_VIEW)."""
    logger.warning("csrf failure", extra={"reason": str(reason)})
    return render_error(
        request, 403, "页面已过期，请刷新后重试", template="403_csrf.html"
    )


class MethodPageMiddleware:
    """Puts a page in the place of Django's empty answer to a method that an address lacks.

    Whoever lets a form lie until the login has ended is led to the form's address after the
    next login, and that address may take forms alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or response.content:
            return response
        page = render_error(request, response.status_code, "此地址不能直接打开")
        page.headers["Allow"] = response.headers["Allow"]
        return page


class BusyPageMiddleware:
    """Tells whoever comes while too many passwords wait to come again in a moment."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        if not isinstance(exception, HashingBusyError):
            return None
        logger.warning("too many passwords to hash")
        page = render_error(request, 503, "登录人数较多，请稍候再试")
        page.headers["Retry-After"] = str(RETRY_SECONDS)
        return page


def render_error(
    request: HttpRequest, status: int, title: str, *, template: str = ""
) -> HttpResponse:
    """Answer with the error page of `status`, JSON for clients that do not read HTML.

    Never raises: where the page itself is broken, a bare page with the number is sent.
    """
    reference = get_request_id(request)
    if request.path.startswith(API_PREFIX):
        return problem_response(
            status=status, code=API_CODES[status], title=title, reference=reference
        )
    if not request.accepts("text/html"):
        payload = {"error": title, "reference": reference}
        response: HttpResponse = JsonResponse(payload, status=status)
    else:
        context = {"title": title, "status": status, "reference": reference}
        response = HttpResponse(
            _render_page(template or f"{status}.html", context), status=status
        )
    response.headers["Cache-Control"] = "no-store"
    return response


def _render_page(template: str, context: dict[str, object]) -> str:
    names = {
        "PORTAL_NAME": settings.PORTAL_NAME,
        "PORTAL_ORGANISER": settings.PORTAL_ORGANISER,
        "PORTAL_FILING": settings.PORTAL_FILING,
    }
    try:
        return loader.get_template(template).render(names | context)
    except (TemplateDoesNotExist, TemplateSyntaxError, ValueError):
        # ValueError: the manifest of the static files lacks an entry.
        logger.exception("error page cannot be rendered")
        return LAST_RESORT.format(**context)
