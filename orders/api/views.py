"""The addresses of the API about orders. Each view reads, asks one service, and answers."""

from typing import Any, cast

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.own_views import PAGING, OwnPages, OwnView, read
from catalog.errors import PlanNotFoundError
from catalog.models import Plan
from catalog.queries import get_plan
from orders import queries, tasks
from orders.api import examples
from orders.api.problems import refusals_as_problems
from orders.api.serializers import (
    GatewaySerializer,
    OrderListQuery,
    OrderSerializer,
    OrderStateQuery,
    OrderStateSerializer,
    PlaceOrderSerializer,
    StartPaymentSerializer,
    StartSerializer,
)
from orders.forms import CheckoutForm
from orders.models import Order, PaymentAttempt
from orders.rules import InvoiceDetails, find_next_poll, read_idempotency_key
from orders.services import begin_payment, expiry, placing_once
from orders.views.browsers import describe_payer, guess_channel, make_callbacks
from orders.views.buyers import offer_gateways
from portal.lib.problems import ProblemError

TAG = ["订单"]
NUMBER = OpenApiParameter("number", str, "path", description="订单编号")


class OrderView(OwnView):
    def get_order(self, number: str) -> Order:
        """The caller's own order; another's is not found."""
        with refusals_as_problems():
            return queries.get_order_for(self.person, number)

    def describe(self, order: Order) -> dict[str, Any]:
        """An order as it is now, read anew after a change."""
        row = queries.describe_order(self.get_order(order.number), now=timezone.now())
        return cast(dict[str, Any], OrderSerializer(row).data)


class OrderList(OrderView, GenericAPIView[Any]):
    queryset = Order.objects.none()
    serializer_class = OrderSerializer
    pagination_class = OwnPages

    @extend_schema(
        operation_id="list_orders",
        tags=TAG,
        summary="列出本人的订单，新的在前",
        description="页码从 1 开始；超出末页回答 404。",
        parameters=[OrderListQuery, *PAGING],
        responses={200: OrderSerializer(many=True), **examples.PROBLEMS_OF_ONE},
        examples=[examples.ORDER_IN_LIST],
    )
    def get(self, request: Request) -> Response:
        wanted = read(OrderListQuery, request.query_params)
        orders = queries.list_orders_for(self.person).filter(**wanted)
        page = self.paginate_queryset(orders) or []
        rows = queries.describe_orders(page, now=timezone.now())
        answers = [OrderSerializer(row).data for row in rows]
        return self.get_paginated_response(answers)

    @extend_schema(
        operation_id="place_order",
        tags=TAG,
        summary="为本人下单",
        description=(
            "Idempotency-Key 由调用方生成（8 至 128 个可见字符），24 小时内有效："
            "相同的键与相同的内容返回同一订单（带 Idempotent-Replayed: true），内容不同则拒绝。"
            "被拒绝的请求不占用键。"
        ),
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                required=True,
                description="调用方为这一次下单生成的唯一键",
            )
        ],
        request=PlaceOrderSerializer,
        responses={201: OrderSerializer, **examples.PROBLEMS_OF_PLACING},
        examples=[examples.PLACE_ORDER, examples.ORDER, *examples.PLACING_REFUSED],
    )
    def post(self, request: Request) -> Response:
        key = read_idempotency_key(request.headers.get("Idempotency-Key", ""))
        if key is None:
            raise ProblemError(
                status=400,
                code="idempotency_key_missing",
                title="缺少有效的 Idempotency-Key 请求头。",
            )
        given = read(PlaceOrderSerializer, request.data)
        plan = find_plan(given["plan"])
        invoice = check_wish(plan, given)
        with refusals_as_problems():
            order, is_new = placing_once.place_personal_order_once(
                key=key,
                buyer=self.person,
                plan=plan,
                invoice=invoice,
                shown_fen=given["price_fen"],
                now=timezone.now(),
            )
        headers = {"Location": reverse("orders:api-order", args=[order.number])}
        if not is_new:
            headers["Idempotent-Replayed"] = "true"
        return Response(self.describe(order), status=201, headers=headers)


class OrderDetail(OrderView):
    @extend_schema(
        operation_id="read_order",
        tags=TAG,
        summary="读取本人的一个订单",
        description="他人的订单与不存在的订单一样回答 404。",
        parameters=[NUMBER],
        responses={200: OrderSerializer, **examples.PROBLEMS_OF_ONE},
        examples=[examples.ORDER],
    )
    def get(self, request: Request, number: str) -> Response:
        return Response(self.describe(self.get_order(number)))


class OrderState(OrderView):
    @extend_schema(
        operation_id="read_order_state",
        tags=TAG,
        summary="查询本人订单的状态",
        description="等待支付结果时按 next_poll 的秒数再查询。",
        parameters=[NUMBER, OrderStateQuery],
        responses={200: OrderStateSerializer, **examples.PROBLEMS_OF_ONE},
        examples=[examples.ORDER_STATE],
    )
    def get(self, request: Request, number: str) -> Response:
        order, now = self.get_order(number), timezone.now()
        row = queries.describe_order(order, now=now)
        waiting = [
            attempt
            for attempt in queries.list_attempts(order)
            if attempt.state == PaymentAttempt.State.WAITING
        ]
        if read(OrderStateQuery, request.query_params)["returned"]:
            for attempt in waiting:
                tasks.query_attempt.delay_on_commit(attempt.pk)
        state = {
            "number": order.number,
            "state": order.state,
            "state_label": order.get_state_display(),
            "in_review": row.in_review,
            "can_pay": row.can_pay,
            "expires_at": order.expires_at,
            "paid_at": order.paid_at,
            "next_poll": find_next_poll(
                state=order.state,
                in_review=row.in_review,
                last_started_at=waiting[-1].created_at if waiting else None,
                now=now,
            ),
        }
        return Response(OrderStateSerializer(state).data)


class OrderPayments(OrderView):
    @extend_schema(
        operation_id="start_payment",
        tags=TAG,
        summary="发起支付",
        description=(
            "返回前往收银台的方式。重复发起同一支付方式得到同一笔支付，不会重复扣款；"
            "换一种支付方式是另一笔。付款结果只以订单状态为准。"
        ),
        parameters=[NUMBER],
        request=StartPaymentSerializer,
        responses={200: StartSerializer, **examples.PROBLEMS_OF_PAYING},
        examples=[
            examples.START_PAYMENT,
            *examples.STARTS,
            *examples.PAYING_REFUSED,
        ],
    )
    def post(self, request: Request, number: str) -> Response:
        order = self.get_order(number)
        code = read(StartPaymentSerializer, request.data)["gateway"]
        if code not in dict(offer_gateways(request._request)):
            raise serializers.ValidationError({"gateway": ["没有这种支付方式。"]})
        with refusals_as_problems():
            start = begin_payment(
                order=order,
                gateway_code=code,
                channel=guess_channel(request._request),
                callbacks=make_callbacks(request._request, code),
                payer=describe_payer(request._request),
                actor=self.person,
                now=timezone.now(),
            )
        return Response(StartSerializer(start).data)


class OrderCancel(OrderView):
    @extend_schema(
        operation_id="cancel_order",
        tags=TAG,
        summary="取消未支付的订单",
        description="先向支付渠道确认未付款；渠道没有答复时拒绝，可稍后再试。",
        parameters=[NUMBER],
        request=None,
        responses={200: OrderSerializer, **examples.PROBLEMS_OF_CANCELLING},
        examples=[examples.ORDER_CANCELLED],
    )
    def post(self, request: Request, number: str) -> Response:
        order = self.get_order(number)
        with refusals_as_problems():
            expiry.cancel_order(order=order, actor=self.person, now=timezone.now())
        return Response(self.describe(order))


class GatewayList(OwnView):
    @extend_schema(
        operation_id="list_gateways",
        tags=TAG,
        summary="列出可用的支付方式，推荐的在前",
        description="在微信内打开时微信支付在前。",
        responses={200: GatewaySerializer(many=True), **examples.PROBLEMS_OF_READING},
        examples=[examples.GATEWAY],
    )
    def get(self, request: Request) -> Response:
        offered = [
            {"code": code, "label": label}
            for code, label in offer_gateways(request._request)
        ]
        return Response(GatewaySerializer(offered, many=True).data)


def find_plan(code: str) -> Plan:
    try:
        return get_plan(code, day=timezone.localdate())
    except PlanNotFoundError as error:
        raise serializers.ValidationError({"plan": [error.message]}) from error


def check_wish(plan: Plan, given: dict[str, Any]) -> InvoiceDetails | None:
    """The invoice asked for, held to the very rules of the checkout page."""
    asks_invoice = plan.entry == Plan.Entry.ONE
    invoice = given.get("invoice")
    if invoice and not asks_invoice:
        raise serializers.ValidationError(
            {"invoice": ["该项目在缴费成功后申请票据，下单时不能填写。"]}
        )
    wish = CheckoutForm.NOW if invoice else CheckoutForm.LATER
    form = CheckoutForm(
        {"agreement": given["agreement"], "invoice": wish, **(invoice or {})},
        asks_invoice=asks_invoice,
    )
    if not form.is_valid():
        raise serializers.ValidationError(
            {
                name if name == "agreement" else f"invoice.{name}": [
                    str(text) for text in errors
                ]
                for name, errors in form.errors.items()
            }
        )
    return form.get_invoice()
