"""Own certificates through the API."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.own_views import OwnView
from catalog.models import Subject
from certificates.models import Certificate, CertificateIssue
from certificates.queries import PlanRow, list_plan_rows_for
from portal.lib.api_schema import answer_example, problems


class CertificateSerializer(serializers.Serializer[Any]):
    number = serializers.CharField(help_text="证书编号")
    plan = serializers.CharField(help_text="计划编号")
    plan_title = serializers.CharField(help_text="计划名称")
    year = serializers.IntegerField(help_text="年度")
    subject = serializers.ChoiceField(choices=Subject.choices, help_text="科目")
    hours = serializers.IntegerField(help_text="学时")
    state = serializers.ChoiceField(
        choices=Certificate.State.choices, help_text="有效或已撤销"
    )
    paper = serializers.ChoiceField(
        choices=CertificateIssue.State.choices, help_text="最新版本的制作状态"
    )
    version = serializers.IntegerField(help_text="最新版本")
    issued_at = serializers.DateTimeField(help_text="发证时间")
    verify_url = serializers.CharField(help_text="最新版本的查验地址，同二维码")


EXAMPLE = answer_example(
    "certificate",
    {
        "number": "CQ2026G0000123",
        "plan": "2026-general-1",
        "plan_title": "2026年度公需科目培训",
        "year": 2026,
        "subject": "general",
        "hours": 30,
        "state": "valid",
        "paper": "ready",
        "version": 1,
        "issued_at": "2026-06-15T10:00:00+08:00",
        "verify_url": "https://portal.example/v/0V8Q…/",
    },
    "一张证书",
)


class CertificateList(OwnView):
    @extend_schema(
        operation_id="list_certificates",
        tags=["证书"],
        summary="列出本人的证书，新的年度在前",
        description="证书在网页“我的证书”中申请、刷新和下载。",
        responses={200: CertificateSerializer(many=True), **problems(400, 401, 429)},
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        rows = list_plan_rows_for(self.person)
        answers = [
            describe(row, row.certificate, row.latest)
            for row in rows
            if row.certificate and row.latest
        ]
        return Response(CertificateSerializer(answers, many=True).data)


def describe(
    row: PlanRow, certificate: Certificate, latest: CertificateIssue
) -> dict[str, Any]:
    """A certificate with the state of its newest paper."""
    plan = row.plan
    return {
        "number": certificate.number,
        "plan": plan.code,
        "plan_title": plan.title,
        "year": plan.year,
        "subject": plan.subject,
        "hours": plan.hours,
        "state": certificate.state,
        "paper": latest.state,
        "version": latest.version,
        "issued_at": certificate.issued_at,
        "verify_url": settings.SITE_URL
        + reverse("certificates:verify", args=[latest.token]),
    }
