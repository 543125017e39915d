"""Pieces of which the API's addresses describe themselves: examples, and what is refused."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from portal.lib.problems import CONTENT_TYPE, ProblemSerializer, describe_problem

_WORDS = {
    400: "提交的内容有误",
    401: "没有登录，或登录已过期",
    403: "没有权限，或以会话调用而缺少 CSRF 令牌",
    404: "没有找到，或不是本人的",
    409: "与现状冲突，code 说明原因",
    413: "请求内容过长",
    422: "请求键已用于另一笔请求",
    429: "请求过于频繁，Retry-After 说明秒数",
    503: "暂时无法办理，code 说明原因，请稍后再试",
}


def given_example(name: str, value: object, summary: str) -> OpenApiExample:
    """What a client sends."""
    return OpenApiExample(name, value=value, summary=summary, request_only=True)


def answer_example(
    name: str, value: object, summary: str, *statuses: str
) -> OpenApiExample:
    """What is answered, with 200 unless other `statuses` are named."""
    return OpenApiExample(
        name,
        value=value,
        summary=summary,
        response_only=True,
        status_codes=list(statuses or ("200",)),
        media_type="application/json",
    )


def refusal_example(
    status: int, code: str, title: str, **members: object
) -> OpenApiExample:
    """A problem of this code, with the members it has besides the usual ones."""
    problem = describe_problem(
        status=status, code=code, title=title, reference="3F9A1C0B7D24", **members
    )
    return OpenApiExample(
        code,
        value=problem,
        summary=title,
        response_only=True,
        status_codes=[str(status)],
        media_type=CONTENT_TYPE,
    )


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The refusals of these statuses, for the `responses` of an operation."""
    return {
        (status, CONTENT_TYPE): OpenApiResponse(
            ProblemSerializer, description=_WORDS[status]
        )
        for status in statuses
    }
