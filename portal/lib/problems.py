"""What the API answers when it does not do as asked: problem details after RFC 9457.

`{"type": "urn:portal:problem:<code>", "title": Chinese words, "status": …, "code": …}`, with
the request's reference number and, for what was filled in wrongly, `errors` by field. A client
decides by `code`, which never changes; `title` is for people.
"""

import re
from typing import Any

from django.http import JsonResponse
from rest_framework import exceptions, serializers

CONTENT_TYPE = "application/problem+json"
# Codes of the framework, and our own words for them.
TITLES = {
    "login_required": "请先登录。",
    "csrf_failed": "缺少有效的 CSRF 令牌，请刷新后重试。",
    "permission_denied": "没有权限。",
    "not_found": "没有找到。",
    "method_not_allowed": "不支持该请求方法。",
    "not_acceptable": "只提供 JSON。",
    "unsupported_media_type": "请以 JSON 提交。",
    "parse_error": "请求内容不是有效的 JSON。",
    "invalid": "提交的内容有误，请核对。",
    "throttled": "请求过于频繁，请稍后再试。",
    "bad_request": "请求无法识别。",
    "error": "系统出现故障，请稍后再试。",
}


class ProblemError(exceptions.APIException):
    """A refusal with its stable code, words for people and members of its own.

    `wait` (seconds) goes out as Retry-After, `auth_header` as WWW-Authenticate: the
    framework's handler reads both from an exception.
    """

    wait = 0
    auth_header = ""

    def __init__(
        self, *, status: int, code: str, title: str, **members: object
    ) -> None:
        super().__init__(detail=title, code=code)
        self.status_code = status
        self.code = code
        self.members = members


class ProblemSerializer(serializers.Serializer[Any]):
    """The members every problem has, for the schema."""

    type = serializers.CharField(help_text="urn:portal:problem: 加 code")
    title = serializers.CharField(help_text="给使用者看的说明")
    status = serializers.IntegerField(help_text="HTTP 状态码")
    code = serializers.CharField(help_text="稳定的错误代码，程序据此判断")
    reference = serializers.CharField(help_text="参考编号，咨询时提供")
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="按字段列出的填写错误",
    )


def code_of(error: type[Exception]) -> str:
    """The stable code of a class of error: `PlanBeingBoughtError` is `plan_being_bought`."""
    words = re.findall(r"[A-Z][a-z]*", error.__name__.removesuffix("Error"))
    return "_".join(words).lower()


def describe_problem(
    *, status: int, code: str, title: str, reference: str, **members: object
) -> dict[str, object]:
    return {
        "type": f"urn:portal:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "reference": reference,
        **members,
    }


def problem_response(
    *, status: int, code: str, title: str, reference: str
) -> JsonResponse:
    """A problem from outside the API's own views: a middleware, an unknown address."""
    problem = describe_problem(
        status=status, code=code, title=title, reference=reference
    )
    return JsonResponse(
        problem,
        status=status,
        content_type=CONTENT_TYPE,
        headers={"Cache-Control": "private, no-store"},
    )
