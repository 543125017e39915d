"""The organisation tree's first level: GB/T 2260 districts and counties of Chongqing, and ours.

Rows are never taken away. 江北区 and 渝北区 ended on 6 November 2025 when 两江新区 became a
district; what was printed for them before keeps their names.
"""

from dataclasses import dataclass
from datetime import date

DISTRICT = "district"
SPECIAL_AREA = "special_area"
SYSTEM = "system"

MERGER_DATE = date(2025, 11, 6)
LIANGJIANG = "500157"
# Five towns of 渝北 went to 北碚, five of 北碚 to 两江新区 (重庆市政府, 2025-11-06).
MERGER_ADVICE = (
    "原江北区、渝北区已并入两江新区；原渝北区大湾镇、统景镇、大盛镇、兴隆镇、茨竹镇"
    "划归北碚区，原北碚区水土街道、复兴街道、蔡家岗街道、施家梁镇、童家溪镇划归两江新区。"
)


@dataclass(frozen=True)
class RegionEntry:
    """One region; it may be chosen from `valid_from` until the day before `valid_until`."""

    code: str
    name: str
    kind: str = DISTRICT
    valid_from: date | None = None
    valid_until: date | None = None
    successor: str = ""


def _districts(names: str, *, first: int) -> list[RegionEntry]:
    return [
        RegionEntry(str(first + place), name)
        for place, name in enumerate(names.split())
        if name != "-"
    ]


_MERGED = {
    code: RegionEntry(code, name, valid_until=MERGER_DATE, successor=LIANGJIANG)
    for code, name in (("500105", "江北区"), ("500112", "渝北区"))
}
_BY_CODE = [
    *_districts(
        "万州区 涪陵区 渝中区 大渡口区 江北区 沙坪坝区 九龙坡区 南岸区 北碚区 綦江区 大足区 渝北区"
        " 巴南区 黔江区 长寿区 江津区 合川区 永川区 南川区 璧山区",
        first=500101,
    ),
    *_districts("铜梁区 潼南区 荣昌区 开州区 梁平区 武隆区", first=500151),
    RegionEntry(LIANGJIANG, "两江新区", valid_from=MERGER_DATE),
    *_districts(
        "城口县 丰都县 垫江县 - 忠县 - 云阳县 奉节县 巫山县 巫溪县 - 石柱土家族自治县"
        " 秀山土家族苗族自治县 酉阳土家族苗族自治县 彭水苗族土家族自治县",
        first=500229,
    ),
]
# No codes of GB/T 2260: the areas and the salutations of the centre's letters.
_OWN = [
    RegionEntry("CQ-GXQ", "西部科学城重庆高新区", SPECIAL_AREA),
    RegionEntry("CQ-WSJKQ", "万盛经开区", SPECIAL_AREA),
    RegionEntry("CQ-SJBM", "市级部门", SYSTEM),
    RegionEntry("CQ-ZYZY", "中央在渝单位", SYSTEM),
    RegionEntry("CQ-DXQY", "大型企业", SYSTEM),
]
REGIONS: tuple[RegionEntry, ...] = (
    *(_MERGED.get(entry.code, entry) for entry in _BY_CODE),
    *_OWN,
)


def regions_valid_on(day: date) -> list[RegionEntry]:
    """The regions that could be chosen on `day`."""
    return [
        entry
        for entry in REGIONS
        if (entry.valid_from is None or entry.valid_from <= day)
        and (entry.valid_until is None or day < entry.valid_until)
    ]
