"""Activation codes: bought, issued, given away, used, printed, taken back."""

from orders.services.codes.buying import check_codes_purchase, place_codes_order
from orders.services.codes.giving import find_recipients, give_code
from orders.services.codes.handing import confirm_import, hand_out
from orders.services.codes.importing import check_import, drop_import, upload_import
from orders.services.codes.issuing import issue_codes
from orders.services.codes.printing import print_codes
from orders.services.codes.using import activate_code, redeem_code
from orders.services.codes.voiding import restore_codes, void_codes

__all__ = [
    "activate_code",
    "check_codes_purchase",
    "check_import",
    "confirm_import",
    "drop_import",
    "find_recipients",
    "give_code",
    "hand_out",
    "issue_codes",
    "place_codes_order",
    "print_codes",
    "redeem_code",
    "restore_codes",
    "upload_import",
    "void_codes",
]
