"""Fee vouchers (缴费凭证) and commitment letters (缴费承诺书): what they say and for what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from orders.errors import ClaimRefusedError
from portal.lib.money import format_yuan

# Letters of the approved may be questioned in court for three years (民法典, article 188);
# proofs of the others only as long as a decision is disputed.
APPROVED_KEPT = timedelta(days=3 * 365)
FIRST_YEAR = 2011

# The official letter (附件 of the notices of 2020 and 2022), word for word; `{…}` are its blanks.
_LETTER = (
    "本人{name}，身份证号码：{id_number}，手机号码：{phone}，已于{paid_on}缴费报名参加"
    "{year}年度{subject}学习。因{reason}原因，无法提供缴费凭证。",
    "本人现已在{portal}网络学习服务平台注册，用户名为{username}，现申请免费参加"
    "{year}年度继续教育{subject}的学习，并承诺如下：",
    "一、本人在参与专业技术人员继续教育{subject}补学过程中提供的相关资料，本人均予以认可，"
    "自愿提供。本人所提供的缴费信息真实有效，如系伪造，本人愿依法承担相应法律责任。",
    "二、本人知晓并理解提供不实信息对个人诚信记录的风险，如给专业技术人员继续教育{subject}"
    "培训主管单位、承训单位造成损失的，愿意承担赔偿及相应的法律责任。",
    "承诺人：{name}",
    "时 间：{signed_on}",
)


@dataclass(frozen=True)
class Letter:
    """What fills the blanks of a commitment letter; a blank form fills them with lines."""

    name: str
    id_number: str
    phone: str
    username: str
    paid_on: str
    year: str
    subject: str
    reason: str
    portal: str
    signed_on: str


def write_letter(letter: Letter) -> list[str]:
    """The paragraphs of the letter in the official words."""
    blanks = vars(letter)
    return [paragraph.format_map(blanks) for paragraph in _LETTER]


def say_day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def refuse_year(*, year: int, accepts_claims: bool, today: date) -> None:
    """Raise `ClaimRefusedError` for a plan that no former payment opens."""
    if not accepts_claims or not FIRST_YEAR <= year < today.year:
        raise ClaimRefusedError("该年度的学习计划不受理缴费凭证，请选择其他年度。")


def refuse_payment_day(*, paid_on: date, today: date) -> None:
    """Raise `ClaimRefusedError` for a day on which nobody can have paid."""
    if paid_on > today:
        raise ClaimRefusedError("缴费时间不能晚于今天。")
    if paid_on.year < FIRST_YEAR:
        raise ClaimRefusedError(f"缴费时间不能早于{FIRST_YEAR}年。")


def list_facts(wanted: Mapping[str, str]) -> list[tuple[str, str]]:
    """What a claim states, with labels, in the order of the official form."""
    labels = {
        "order_number": "订单编号",
        "payer": "付款人",
        "paid_on": "缴费时间",
        "amount_fen": "缴费金额（元）",
        "platform": "缴费平台",
        "reason": "无法提供凭证的原因",
    }
    shown = dict(wanted)
    if "amount_fen" in shown:
        shown["amount_fen"] = format_yuan(int(shown["amount_fen"]))
    return [(label, shown[key]) for key, label in labels.items() if shown.get(key)]
