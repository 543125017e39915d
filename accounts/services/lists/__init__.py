"""Registration lists: handed in, checked, decided on, turned into accounts, answered."""

from accounts.services.lists.checking import check_list
from accounts.services.lists.cleaning import forget_old_lists
from accounts.services.lists.creating import create_accounts
from accounts.services.lists.deciding import (
    approve_list,
    return_list,
    submit_list,
    withdraw_list,
)
from accounts.services.lists.files import renew_answer
from accounts.services.lists.uploading import Upload, upload_list

__all__ = [
    "Upload",
    "approve_list",
    "check_list",
    "create_accounts",
    "forget_old_lists",
    "renew_answer",
    "return_list",
    "submit_list",
    "upload_list",
    "withdraw_list",
]
