"""What an order can be refused for, in words fit for the person who is refused."""


class OrderError(Exception):
    """Something about an order that cannot be done; the text is shown as it is."""


class OrderNotFoundError(OrderError):
    """There is no such order or payment, or it is not this person's."""

    def __init__(self) -> None:
        super().__init__("没有找到该订单。")


class PlanNotOnSaleError(OrderError):
    def __init__(self) -> None:
        super().__init__("该学习计划当前不在报名时间内，暂时无法购买。")


class PlanAlreadyHeldError(OrderError):
    """The person may study this plan already; `plan_code` leads to it."""

    def __init__(self, plan_code: str) -> None:
        super().__init__("您已开通该学习计划，无需重复购买。")
        self.plan_code = plan_code


class PlanBeingBoughtError(OrderError):
    """An order for the person and plan waits or is paid; `order_number` leads to it when it
    is the person's own, and is empty when somebody else is buying for the person."""

    def __init__(self, order_number: str) -> None:
        super().__init__(
            "您已有该学习计划的订单，请在原订单中继续。"
            if order_number
            else "您所在单位正在为您购买该学习计划，请与单位经办人联系。"
        )
        self.order_number = order_number


class OrderNotPayableError(OrderError):
    """The order is paid, closed, about to expire or held for checking."""


class OrderNotCancellableError(OrderError):
    """The order is no longer unpaid, or the gateway has not said whether it is."""


class GatewayDownError(OrderError):
    def __init__(self) -> None:
        super().__init__("支付渠道暂时无法使用，请稍后再试或选择其他支付方式。")


class IllegalTransitionError(OrderError):
    """A state that cannot follow the present one; a fault of the caller."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(f"状态不能由 {old} 变为 {new}。")


class ExceptionResolvedError(OrderError):
    def __init__(self) -> None:
        super().__init__("该支付异常已处理，不能重复处理。")


class ExceptionNotAcceptableError(OrderError):
    """What was paid cannot be accepted for an order; it has to go back."""


class ExportTooLargeError(OrderError):
    def __init__(self, limit: int) -> None:
        super().__init__(f"一次最多导出 {limit} 笔订单，请先缩小筛选范围。")
