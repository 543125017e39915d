"""What the API's views about a person's own things have in common."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.models import User
from portal.lib.api_throttles import ReadThrottle, WriteThrottle

PAGING = [
    OpenApiParameter("page", int, description="页码"),
    OpenApiParameter("page_size", int, description="每页条数，默认 20，最多 50"),
]


class OwnView(APIView):
    # No docstring: the schema would take it for the description of every address.

    def get_throttles(self) -> list[BaseThrottle]:
        # Reading may be asked for more often than changing.
        reads = self.request.method in ("GET", "HEAD", "OPTIONS")
        return [ReadThrottle() if reads else WriteThrottle()]

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers["Cache-Control"] = "private, no-store"
        return answer

    @property
    def person(self) -> User:
        return cast(User, self.request.user)


class OwnPages(PageNumberPagination):
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 50


def read(kind: type[serializers.Serializer[Any]], data: object) -> dict[str, Any]:
    """The checked values of what was sent; a problem with errors by field otherwise."""
    serializer = kind(data=data)
    serializer.is_valid(raise_exception=True)
    return cast(dict[str, Any], serializer.validated_data)
