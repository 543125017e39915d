"""Examples and refusals for the schema; a test holds the examples to the serializers."""

from typing import Any

from portal.lib.api_schema import (
    answer_example,
    given_example,
    problems,
    refusal_example,
)

_ORDER: dict[str, Any] = {
    "number": "D260615K7M2QX9TA",
    "kind": "personal",
    "state": "pending",
    "state_label": "待支付",
    "in_review": False,
    "can_pay": True,
    "may_request_invoice": False,
    "total_fen": 9000,
    "refunded_fen": 0,
    "created_at": "2026-06-15T09:50:00+08:00",
    "expires_at": "2026-06-15T10:20:00+08:00",
    "paid_at": None,
    "closed_at": None,
    "lines": [
        {
            "plan": "2026-professional-1",
            "plan_title": "2026年度专业科目培训",
            "plan_year": 2026,
            "hours": 60,
            "price_fen": 9000,
            "count": 1,
            "refunded_count": 0,
        }
    ],
}
_CANCELLED = _ORDER | {
    "state": "cancelled",
    "state_label": "已取消",
    "can_pay": False,
    "closed_at": "2026-06-15T09:55:00+08:00",
}


ORDER = answer_example("order", _ORDER, "待支付的订单", "200", "201")
ORDER_IN_LIST = answer_example("order", _ORDER, "待支付的订单")
ORDER_CANCELLED = answer_example("cancelled", _CANCELLED, "已取消的订单")
ORDER_STATE = answer_example(
    "state",
    {
        "number": "D260615K7M2QX9TA",
        "state": "pending",
        "state_label": "待支付",
        "in_review": False,
        "can_pay": True,
        "expires_at": "2026-06-15T10:20:00+08:00",
        "paid_at": None,
        "next_poll": 3,
    },
    "付款人正在收银台",
)
GATEWAY = answer_example(
    "gateway", {"code": "alipay", "label": "支付宝"}, "一种支付方式"
)
PLACE_ORDER = given_example(
    "place",
    {
        "plan": "2026-professional-1",
        "price_fen": 9000,
        "agreement": True,
        "invoice": {"buyer_kind": "person", "title": "赵一"},
    },
    "立即申请个人抬头的发票",
)
START_PAYMENT = given_example("start", {"gateway": "alipay"}, "用支付宝支付")
STARTS = [
    answer_example(
        "redirect",
        {
            "kind": "redirect",
            "url": "https://openapi.alipay.com/gateway.do?…",
            "fields": {},
        },
        "打开收银台",
    ),
    answer_example(
        "form",
        {
            "kind": "form",
            "url": "https://gateway.95516.com/gateway/api/frontTransReq.do",
            "fields": {"version": "5.1.0", "orderId": "R260615K7M2QX9TABCDE"},
        },
        "以表单提交",
    ),
    answer_example(
        "qr",
        {"kind": "qr", "url": "weixin://wxpay/bizpayurl?pr=…", "fields": {}},
        "显示二维码",
    ),
    answer_example(
        "jsapi",
        {"kind": "jsapi", "url": "", "fields": {"package": "prepay_id=…"}},
        "交给微信 JSAPI",
    ),
]
PLACING_REFUSED = [
    refusal_example(
        409,
        "plan_being_bought",
        "您已有该学习计划的订单，请在原订单中继续。",
        order="D260615K7M2QX9TA",
    ),
    refusal_example(
        422,
        "idempotency_key_reused",
        "该请求键已用于另一笔下单请求，请更换请求键。",
    ),
    refusal_example(
        400,
        "invalid",
        "提交的内容有误，请核对。",
        errors={"invoice.credit_code": ["企业抬头须填写统一社会信用代码。"]},
    ),
]
PAYING_REFUSED = [
    refusal_example(409, "order_not_payable", "订单已支付，不能支付。"),
    refusal_example(409, "payer_unknown", "请在订单页面中发起微信支付。"),
    refusal_example(
        503, "gateway_down", "支付渠道暂时无法使用，请稍后再试或选择其他支付方式。"
    ),
]

PROBLEMS_OF_READING = problems(400, 401, 429)
PROBLEMS_OF_ONE = problems(400, 401, 404, 429)
PROBLEMS_OF_PLACING = problems(400, 401, 403, 409, 422, 429)
PROBLEMS_OF_PAYING = problems(400, 401, 403, 404, 409, 429, 503)
PROBLEMS_OF_CANCELLING = problems(401, 403, 404, 409, 429)
