"""What the pages for staff share."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from orders.errors import OrderError
from orders.models import (
    BillDay,
    GatewayMessage,
    PaymentAttempt,
    PaymentException,
)
from orders.payments.registry import list_gateways, name_gateway


def show_moment(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"


class GatewayNameMixin:
    """Shows the name of a gateway in place of its code."""

    @admin.display(description="支付方式", ordering="gateway")
    def gateway_name(
        self, row: PaymentAttempt | GatewayMessage | PaymentException | BillDay
    ) -> str:
        return name_gateway(row.gateway)


class GatewayFilter(admin.SimpleListFilter):
    """Offers the gateways by name."""

    title = "支付方式"
    parameter_name = "gateway"
    # Where the rows have their gateway's code.
    lookup = "gateway"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list_gateways()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        code = self.value()
        return queryset.filter(**{self.lookup: code}) if code else queryset


class BillGatewayFilter(GatewayFilter):
    """The same for what belongs to a bill."""

    lookup = "bill__gateway"


class DecidedAdmin(admin.ModelAdmin):
    """Rows that staff decide about by a service, whose refusal is shown in its words."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().change_view(request, object_id, form_url, extra_context)
        except OrderError as error:
            messages.error(request, str(error))
            return self.response_post_save_change(request, None)


class DecidedOnceAdmin(DecidedAdmin):
    """The same where what is decided is shown without buttons."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context["original"]
        if row.state != row.State.OPEN:
            context |= {"show_save": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)
