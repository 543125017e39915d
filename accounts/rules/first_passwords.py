"""The first password of an account that somebody else opened: a rule, never a stored secret.

The notices of different years gave different ones: `edu@` and the last six of the ID number
(2026), the last six alone (2022), six zeros (2020).
"""

RULES = {
    "edu_last_six": "edu@加身份证号码后六位",
    "last_six": "身份证号码后六位",
    "zeros": "000000（六个零）",
}


def describe_first_password(rule: str) -> str:
    """Say the rule in words, as the reply to a coordinator has it."""
    return RULES[rule]


def first_password(rule: str, id_number: str) -> str:
    """The first password of the person with this normalised ID number."""
    if rule == "zeros":
        return "000000"
    return ("edu@" if rule == "edu_last_six" else "") + id_number[-6:]
