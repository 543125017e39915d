"""What buyers fill in."""

from orders.forms.checkout import CheckoutForm, PayForm
from orders.forms.codes import (
    CodesCheckoutForm,
    ImportForm,
    PrintForm,
    RecipientForm,
    RedeemForm,
)
from orders.forms.refunds import (
    BillRequestForm,
    RefundDecisionForm,
    RefundForm,
    StaffRefundForm,
)

__all__ = [
    "BillRequestForm",
    "CheckoutForm",
    "CodesCheckoutForm",
    "ImportForm",
    "PayForm",
    "PrintForm",
    "RecipientForm",
    "RedeemForm",
    "RefundDecisionForm",
    "RefundForm",
    "StaffRefundForm",
]
