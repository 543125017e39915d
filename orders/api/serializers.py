"""What the API takes and gives."""

from typing import Any

from rest_framework import serializers

from orders.models import InvoiceRequest, Order
from orders.payments.protocol import Start
from orders.queries import OrderRow


class ItemSerializer(serializers.Serializer[Any]):
    plan = serializers.CharField(source="plan_code", help_text="计划编号")
    plan_title = serializers.CharField(source="title", help_text="下单时的计划名称")
    plan_year = serializers.IntegerField(source="year", help_text="年度")
    hours = serializers.IntegerField(help_text="学时")
    price_fen = serializers.IntegerField(help_text="单价，单位为分")
    count = serializers.IntegerField(help_text="人数或激活码个数")
    refunded_count = serializers.IntegerField(
        source="refunded", help_text="其中已退款的个数"
    )


class OrderSerializer(serializers.Serializer[OrderRow]):
    """An order as its buyer sees it."""

    number = serializers.CharField(source="order.number", help_text="订单编号")
    kind = serializers.ChoiceField(
        source="order.kind", choices=Order.Kind.choices, help_text="购买方式"
    )
    state = serializers.ChoiceField(
        source="order.state", choices=Order.State.choices, help_text="状态"
    )
    state_label = serializers.CharField(
        source="order.get_state_display", help_text="状态的中文名称"
    )
    in_review = serializers.BooleanField(help_text="付款正在人工核对，不能再支付")
    can_pay = serializers.BooleanField(help_text="现在可以支付")
    may_request_invoice = serializers.BooleanField(help_text="现在可以申请发票")
    total_fen = serializers.IntegerField(
        source="order.total_fen", help_text="金额，单位为分"
    )
    refunded_fen = serializers.IntegerField(
        source="order.refunded_fen", help_text="已退金额，单位为分"
    )
    created_at = serializers.DateTimeField(
        source="order.created_at", help_text="下单时间"
    )
    expires_at = serializers.DateTimeField(
        source="order.expires_at", help_text="支付截止"
    )
    paid_at = serializers.DateTimeField(
        source="order.paid_at", allow_null=True, help_text="支付时间"
    )
    closed_at = serializers.DateTimeField(
        source="order.closed_at", allow_null=True, help_text="关闭时间"
    )
    lines = ItemSerializer(source="items", many=True, help_text="按计划汇总的内容")


class InvoiceSerializer(serializers.Serializer[Any]):
    """To whom the invoice shall be made out; the checks are those of the checkout page."""

    buyer_kind = serializers.ChoiceField(
        choices=InvoiceRequest.Buyer.choices, help_text="抬头类型"
    )
    title = serializers.CharField(max_length=100, help_text="发票抬头")
    credit_code = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="统一社会信用代码，企业必填",
    )
    email = serializers.EmailField(
        max_length=254, required=False, allow_blank=True, help_text="接收邮箱"
    )


class PlaceOrderSerializer(serializers.Serializer[Any]):
    plan = serializers.SlugField(max_length=40, help_text="计划编号")
    price_fen = serializers.IntegerField(
        min_value=1,
        help_text="付款人看到并同意的价格，单位为分；与现价不符则拒绝（price_changed）",
    )
    agreement = serializers.BooleanField(help_text="已阅读并同意《购买须知》")
    invoice = InvoiceSerializer(
        required=False,
        allow_null=True,
        help_text=(
            "立即申请发票；省略或为 null 表示以后申请。"
            "入口二的计划在支付后申请，不能在此填写"
        ),
    )


class OrderListQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(
        choices=Order.State.choices, required=False, help_text="只列出这一状态"
    )
    kind = serializers.ChoiceField(
        choices=Order.Kind.choices, required=False, help_text="只列出这一购买方式"
    )


class OrderStateQuery(serializers.Serializer[Any]):
    returned = serializers.BooleanField(
        required=False,
        default=False,
        help_text="付款人已从收银台返回：通知可能丢失，同时向支付渠道查询",
    )


class OrderStateSerializer(serializers.Serializer[Any]):
    number = serializers.CharField(help_text="订单编号")
    state = serializers.ChoiceField(choices=Order.State.choices, help_text="状态")
    state_label = serializers.CharField(help_text="状态的中文名称")
    in_review = serializers.BooleanField(help_text="付款正在人工核对，不能再支付")
    can_pay = serializers.BooleanField(help_text="现在可以支付")
    expires_at = serializers.DateTimeField(help_text="支付截止")
    paid_at = serializers.DateTimeField(allow_null=True, help_text="支付时间")
    next_poll = serializers.IntegerField(
        allow_null=True,
        help_text="多少秒后值得再查询；null 表示不会自行变化，不必再查询",
    )


class StartPaymentSerializer(serializers.Serializer[Any]):
    gateway = serializers.CharField(max_length=16, help_text="支付方式代码")


class StartSerializer(serializers.Serializer[Start]):
    kind = serializers.ChoiceField(
        choices=[(kind.value, kind.value) for kind in Start.Kind],
        help_text=(
            "redirect：打开 url；form：把 fields 以表单 POST 到 url；"
            "qr：把 url 显示为二维码；jsapi：把 fields 交给微信 JSAPI"
        ),
    )
    url = serializers.CharField(help_text="收银台地址，jsapi 时可为空")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(), help_text="form 与 jsapi 的参数"
    )


class GatewaySerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="支付方式代码")
    label = serializers.CharField(help_text="名称")  # type: ignore[assignment]
