"""Workbooks built by hand, as the programs of the units write them and as attackers might."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from tests.factories.accounts import make_id_number, make_phone

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
WORKBOOK_TYPE = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
)
# The columns of the official forms of 2026 and 2020, as they are printed.
HEAD_2026 = (
    "序号",
    "姓名\n（姓名中间不能有空格和符号）",
    "身份证号码\n（身份证号码含X，必须大写）",
    "手机号码",
    "性别",
    "备注",
)
HEAD_2020 = (
    "序号",
    "姓名\n（姓名中间不能有空格）",
    "身份证号码\n（身份证号码含X，必须大写）",
    "手机号码",
    "备注",
)


@dataclass(frozen=True)
class Raw:
    """A cell (or anything else in a row) as XML."""

    xml: str


Value = str | int | float | Raw | None


def column_name(number: int) -> str:
    """1 is A, 27 is AA."""
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def make_cell(row: int, column: int, value: Value) -> str:
    place = f"{column_name(column)}{row}"
    if value is None:
        return ""
    if isinstance(value, Raw):
        return value.xml
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value!r}</v></c>'


def make_row(number: int, *values: Value, attributes: str = "") -> str:
    cells = "".join(
        make_cell(number, column, value) for column, value in enumerate(values, 1)
    )
    return f'<row r="{number}" {attributes}>{cells}</row>'


def make_sheet(*rows: str, tail: str = "") -> str:
    return (
        f'<worksheet xmlns="{MAIN}"><dimension ref="A1"/>'
        f"<sheetData>{''.join(rows)}</sheetData>{tail}</worksheet>"
    )


def make_parts(
    *sheets: str,
    strings: str = "",
    styles: str = "",
    states: Sequence[str] = (),
    absolute: bool = False,
    workbook_tail: str = "",
) -> dict[str, str | bytes]:
    """The parts of a workbook; `absolute` names them as WPS does."""
    start = "/xl/" if absolute else ""
    targets = [
        (f"s{number}", "worksheet", f"worksheets/sheet{number}.xml")
        for number in range(1, len(sheets) + 1)
    ]
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": (
            f'<Types xmlns="{PACKAGE}/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{WORKBOOK_TYPE}"/>'
            "</Types>"
        ),
        "_rels/.rels": _make_relations(
            [
                (
                    "b",
                    "officeDocument",
                    "/xl/workbook.xml" if absolute else "xl/workbook.xml",
                )
            ]
        ),
    }
    if strings:
        targets.append(("strings", "sharedStrings", "sharedStrings.xml"))
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{strings}</sst>'
    if styles:
        targets.append(("styles", "styles", "styles.xml"))
        parts["xl/styles.xml"] = f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>'
    marks = [*states, *["visible"] * len(sheets)]
    listed = "".join(
        f'<sheet name="表{number}" sheetId="{number}" r:id="s{number}" state="{state}"/>'
        for number, state in zip(range(1, len(sheets) + 1), marks, strict=False)
    )
    parts["xl/workbook.xml"] = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{workbook_tail}'
        f"<sheets>{listed}</sheets></workbook>"
    )
    parts["xl/_rels/workbook.xml.rels"] = _make_relations(
        [(key, kind, start + target) for key, kind, target in targets]
    )
    for number, sheet in enumerate(sheets, 1):
        parts[f"xl/worksheets/sheet{number}.xml"] = sheet
    return parts


def _make_relations(relations: Sequence[tuple[str, str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="{key}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for key, kind, target in relations
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def pack(parts: Mapping[str, str | bytes]) -> bytes:
    """Zip the parts."""
    output = BytesIO()
    with ZipFile(output, "w", ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return output.getvalue()


def make_book(*rows: Sequence[Value]) -> bytes:
    """A workbook of one sheet with these rows from the first line on."""
    sheet = make_sheet(*(make_row(number, *row) for number, row in enumerate(rows, 1)))
    return pack(make_parts(sheet))


def make_person(n: int, **changes: Value) -> list[Value]:
    """A right row of the form of 2026 for the n-th synthetic person."""
    number = make_id_number(n)
    values: dict[str, Value] = {
        "position": str(n + 1),
        "name": f"学员{chr(0x4E00 + n % 20000)}",
        "id_number": number,
        "phone": make_phone(n),
        "gender": "男" if int(number[16]) % 2 else "女",
        "remark": "",
    }
    return list((values | changes).values())


def make_list(*people: Sequence[Value], unit: str = "示例单位") -> bytes:
    """A filled form of 2026: people from line 5 on."""
    return make_book(
        ["重庆市专业技术人员继续教育培训\n学员注册名单"],
        ["区    县：渝中区", None, None, "联系人：学员甲"],
        [f"单位全称：{unit}", None, None, "联系电话：02367890000"],
        HEAD_2026,
        *people,
    )
