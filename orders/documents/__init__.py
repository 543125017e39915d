"""Sheets and papers about orders, groups and codes."""

from orders.documents.codes import (
    make_code_cards,
    write_code_errors,
    write_code_template,
)
from orders.documents.groups import (
    write_group_errors,
    write_group_people,
    write_group_template,
)
from orders.documents.orders import make_order_sheet

__all__ = [
    "make_code_cards",
    "make_order_sheet",
    "write_code_errors",
    "write_code_template",
    "write_group_errors",
    "write_group_people",
    "write_group_template",
]
