"""The kinds of requests, and which of them two members of the staff decide."""

PHONE_LOST = "phone_lost"
NAME_CHANGE = "name_change"
NUMBER_CHANGE = "number_change"
APPOINTMENT = "appointment"

# Whoever holds the phone or the number holds the account: two members of the staff look at it.
DECIDED_BY_TWO = frozenset({PHONE_LOST, NUMBER_CHANGE})
# What prints as the identity on certificates is decided by 审核 alone.
OF_IDENTITY = frozenset({NAME_CHANGE, NUMBER_CHANGE})
