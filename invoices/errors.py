"""What invoices refuse, each with words fit for the person who asked."""


class InvoiceError(Exception):
    """Base of everything this app refuses; `str()` of it may be shown."""

    message = "发票操作未能完成，请稍后再试。"

    def __str__(self) -> str:
        return self.message


class InvoiceNotFoundError(InvoiceError):
    """There is no such order or invoice, or it is another person's."""

    message = "没有找到该订单或发票。"


class OrderNotPaidError(InvoiceError):
    message = "订单尚未支付，支付成功后才能申请发票。"


class NothingToInvoiceError(InvoiceError):
    message = "该订单没有支付金额，不能开具发票。"


class YearOverError(InvoiceError):
    """Invoices are asked for in the calendar year of payment only (official manuals)."""

    message = "请在缴费当年申请发票，不能跨年补开。如有疑问请联系在线客服。"


class AlreadyRequestedError(InvoiceError):
    message = "该订单已申请发票，无需重复申请。"


class IllegalTransitionError(InvoiceError):
    """A fault of the caller: an invoice does not go from this state to that one."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(old, new)
        self.message = f"发票状态不能从 {old} 变为 {new}。"


class ProviderError(Exception):
    """The provider did not issue; `is_permanent` when asking again cannot help."""

    def __init__(self, message: str, *, is_permanent: bool) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent
