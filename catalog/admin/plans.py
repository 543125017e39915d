"""Plans with their prices and courses."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from accounts.models import User
from catalog import locks, queries, services
from catalog.admin.base import (
    OrderedInline,
    PublishAdmin,
    save_in_order,
    show_problems,
)
from catalog.errors import CatalogError
from catalog.forms import PlanForm, PlanPriceForm
from catalog.models import Plan, PlanCourse, PlanPrice
from catalog.rules import find_plan_problems
from portal.lib.money import format_yuan


def find_problems(plan: Plan) -> list[str]:
    """What keeps the plan from being published today."""
    facts = queries.read_plan_facts(plan, day=timezone.localdate())
    return find_plan_problems(*facts)


class PlanCourseInline(OrderedInline):
    model = PlanCourse
    fields = ["position", "course", "kind"]
    raw_id_fields = ["course"]
    ordering = ["position", "pk"]
    verbose_name = "课程"
    verbose_name_plural = "课程（按排序显示）"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanCourse]:
        rows: QuerySet[PlanCourse] = super().get_queryset(request)
        return rows.select_related("course")


class PlanPriceInline(admin.TabularInline):
    """What the plan cost, costs and will cost: rows are added, never changed."""

    model = PlanPrice
    form = PlanPriceForm
    fields = ["valid_from", "pricing", "unit_price", "reason", "set_by", "set_at"]
    readonly_fields = ["set_by", "set_at"]
    ordering = ["-valid_from", "-pk"]
    verbose_name = "价格"
    verbose_name_plural = "价格（按执行日期，同一日期以后设定的为准）"

    def get_extra(
        self, request: HttpRequest, obj: Plan | None = None, **kwargs: Any
    ) -> int:
        return 0 if obj else 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanPrice]:
        rows: QuerySet[PlanPrice] = super().get_queryset(request)
        return rows.select_related("set_by")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="单价（元）")
    def unit_price(self, price: PlanPrice) -> str:
        return format_yuan(price.unit_price_fen)


@admin.register(Plan)
class PlanAdmin(PublishAdmin):
    form = PlanForm
    publish_row = staticmethod(services.publish_plan)
    withdraw_row = staticmethod(services.withdraw_plan)
    row_argument = "plan_id"
    lock_row = staticmethod(locks.lock_plan)
    find_problems = staticmethod(find_problems)
    inlines = [PlanPriceInline, PlanCourseInline]
    list_display = [
        *("title", "is_published", "year", "subject", "field", "entry_number"),
        *("price", "course_count"),
    ]
    list_filter = ["is_published", "subject", "year", "entry", "field"]
    search_fields = ["title", "code"]
    ordering = ["-year", "subject", "entry", "pk"]
    readonly_fields = ["is_published", "price", "publish_check"]
    fieldsets = [
        (None, {"fields": ["title", "code", "year", "subject", "field", "entry"]}),
        (
            "学分要求",
            {
                "fields": [
                    *("hours", "required_credits"),
                    *("compulsory_credits", "elective_credits"),
                ]
            },
        ),
        ("收费", {"fields": ["price", "sells_codes", "accepts_claims"]}),
        (
            "时间",
            {
                "fields": [
                    ("training_start", "training_end"),
                    ("sale_start", "sale_end"),
                ]
            },
        ),
        ("播放", {"fields": ["fastest_speed"]}),
        ("培训说明", {"fields": ["summary"]}),
        ("发布", {"fields": ["is_published", "publish_check"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        plans = Plan.objects.priced(timezone.localdate())
        ordering = self.get_ordering(request)
        return plans.order_by(*ordering).annotate(course_total=Count("plan_courses"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """By the hour, the hours are half of the price: once shown, they stay."""
        fixed = ["hours"] if obj is not None and obj.is_published else []
        return [*self.readonly_fields, *fixed]

    def save_formset(
        self, request: HttpRequest, form: Any, formset: Any, change: bool
    ) -> None:
        if formset.model is PlanCourse:
            save_in_order(
                formset,
                lambda ids: services.order_plan_courses(
                    plan_id=formset.instance.pk, row_ids=ids
                ),
            )
            return
        for price in formset.save(commit=False):
            services.set_plan_price(
                plan_id=price.plan_id,
                valid_from=price.valid_from,
                pricing=price.pricing,
                unit_price_fen=price.unit_price_fen,
                reason=price.reason,
                actor=cast(User, request.user),
                now=timezone.now(),
            )

    # --- Copying -------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        copy = path(
            "<int:pk>/copy/",
            self.admin_site.admin_view(self.copy_view),
            name="catalog_plan_copy",
        )
        return [copy, *super().get_urls()]

    def may_copy(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and request.user.has_perm(
            "catalog.add_planprice"
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_copy"] = self.may_copy(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def copy_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what the plan of the next year will be, then make it."""
        if not self.may_copy(request):
            raise PermissionDenied
        plan = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            try:
                copy = services.copy_plan(
                    plan_id=pk, actor=cast(User, request.user), now=timezone.now()
                )
            except CatalogError as error:
                messages.error(request, error.message)
                return redirect("admin:catalog_plan_change", pk)
            messages.success(request, f"《{copy}》已建立为草稿，请核对后发布。")
            return redirect("admin:catalog_plan_change", copy.pk)
        copy = services.draft_next_year(plan)
        context = self.admin_site.each_context(request) | {
            "title": "复制到下一年度",
            "plan": plan,
            "copy": copy,
            "existing": Plan.objects.filter(code=copy.code).first(),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/catalog/plan/copy.html", context)

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        return reverse("plan-detail", args=[obj.code]) if obj else None

    @admin.display(description="入口", ordering="entry")
    def entry_number(self, plan: Plan) -> str:
        return "二" if plan.entry == Plan.Entry.TWO else "一"

    @admin.display(description="今日总价（元）")
    def price(self, plan: Plan) -> str:
        return format_yuan(plan.price_fen) if plan.pk and plan.price_fen else "—"

    @admin.display(description="课程数", ordering="course_total")
    def course_count(self, plan: Any) -> int:
        return int(plan.course_total)

    @admin.display(description="发布检查")
    def publish_check(self, plan: Plan) -> str:
        if not plan.pk:
            return "保存后检查"
        return show_problems(find_problems(plan))
