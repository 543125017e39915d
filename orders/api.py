"""Orders for machines: the phone pages and the app ask for the state of an order."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from orders.errors import OrderNotFoundError
from orders.models import Order, OrderLine
from orders.queries import get_order_for


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    plan = serializers.CharField(source="plan.code", help_text="计划编号")

    class Meta:
        model = OrderLine
        fields = ["plan", "plan_title", "plan_year", "hours", "price_fen"]


class OrderSerializer(serializers.ModelSerializer[Order]):
    state_label = serializers.CharField(
        source="get_state_display", help_text="状态的中文名称"
    )
    total_fen = serializers.IntegerField(help_text="金额，单位为分")
    lines = OrderLineSerializer(many=True)

    class Meta:
        model = Order
        fields = [
            "number",
            "kind",
            "state",
            "state_label",
            "total_fen",
            "created_at",
            "expires_at",
            "paid_at",
            "lines",
        ]


class OrderState(APIView):
    @extend_schema(
        operation_id="read_order",
        summary="查询本人订单的状态",
        responses={200: OrderSerializer},
    )
    def get(self, request: Request, number: str, **_kwargs: Any) -> Response:
        try:
            order = get_order_for(cast(User, request.user), number)
        except OrderNotFoundError as error:
            raise NotFound(str(error)) from error
        return Response(OrderSerializer(order).data)
