from collections.abc import Sequence
from datetime import date

import pytest

from accounts.errors import RosterRefusedError
from accounts.rules.rosters import (
    HIDDEN,
    CellProblem,
    Roster,
    RosterCell,
    RosterHead,
    check_roster,
    find_roster,
)
from portal.lib.sheet_reading import read_sheet
from tests.factories.accounts import make_id_number, make_phone
from tests.factories.sheets import (
    HEAD_2020,
    HEAD_2026,
    Value,
    make_book,
    make_list,
    make_parts,
    make_person,
    make_row,
    make_sheet,
    pack,
)

TODAY = date(2026, 5, 19)
PERSON = make_person(0)


def find(*rows: Sequence[Value]) -> Roster:
    return find_roster(read_sheet(make_book(*rows)))


def names(roster: Roster) -> list[str]:
    return [row.name.text for row in roster.rows]


class TestHead:
    def test_form_of_2026(self) -> None:
        roster = find_roster(read_sheet(make_list(PERSON)))

        assert roster.form == "2026"
        assert roster.head == RosterHead(
            district="渝中区",
            contact="学员甲",
            unit_name="示例单位",
            phone="02367890000",
        )

    def test_form_of_2020(self) -> None:
        roster = find(
            ["重庆市2020年专业技术人员公需科目培训\n学员报名名单"],
            ["填表单位：示例单位", None, None, "联系人：学员甲"],
            [
                "单位纳税人识别号：91110000600037341L",
                None,
                None,
                "联系人电话：02367890000",
            ],
            ["缴费订单号：2020071000012345"],
            HEAD_2020,
            ["1", "学员甲", make_id_number(1), make_phone(1), "转岗"],
            ["2"],
            ["注意：1.需提供此表格1份，文件格式要求为Excel格式；"],
        )

        assert roster.form == "2020"
        assert roster.head == RosterHead(
            unit_name="示例单位",
            contact="学员甲",
            phone="02367890000",
            credit_code="91110000600037341L",
            order_number="2020071000012345",
        )
        assert [(row.line, row.remark.text) for row in roster.rows] == [(6, "转岗")]
        assert roster.rows[0].gender == RosterCell()

    def test_labels_and_values_in_neighbours_and_in_one_cell(self) -> None:
        roster = find(
            ["区　　县", "渝中区", "联 系 人", None, "学员甲"],
            ["单位全称:示例单位（盖章）  联系电话（手机）：138 0013 8000"],
            HEAD_2026,
            PERSON,
        )

        assert roster.head == RosterHead(
            district="渝中区",
            contact="学员甲",
            unit_name="示例单位（盖章）",
            phone="138 0013 8000",
        )

    def test_labels_that_were_left_empty(self) -> None:
        roster = find(
            ["区    县：____", None, "联系人："],
            ["单位全称：", "", "", "联系电话："],
            HEAD_2026,
            PERSON,
        )

        assert roster.head == RosterHead()

    def test_numbers_beside_labels(self) -> None:
        roster = find(["联系电话", 13800138000], HEAD_2026, PERSON)

        assert roster.head.phone == "13800138000"

    def test_a_list_without_a_head(self) -> None:
        assert find(HEAD_2026, PERSON).head == RosterHead()


class TestColumns:
    def test_other_order_and_other_words(self) -> None:
        roster = find(
            ["手 机 号", "性 别", "单位", "姓 名", "公民身份号码"],
            [make_phone(1), "女", "某科室", "学员甲", make_id_number(1)],
        )

        row = roster.rows[0]
        assert row.phone.text == make_phone(1)
        assert row.name.text == "学员甲"
        assert row.id_number.text == make_id_number(1)
        assert row.gender.text == "女"

    def test_a_head_of_two_rows(self) -> None:
        roster = find(
            ["序号", "基本信息", None, "联系信息", "备注"],
            [None, "姓名", "身份证号码", "手机号码", None],
            ["1", "学员甲", make_id_number(1), make_phone(1), "x"],
        )

        assert names(roster) == ["学员甲"]
        assert roster.rows[0].remark.text == "x"

    def test_a_head_of_which_some_cells_are_merged_over_two_rows(self) -> None:
        roster = find(
            ["联系电话：02367890000"],
            ["序号", "姓名", "证件", "手机号码", "性别"],
            [None, None, "身份证号码"],
            ["1", "学员甲", make_id_number(1), make_phone(1), "女"],
        )

        assert names(roster) == ["学员甲"]
        assert roster.head.phone == "02367890000"

    def test_the_coordinators_phone_above_the_head_is_no_column(self) -> None:
        roster = find(
            ["单位", "示例单位", None, None, "联系电话"],
            HEAD_2026,
            PERSON,
        )

        assert roster.rows[0].phone.text == make_phone(0)

    @pytest.mark.parametrize(
        ("head", "words"),
        [
            (["姓名", "身份证号码"], "表头中没有找到“手机号码”一列"),
            (["姓名", "性别"], "表头中没有找到“身份证号码、手机号码”一列"),
            (["课程", "学时"], "没有找到表头“姓名、身份证号码、手机号码”"),
        ],
    )
    def test_missing_columns_are_named(self, head: list[str], words: str) -> None:
        with pytest.raises(RosterRefusedError, match=words):
            find(head, ["学员甲", make_id_number(1)])


class TestPeople:
    def test_lines_without_people_are_left_out(self) -> None:
        roster = find_roster(
            read_sheet(
                make_list(
                    make_person(0),
                    [],
                    ["2", " ", "　"],
                    ["示例1", "张三", "11010519491231002X", "13800138000", "女"],
                    HEAD_2026,
                    make_person(1),
                    ["合计", "2人"],
                    ["注意："],
                    [None, "1.文件格式要求为Excel电子格式，请认真填写；"],
                    ["填表人：学员甲"],
                )
            )
        )

        assert [row.line for row in roster.rows] == [5, 10]

    def test_nobody_with_a_number_drops_out(self) -> None:
        roster = find_roster(
            read_sheet(
                make_list(
                    [None, None, make_id_number(0)],
                    [None, "注：", None, make_phone(0)],
                    ["合计", None, None, make_phone(1)],
                    [None, "学员甲"],
                    [None, "示例学员"],
                )
            )
        )

        assert [row.line for row in roster.rows] == [5, 6, 7, 8, 9]

    def test_hidden_people_are_told(self) -> None:
        sheet = make_sheet(
            make_row(1, *HEAD_2026),
            make_row(2, *make_person(0)),
            make_row(3, *make_person(1), attributes='hidden="1"'),
        )
        roster = find_roster(read_sheet(pack(make_parts(sheet))))
        checked = check_roster(roster, today=TODAY)

        assert roster.hidden_lines == (3,)
        assert CellProblem("row", HIDDEN) not in checked[0].hints
        assert CellProblem("row", HIDDEN) in checked[1].hints

    def test_an_empty_list_is_refused(self) -> None:
        with pytest.raises(RosterRefusedError, match="名单中没有学员"):
            find(HEAD_2026, ["1"], ["2"])

    def test_more_people_than_the_limit_are_refused(self) -> None:
        rows = read_sheet(make_list(*(make_person(n) for n in range(3))))

        assert len(find_roster(rows, most_people=3).rows) == 3
        with pytest.raises(RosterRefusedError, match="名单共3人，一份名单最多2人"):
            find_roster(rows, most_people=2)
