"""Which sample plans there are: years, prices, rules and courses by the official notices."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from catalog.models import FieldOfStudy, Plan, PlanCourse, Pricing, Subject

FIRST_YEAR, NEWEST_YEAR = 2011, 2026
GENERAL_HOURS, PROFESSIONAL_HOURS = 30, 60
# Notices of 2020 and 2026: 33 yuan a year, 1.10 and 1.50 yuan an hour.
GENERAL_FLAT_FEN, GENERAL_HOUR_FEN, PROFESSIONAL_HOUR_FEN = 3300, 110, 150
FIELDS_ON_OFFER = {
    "gongcheng": FieldOfStudy.ENGINEERING,
    "jiaoyu": FieldOfStudy.EDUCATION,
    "nongye": FieldOfStudy.AGRICULTURE,
}
SHARED_FIELDS = {
    FieldOfStudy.ECONOMY,
    FieldOfStudy.ECOLOGY,
    FieldOfStudy.MANAGEMENT,
}
# The notice of 2020: at least 20 credits of required courses and 10 of electives.
COMPULSORY_2020 = (
    "shuangcheng-jingjiquan",
    "gonggong-anquan",
    "xiangcun-zhenxing",
    "jixu-jiaoyu-zhidu",
)
ELECTIVE_2020 = (
    "xinli-tiaoshi",
    "shuzi-jingji",
    "wangluo-anquan",
    "zhiye-daode",
    "xiezuo-goutong",
)

GENERAL_SUMMARY = """\
培训对象：全市各类企业、事业单位的在职专业技术人员和专业技术管理人员。

修满 30 学时即完成 {year} 年度公需科目学习任务，可在线查看、下载和打印合格证书。课程自主选择，\
一门课程有多个章节的，须学完每个章节才能获得该课程的学分。

学习过程中请留意防挂机答题：未作答期间停止计时。"""
GENERAL_2020_SUMMARY = """\
培训对象：全市各类企业、事业单位的在职专业技术人员和专业技术管理人员，以及专业技术类公务员。

须修满 30 学分，其中必修课程不少于 20 学分、选修课程不少于 10 学分。\
修满后即完成 2020 年度公需科目学习任务，可在线查看、下载和打印合格证书。

已在其他平台缴费但未完成学习的，可提交缴费凭证，审核通过后免费补学。"""
PROFESSIONAL_SUMMARY = """\
培训对象：各类企业、事业单位在职专业技术人员（含在职临聘专业技术人员）。\
行业主管部门对专业科目有统一安排的，按其要求执行。

专业科目每年不少于 60 学时，可根据自身需要自主选择课程，修满 60 学分即可打印合格证书。\
费用可在所在单位继续教育经费中报销。

学习完成后，平台自动记录学习情况，并可打印学时证明，作为学时登记的凭证。"""


@dataclass(frozen=True)
class PlanSample:
    """One plan: columns of the row, what it costs, and its courses in order with their
    kinds."""

    code: str
    columns: dict[str, Any]
    pricing: Pricing
    unit_price_fen: int
    courses: dict[str, PlanCourse.Kind]


def build_plans(
    general: list[dict[str, Any]], professional: list[dict[str, Any]], today: date
) -> list[PlanSample]:
    """All sample plans. The windows are chosen so that each can be bought and studied today."""
    samples = [
        _general(general, NEWEST_YEAR, Plan.Entry.ONE, today),
        _general(general, NEWEST_YEAR, Plan.Entry.TWO, today),
    ]
    samples += [
        _professional_of_field(professional, name, entry, today)
        for name in FIELDS_ON_OFFER
        for entry in Plan.Entry
    ]
    for year in range(NEWEST_YEAR - 1, FIRST_YEAR - 1, -1):
        samples.append(
            _general_2020(today)
            if year == 2020
            else _general(general, year, Plan.Entry.ONE, today)
        )
        samples.append(_professional_of_year(professional, year, today))
    return samples


def _offer(rows: Iterable[dict[str, Any]], year: int) -> dict[str, PlanCourse.Kind]:
    """Freely chosen courses that fit the year of a plan."""
    return {
        row["code"]: PlanCourse.Kind.ELECTIVE
        for row in rows
        if row.get("since", FIRST_YEAR) <= year
    }


def _window(year: int, today: date) -> dict[str, date]:
    """Open from the year's start, past years for make-up, to the end of this year."""
    start = min(date(year, 1, 5), today)
    end = date(max(year, today.year), 12, 31)
    return {
        "training_start": start,
        "training_end": end,
        "sale_start": start,
        "sale_end": end,
    }


def _general(
    rows: list[dict[str, Any]], year: int, entry: Plan.Entry, today: date
) -> PlanSample:
    newest = year == NEWEST_YEAR
    title = f"重庆市{year}年专技人员继续教育公需科目培训"
    code = f"gx-{year}"
    if entry == Plan.Entry.TWO:
        title, code = f"{title}（入口二）", f"{code}-2"
    return PlanSample(
        code=code,
        columns={
            "year": year,
            "subject": Subject.GENERAL,
            "accepts_claims": not newest,
            "field": "",
            "entry": entry,
            "title": title,
            "summary": GENERAL_SUMMARY.format(year=year),
            "hours": GENERAL_HOURS,
            "required_credits": GENERAL_HOURS,
            "compulsory_credits": 0,
            "elective_credits": 0,
            **_window(year, today),
        },
        pricing=Pricing.PER_HOUR if newest else Pricing.FLAT,
        unit_price_fen=GENERAL_HOUR_FEN if newest else GENERAL_FLAT_FEN,
        courses=_offer(rows, year),
    )


def _general_2020(today: date) -> PlanSample:
    sample = _general([], 2020, Plan.Entry.ONE, today)
    sample.columns.update(
        summary=GENERAL_2020_SUMMARY,
        compulsory_credits=20,
        elective_credits=10,
        # As its notice says: units buy activation codes.
        sells_codes=True,
        fastest_speed=Plan.Speed.DOUBLE,
    )
    sample.courses.update(dict.fromkeys(COMPULSORY_2020, PlanCourse.Kind.COMPULSORY))
    sample.courses.update(dict.fromkeys(ELECTIVE_2020, PlanCourse.Kind.ELECTIVE))
    return sample


def _professional(
    code: str,
    year: int,
    title: str,
    courses: dict[str, PlanCourse.Kind],
    today: date,
) -> PlanSample:
    return PlanSample(
        code=code,
        columns={
            "year": year,
            "subject": Subject.PROFESSIONAL,
            "field": "",
            "entry": Plan.Entry.ONE,
            "title": title,
            "summary": PROFESSIONAL_SUMMARY,
            "hours": PROFESSIONAL_HOURS,
            "required_credits": PROFESSIONAL_HOURS,
            "compulsory_credits": 0,
            "elective_credits": 0,
            **_window(year, today),
        },
        pricing=Pricing.PER_HOUR,
        unit_price_fen=PROFESSIONAL_HOUR_FEN,
        courses=courses,
    )


def _professional_of_year(
    rows: list[dict[str, Any]], year: int, today: date
) -> PlanSample:
    title = f"重庆市{year}年专业技术人员继续教育专业科目培训"
    return _professional(f"zy-{year}", year, title, _offer(rows, year), today)


def _professional_of_field(
    rows: list[dict[str, Any]], name: str, entry: Plan.Entry, today: date
) -> PlanSample:
    field = FIELDS_ON_OFFER[name]
    own = [row for row in rows if row["field"] == field]
    shared = [row for row in rows if row["field"] in SHARED_FIELDS]
    label = field.label if entry == Plan.Entry.ONE else f"{field.label}·入口二"
    sample = _professional(
        f"zy-{NEWEST_YEAR}-{name}" + ("-2" if entry == Plan.Entry.TWO else ""),
        NEWEST_YEAR,
        f"重庆市{NEWEST_YEAR}年专业技术人员继续教育专业科目培训（{label}）",
        _offer([*own, *shared], NEWEST_YEAR),
        today,
    )
    sample.columns.update(field=field, entry=entry)
    return sample
