"""What an order can be refused for, in words fit for the person who is refused."""

from portal.lib.money import format_yuan


class OrderError(Exception):
    """Something about an order that cannot be done; the text is shown as it is."""


class OrderNotFoundError(OrderError):
    """There is no such order or payment, or it is not this person's."""

    def __init__(self) -> None:
        super().__init__("没有找到该订单。")


class IdempotencyKeyReusedError(OrderError):
    """An app asks for something else under a key that it has used before."""

    def __init__(self) -> None:
        super().__init__("该请求键已用于另一笔下单请求，请更换请求键。")


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


class PriceChangedError(OrderError):
    """The plan costs something else than the buyer saw: midnight, or a page left open."""

    def __init__(self, price_fen: int) -> None:
        super().__init__(
            f"该学习计划的价格已调整为 {format_yuan(price_fen)} 元，请核对后重新提交。"
        )
        self.price_fen = price_fen


class ClaimNotFoundError(OrderError):
    """There is no such claim, or it is not this person's."""

    def __init__(self) -> None:
        super().__init__("没有找到该凭证。")


class ClaimRefusedError(OrderError):
    """What is claimed cannot be had; the words say why."""


class OrderNotPayableError(OrderError):
    """The order is paid, closed, about to expire or held for checking."""


class OrderNotCancellableError(OrderError):
    """The order is no longer unpaid, or the gateway has not said whether it is."""


class GatewayDownError(OrderError):
    def __init__(self) -> None:
        super().__init__("支付渠道暂时无法使用，请稍后再试或选择其他支付方式。")


class AttemptUsedUpError(GatewayDownError):
    """The gateway takes no more payment under this attempt's number: it was closed or paid
    there, or shown in another way. It has to be ended before a new one is made."""

    def __init__(self, attempt_id: int) -> None:
        super().__init__()
        self.attempt_id = attempt_id


class PayerUnknownError(GatewayDownError):
    """WeChat's own browser pays for a person whom WeChat names first; the page of the order
    asks WeChat."""

    def __init__(self) -> None:
        OrderError.__init__(self, "请在订单页面中发起微信支付。")


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


class CodesNotSoldError(OrderError):
    def __init__(self) -> None:
        super().__init__("该学习计划目前不提供激活码购买。")


class CodesBeingBoughtError(OrderError):
    """The buyer has an unpaid order for codes of this plan; `order_number` leads to it."""

    def __init__(self, order_number: str) -> None:
        super().__init__("您有一笔未支付的激活码订单，请先支付或取消。")
        self.order_number = order_number


class TooManyCodesError(OrderError):
    def __init__(self, limit: int) -> None:
        super().__init__(f"一次最多购买 {limit} 个激活码。")


class CodeWaitingError(OrderError):
    """The person has been given a code for the plan; using it costs nothing."""

    def __init__(self) -> None:
        super().__init__("您有该学习计划的激活码，无需购买，请在“我的激活码”中激活。")


class CodeMistypedError(OrderError):
    """What was typed is no code, whatever codes there are."""

    def __init__(self) -> None:
        super().__init__("激活码为20位字母和数字，请对照核对后重新输入。")


class CodeRefusedError(OrderError):
    """Unknown, used, given to somebody else or void: one word for all of them."""

    def __init__(self) -> None:
        super().__init__("激活码无效或已被使用，请核对；如有疑问请联系发放单位。")


class CodeNotFoundError(OrderError):
    """There is no such code, or it was not given to this person."""

    def __init__(self) -> None:
        super().__init__("没有找到该激活码。")


class CodeThrottledError(OrderError):
    def __init__(self) -> None:
        super().__init__("尝试次数过多，请一小时后再试。")


class CodeNotNeededError(OrderError):
    """The person has or is getting the plan another way; the code stays unused."""

    def __init__(self, text: str = "您已开通该学习计划，激活码未被使用。") -> None:
        super().__init__(text)


class CodeOverError(OrderError):
    def __init__(self) -> None:
        super().__init__("该学习计划的培训时间已结束，激活码不能再使用。")


class NoCodeLeftError(OrderError):
    def __init__(self) -> None:
        super().__init__("没有可赠送的激活码，请先购买。")


class CodesPrintedError(OrderError):
    """Codes of a sheet came on another sheet, or to somebody, while it was being drawn."""

    def __init__(self) -> None:
        super().__init__("部分激活码刚刚已被打印或赠送，请刷新后再打印。")


class RecipientNotFoundError(OrderError):
    """Nobody, or somebody whose name differs: one word for both."""

    def __init__(self) -> None:
        super().__init__("没有找到与所填信息一致的人员，请与本人核对。")


class RecipientProvidedError(OrderError):
    """The person has bought the plan or been given a code for it: one word for both."""

    def __init__(self) -> None:
        super().__init__("该用户已被分配过激活码")


class SearchThrottledError(OrderError):
    def __init__(self) -> None:
        super().__init__("今日查找次数过多，请明日再试或使用导入人员。")


class CodesTakenError(OrderError):
    """Fewer codes are free than shall be taken back: given and used ones stay."""

    def __init__(self, free: int) -> None:
        super().__init__(f"只有 {free} 个激活码未使用，已赠送和已使用的不能退回。")


class ImportLimitError(OrderError):
    def __init__(self) -> None:
        super().__init__("今日导入的人员过多，请明日再导入。")


class ImportStateError(OrderError):
    def __init__(self) -> None:
        super().__init__("该导入的状态已改变，请刷新后再操作。")


class ImportRefusedError(OrderError):
    """A sheet that is no list of people; the text says what is missing."""


class GroupError(OrderError):
    """Something about a group purchase that cannot be done."""


class GroupCheckNotFoundError(GroupError):
    """There is no such check, or it is somebody else's."""

    def __init__(self) -> None:
        super().__init__("没有找到该名单。")


class GroupNotAllowedError(GroupError):
    """The person may not buy for others: no phone, or no unit."""


class GroupLimitError(GroupError):
    """More checks, numbers or unpaid orders than a day allows."""


class GroupInputError(GroupError):
    """What was given is no list of people."""


class GroupStateError(GroupError):
    """The check has moved on, or what was given has been forgotten."""

    def __init__(self, reason: str = "名单状态已变化，请刷新页面后重试。") -> None:
        super().__init__(reason)


class GroupTakenError(GroupError):
    """Some people are no longer free: others bought for them or opened the plan meanwhile."""

    def __init__(self, taken: int, left: int) -> None:
        super().__init__(
            f"有 {taken} 人刚刚已开通或已有订单，不能再购买；"
            + (f"其余 {left} 人仍可购买。" if left else "名单中已没有可购买的人员。")
        )
        self.taken = taken
        self.left = left


class RefundRefusedError(OrderError):
    """A refund that the policy or the state of the order does not allow."""


class RefundNotOpenError(OrderError):
    """The refund has been decided or finished meanwhile."""

    def __init__(self) -> None:
        super().__init__("该退款的状态已改变，请刷新后再操作。")


class SamePersonError(OrderError):
    """Two people have to agree, and this is one person."""

    def __init__(self) -> None:
        super().__init__("该操作须由另一名工作人员办理，不能由本人办理。")


class ReasonMissingError(OrderError):
    def __init__(self) -> None:
        super().__init__("请填写原因。")


class DifferenceResolvedError(OrderError):
    def __init__(self) -> None:
        super().__init__("该对账差异已处理，不能重复处理。")


class BillDayNotReadyError(OrderError):
    """A day whose bill no gateway can have made yet."""

    def __init__(self) -> None:
        super().__init__("账单日须早于今天。")


class PersonNotOnOrderError(OrderError):
    def __init__(self, usernames: list[str]) -> None:
        super().__init__(f"订单中没有以下用户名：{'、'.join(usernames[:10])}。")
