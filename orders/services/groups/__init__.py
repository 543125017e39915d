"""Group purchases: people handed in, checked, ordered for, told, and forgotten."""

from orders.services.groups.alarms import close_alarm
from orders.services.groups.announcing import tell_people
from orders.services.groups.checking import check_people
from orders.services.groups.cleaning import forget_old_checks
from orders.services.groups.ordering import place_group_order
from orders.services.groups.submitting import Submission, find_units, submit_people

__all__ = [
    "Submission",
    "check_people",
    "close_alarm",
    "find_units",
    "forget_old_checks",
    "place_group_order",
    "submit_people",
    "tell_people",
]
