"""The app's login and logout."""

from datetime import datetime
from typing import Any, cast

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import examples
from accounts.api.authentication import AppAuthentication
from accounts.api.own_views import OwnView, read
from accounts.api.problems import refusals_as_problems
from accounts.api.serializers import AppLoginSerializer, LoginSerializer
from accounts.models import PersonSession
from accounts.services.app_logins import begin_app_login
from accounts.services.captchas import (
    is_login_suspicious,
    make_challenge,
    use_answer,
)
from accounts.services.login import check_login
from accounts.services.sessions import end_session, limits_of
from accounts.views.visitors import get_address
from portal.lib.problems import ProblemError

TAG = ["登录"]


class Login(APIView):
    # Whoever logs in is nobody yet, and says so also with an old token or cookie. The tries
    # are counted by the login itself, those of the page and of the app together.
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="log_in",
        tags=TAG,
        summary="在应用中登录",
        description=(
            "以网页的账号和密码换取令牌，此后以 Authorization: Bearer 发送。"
            "与网页登录同一规则：同时只有一处登录，新的登录使原来的退出；"
            "修改密码、在“登录设备”中退出、长时间不用都使令牌失效。"
            "可疑的尝试须先填写图形验证码（captcha_required）。"
        ),
        request=LoginSerializer,
        responses={201: AppLoginSerializer, **examples.PROBLEMS_OF_LOGIN},
        examples=[examples.LOG_IN, examples.LOGGED_IN, *examples.REFUSED],
        auth=[],
    )
    def post(self, request: Request) -> Response:
        given, now = read(LoginSerializer, request.data), timezone.now()
        address = get_address(request._request)
        check_captcha(request, given, address, now=now)
        with refusals_as_problems():
            person = check_login(
                account=given["account"],
                password=given["password"],
                address=address,
                now=now,
            )
            login = begin_app_login(
                person=person, device=given["device"], address=address, now=now
            )
        answer = AppLoginSerializer(
            {
                "token": login.token,
                "expires_at": login.expires_at,
                "idle_seconds": int(limits_of(person).idle.total_seconds()),
                "person": person,
            }
        )
        return Response(
            answer.data, status=201, headers={"Cache-Control": "private, no-store"}
        )


def check_captcha(
    request: Request, given: dict[str, Any], address: str, *, now: datetime
) -> None:
    """Let a suspicious try pass with the right answer only; the answer is used up."""
    if not is_login_suspicious(account=given["account"], address=address, now=now):
        return
    answer = given["captcha_answer"]
    if use_answer(key=given["captcha_key"], answer=answer, now=now):
        return
    key = make_challenge(now=now)
    image = request.build_absolute_uri(reverse("accounts:captcha-image", args=[key]))
    raise ProblemError(
        status=403,
        code="captcha_required",
        title=(
            "图形验证码不正确或已过期，请按新图片填写。"
            if answer
            else "操作较频繁，请先填写图形验证码。"
        ),
        captcha={"key": key, "image": image},
    )


class Logout(OwnView):
    authentication_classes = (AppAuthentication,)

    @extend_schema(
        operation_id="log_out",
        tags=TAG,
        summary="退出应用的登录，令牌随即失效",
        request=None,
        responses={204: None, **examples.PROBLEMS_OF_LOGOUT},
    )
    def post(self, request: Request) -> Response:
        session = cast(PersonSession, request.auth)
        end_session(
            code=session.code,
            reason=PersonSession.EndReason.LOGOUT,
            now=timezone.now(),
        )
        return Response(status=204)
