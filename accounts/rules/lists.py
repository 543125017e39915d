"""Lists of people to register: the limits, and what a row means beside the accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from accounts.rules.roster_layout import MOST_PEOPLE
from portal.lib.sheet_package import LARGEST_FILE

# The notices speak of thousands; a larger unit sends several lists.
MAX_ROWS = MOST_PEOPLE
MAX_BYTES = LARGEST_FILE
# Staff have promised to open the accounts within so many working days.
WORKING_DAYS = 2

# A list tells which numbers have an account, so there is an end to it in a day: three full
# lists, or twenty that are corrected again and again.
DAILY_LISTS = 20
DAILY_ROWS = 3 * MAX_ROWS
# More contradictions than this look like guessing, and staff are shown them.
SUSPICIOUS_CONFLICTS = 20

# Error and result files are for downloading, the rest for answering questions (security.md).
ROWS_KEPT = timedelta(days=90)

# One reason for all: which of the two is somebody else's would tell who has an account.
CONFLICT_TEXT = "与已注册账号的信息不一致，请与本人核对姓名、证件号码和手机号码"
KNOWN_HINT = "已有账号，将关联到本单位；登录密码和手机号码以本人账号为准"

COLUMNS = {
    "name": "姓名",
    "id_number": "身份证号码",
    "phone": "手机号码",
    "gender": "性别",
    "remark": "备注",
    "row": "整行",
}

NAME = "name"
PHONE = "phone"
CLOSED = "closed"
CONFLICTS = {
    NAME: "证件号码已被其他姓名注册",
    PHONE: "手机号码已用于其他账号",
    CLOSED: "该证件号码的账号已注销",
}


@dataclass(frozen=True)
class Account:
    """What of an account decides about a row."""

    person_id: int
    code: str
    name: str
    is_closed: bool


@dataclass(frozen=True)
class Verdict:
    """A new person (neither), one who has an account, or a contradiction."""

    known: Account | None = None
    conflict: str = ""


def judge_row(
    *,
    name: str,
    number_index: str,
    phone_index: str,
    by_number: Mapping[str, Account],
    taken_phones: Mapping[str, int],
) -> Verdict:
    """Compare a row with the accounts that hold its number or its phone.

    Of somebody with an account the phone does not matter: it stays the account's.
    """
    account = by_number.get(number_index)
    if account is not None:
        if account.is_closed:
            return Verdict(conflict=CLOSED)
        if account.name != name:
            return Verdict(conflict=NAME)
        return Verdict(known=account)
    if phone_index in taken_phones:
        return Verdict(conflict=PHONE)
    return Verdict()


# The way of a list as people see it, and where each state stands on it.
STEPS = ("上传名单", "核对检查", "提交审核", "办理开户", "完成")
_PLACES = {
    "uploaded": 1,
    "checking": 1,
    "checked": 2,
    "refused": 1,
    "submitted": 3,
    "returned": 3,
    "withdrawn": 2,
    "approved": 3,
    "creating": 3,
    "done": 5,
}


def describe_steps(state: str) -> list[dict[str, str]]:
    """The steps with the state of each, as the component shows them."""
    place = _PLACES[state]
    return [
        {
            "title": title,
            "state": (
                "done" if number < place else "current" if number == place else "todo"
            ),
        }
        for number, title in enumerate(STEPS)
    ]
