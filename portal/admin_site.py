from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode

from accounts.models import User
from accounts.queries.calendar import find_missing_year
from accounts.queries.supervision import find_supervised_regions
from accounts.views.second_factor import (
    find_hurdle,
    find_password_fault,
    is_staff_member,
    is_verified,
    qr_code,
    second_factor,
)
from accounts.views.visitors import get_next_url, get_person
from portal.lib.money import format_yuan
from portal.staff_queries import read_figures

# The order in which staff work, not the alphabet of the apps' names.
APP_ORDER = (
    *("accounts", "catalog", "learning", "orders", "invoices", "certificates"),
    *("content", "support", "auth"),
)


@dataclass(frozen=True)
class Card:
    """A figure of the start page; `url` is empty where staff may not look closer."""

    label: str
    value: int
    icon: str
    url: str = ""
    note: str = ""


@dataclass(frozen=True)
class Source:
    """Which figure a card shows, and the change list that explains it."""

    label: str
    figure: str
    icon: str
    model: str
    query: str = ""


TODAY = (
    Source("正在学习", "learning_now", "play-circle", "learning.Enrolment"),
    Source("今日注册", "people_today", "person-plus", "accounts.User"),
    Source("今日成交订单", "orders_today", "receipt", "orders.Order"),
    Source("今日发证", "certificates_today", "award", "certificates.Certificate"),
)
WAITING = (
    Source(
        *("待审核名单", "lists", "file-earmark-spreadsheet"),
        "accounts.RegistrationList",
        query="state__exact=submitted",
    ),
    Source(
        *("待回复咨询", "conversations", "chat-dots", "support.Conversation"),
        query="state__exact=open",
    ),
    Source(
        *("待审批申请", "requests", "clipboard-check", "accounts.PersonRequest"),
        query="due=waiting",
    ),
    Source(
        *("待审批缴费凭证", "claims", "wallet2", "orders.Claim"),
        query="due=waiting",
    ),
    Source(
        *("待审批学时申诉", "appeals", "clock-history", "learning.Appeal"),
        query="due=waiting",
    ),
    Source(
        *("待核查学习异常", "flags", "flag", "learning.StudyFlag"),
        query="state__exact=open",
    ),
    Source(
        *("支付待核对", "payments", "exclamation-diamond", "orders.PaymentException"),
        query="state__exact=open",
    ),
    Source(
        *("团购名单待核查", "group_checks", "person-exclamation", "orders.GroupCheck"),
        query="alarm__exact=open",
    ),
    Source(
        *("退款待办理", "refunds", "arrow-counterclockwise", "orders.Refund"),
        query="state__in=requested,failed",
    ),
    Source(
        *("对账差异", "differences", "file-diff", "orders.BillDifference"),
        query="state__exact=open",
    ),
    Source(
        *("开票失败", "invoices", "file-earmark-x", "invoices.Invoice"),
        query="state__exact=failed",
    ),
    Source(
        *("证书需处理", "issues", "patch-exclamation", "certificates.CertificateIssue"),
        query="state__exact=needs_attention",
    ),
    Source(
        *("视频处理失败", "videos", "camera-video-off", "catalog.Video"),
        query="state__exact=failed",
    ),
    Source(
        *("近7天消息发送失败", "messages", "envelope-x", "accounts.Message"),
        query="state__exact=failed",
    ),
)
TOTALS = (
    Source("注册学员", "people", "people", "accounts.User"),
    Source("学习中的项目", "enrolments_open", "journal-text", "learning.Enrolment"),
    Source(
        "已结业的项目", "enrolments_completed", "journal-check", "learning.Enrolment"
    ),
    Source("有效证书", "certificates", "award", "certificates.Certificate"),
)


class PortalAdminSite(AdminSite):
    """The staff site: Chinese, with a start page that says what is to do."""

    site_header = f"{settings.PORTAL_NAME}管理后台"
    site_title = "管理后台"
    index_title = "工作台"
    empty_value_display = "—"

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff with nothing left to do first: a code to show, an old password to change."""
        return super().has_permission(request) and not find_hurdle(request)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The login page; whoever is logged in already is led to what comes first."""
        hurdle = ""
        if request.method == "GET" and is_staff_member(request):
            hurdle = find_hurdle(request)
        if not hurdle:
            return super().login(request, extra_context)
        if is_verified(request) or not settings.STAFF_TOTP:
            messages.warning(request, find_password_fault(get_person(request)))
        next_url = get_next_url(request, default="admin:index")
        return redirect(f"{hurdle}?{urlencode({'next': next_url})}")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One page changes passwords: it ends the other logins, and the audit hears of it."""
        return redirect("accounts:password-change")

    def get_urls(self) -> list[Any]:
        own = [
            path("second-factor/", second_factor, name="second-factor"),
            path("second-factor/qr.svg", qr_code, name="second-factor-qr"),
        ]
        return own + super().get_urls()

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[Any]:
        found = super().get_app_list(request, app_label)
        rank = {label: number for number, label in enumerate(APP_ORDER)}
        return sorted(found, key=lambda app: rank.get(app["app_label"], len(rank)))

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        now = timezone.now()
        if request.user.has_perm("accounts.add_calendarday"):
            missing_year = find_missing_year(timezone.localdate(now))
            extra_context = {"missing_year": missing_year} | (extra_context or {})
        if find_supervised_regions(cast(User, request.user)) is not None:
            # The figures are those of the whole city.
            return super().index(request, {"now": now} | (extra_context or {}))
        figures = read_figures(now=now)
        context = {
            "now": now,
            "today": self.list_cards(request, TODAY, figures),
            "waiting": self.list_cards(request, WAITING, figures),
            "totals": self.list_cards(request, TOTALS, figures),
        }
        return super().index(request, context | (extra_context or {}))

    def list_cards(
        self,
        request: HttpRequest,
        sources: tuple[Source, ...],
        figures: Mapping[str, int],
    ) -> list[Card]:
        """The cards of what this person may see."""
        cards = []
        for source in sources:
            model = apps.get_model(source.model)
            options = model._meta
            if not request.user.has_perm(
                f"{options.app_label}.view_{options.model_name}"
            ):
                continue
            note = ""
            if source.figure == "orders_today":
                note = f"{format_yuan(figures['orders_today_fen'])} 元"
            cards.append(
                Card(
                    label=source.label,
                    value=figures[source.figure],
                    icon=source.icon,
                    url=self.get_list_url(model, source.query),
                    note=note,
                )
            )
        return cards

    def get_list_url(self, model: type[Model], query: str) -> str:
        """Address of a model's change list, empty when the site does not manage it."""
        if not self.is_registered(model):
            return ""
        options = model._meta
        url = reverse(
            f"{self.name}:{options.app_label}_{options.model_name}_changelist"
        )
        return f"{url}?{query}" if query else url
