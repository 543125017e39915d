"""The 27 series of professional titles (职称系列) and the levels that each has.

Source: 人力资源社会保障部专业技术人员管理司《职称系列（专业）各层级名称》, 2021-11-02. Which of the
series 14 to 27 have the lowest level 员级 is from the reform notices of the single series;
a level too many in a list does less harm than one that is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

NO_TITLE = "none"
CLERK = "clerk"
ASSISTANT = "assistant"
INTERMEDIATE = "intermediate"
ASSOCIATE_SENIOR = "associate_senior"
SENIOR = "senior"

LEVELS: Mapping[str, str] = {
    NO_TITLE: "无职称",
    CLERK: "员级",
    ASSISTANT: "助理级",
    INTERMEDIATE: "中级",
    ASSOCIATE_SENIOR: "副高级",
    SENIOR: "正高级",
}
_ABOVE_CLERK = (ASSISTANT, INTERMEDIATE, ASSOCIATE_SENIOR, SENIOR)


@dataclass(frozen=True)
class Series:
    """One series; `has_clerk_level` says whether its titles begin with 员级 or with 助理级."""

    code: str
    name: str
    has_clerk_level: bool = False

    @property
    def levels(self) -> tuple[str, ...]:
        return (CLERK, *_ABOVE_CLERK) if self.has_clerk_level else _ABOVE_CLERK


_ALL = (
    Series("01", "高等学校教师"),
    Series("02", "哲学社会科学研究人员"),
    Series("03", "自然科学研究人员"),
    Series("04", "卫生技术人员", has_clerk_level=True),
    Series("05", "工程技术人员", has_clerk_level=True),
    Series("06", "农业技术人员", has_clerk_level=True),
    Series("07", "新闻专业人员"),
    Series("08", "出版专业人员"),
    Series("09", "图书资料专业人员", has_clerk_level=True),
    Series("10", "文物博物专业人员"),
    Series("11", "档案专业人员", has_clerk_level=True),
    Series("12", "工艺美术专业人员", has_clerk_level=True),
    Series("13", "技工院校教师"),
    Series("14", "体育专业人员"),
    Series("15", "翻译专业人员"),
    Series("16", "播音主持专业人员"),
    Series("17", "会计人员"),
    Series("18", "统计专业人员"),
    Series("19", "经济专业人员"),
    Series("20", "实验技术人才", has_clerk_level=True),
    Series("21", "中等职业学校教师", has_clerk_level=True),
    Series("22", "中小学教师", has_clerk_level=True),
    Series("23", "艺术专业人员"),
    Series("24", "公共法律服务专业人员"),
    Series("25", "船舶专业技术人员", has_clerk_level=True),
    Series("26", "民用航空飞行技术人员"),
    Series("27", "审计专业人员"),
)
SERIES: Mapping[str, Series] = {series.code: series for series in _ALL}

# Words of former certificates and personnel files.
_FORMER_SENIOR = ("教授级", "研究员级", "正高")
_FORMER_LEVELS: Mapping[str, str] = {
    "副高": ASSOCIATE_SENIOR,
    "高级": ASSOCIATE_SENIOR,
    "中级": INTERMEDIATE,
    "助理": ASSISTANT,
    "初级": ASSISTANT,
    "员级": CLERK,
}


def levels_of(series: str) -> tuple[str, ...]:
    """Levels of a series, lowest first; empty for a code that is none."""
    found = SERIES.get(series)
    return found.levels if found else ()


def is_level_of(series: str, level: str) -> bool:
    """Whether somebody of `series` can hold `level`; 无职称 fits every series."""
    return series in SERIES and (level == NO_TITLE or level in levels_of(series))


def series_name(code: str) -> str:
    """`05` is 工程技术人员; empty for an unknown code."""
    found = SERIES.get(code)
    return found.name if found else ""


def level_name(code: str) -> str:
    """`senior` is 正高级; empty for an unknown code."""
    return LEVELS.get(code, "")


def level_of_former_title(title: str) -> str:
    """The level that a former wording means: 教授级高级工程师 is `senior`; empty if unclear."""
    if any(title.startswith(word) for word in _FORMER_SENIOR):
        return SENIOR
    for word, level in _FORMER_LEVELS.items():
        if title.startswith(word):
            return level
    return ""
