"""Unified social credit codes of organisations (统一社会信用代码, GB 32100-2015)."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

# No I, O, Z, S, V: the standard leaves them out as look-alikes.
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_CODE = re.compile(rf"[1-9ANY][{ALPHABET}][0-9]{{6}}[{ALPHABET}]{{10}}", re.ASCII)
# Taxpayer numbers of before 2015: 15 characters, 17 and 20 for individuals' businesses.
_OLD_NUMBER = re.compile(r"(?:[0-9A-Z]{15}|[0-9A-Z]{17}|[0-9A-Z]{20})", re.ASCII)
_BLANKS_AND_DASHES = re.compile(r"[\s\-\u2010-\u2015\u200b-\u200d\u2060\ufeff]+")

# First character: who registers; first two: what is registered.
KINDS: Mapping[str, str] = {
    "11": "机关",
    "12": "事业单位",
    "13": "群团组织",
    "19": "机构编制部门登记的其他机构",
    "51": "社会团体",
    "52": "民办非企业单位",
    "53": "基金会",
    "91": "企业",
    "92": "个体工商户",
    "93": "农民专业合作社",
}
REGISTRARS: Mapping[str, str] = {
    "1": "机构编制部门登记的机构",
    "2": "外交部门登记的机构",
    "3": "司法行政部门登记的机构",
    "4": "文化部门登记的机构",
    "5": "民政部门登记的机构",
    "6": "旅游部门登记的机构",
    "7": "宗教部门登记的机构",
    "8": "工会",
    "9": "市场监管部门登记的机构",
    "A": "军队单位",
    "N": "农业部门登记的机构",
    "Y": "其他机构",
}


class CreditCodeError(ValueError):
    """Not a credit code; the text is fit for the person who typed it."""


@dataclass(frozen=True)
class CreditCode:
    """A valid code and the kind of organisation it names, such as 企业 or 事业单位."""

    code: str
    kind: str

    @property
    def is_enterprise(self) -> bool:
        """Registered with market supervision as a company: invoices need its number."""
        return self.code.startswith("91")


def normalise_credit_code(text: str) -> str:
    """Return `text` half-width, in capitals, without blanks and dashes."""
    return _BLANKS_AND_DASHES.sub("", unicodedata.normalize("NFKC", text)).upper()


def check_character(first17: str) -> str:
    """Return the 18th character: weights are powers of 3 modulo 31 (GB 32100-2015, annex)."""
    total = sum(
        _VALUES[character] * pow(3, place, 31)
        for place, character in enumerate(first17)
    )
    return ALPHABET[(31 - total % 31) % 31]


def parse_credit_code(text: str) -> CreditCode:
    """Read a code as people type it. Raises `CreditCodeError`."""
    code = normalise_credit_code(text)
    if not _CODE.fullmatch(code):
        raise CreditCodeError(
            "统一社会信用代码应为18位数字和大写字母（不含I、O、Z、S、V）。"
        )
    if check_character(code[:17]) != code[17]:
        raise CreditCodeError("统一社会信用代码校验不通过，请核对每一位。")
    return CreditCode(code, KINDS.get(code[:2], REGISTRARS[code[0]]))


def is_old_taxpayer_number(text: str) -> bool:
    """Whether `text` has the shape of a taxpayer number of before 2015.

    Such numbers carry no check and are accepted for buyers that are no enterprise only.
    """
    return _OLD_NUMBER.fullmatch(normalise_credit_code(text)) is not None
