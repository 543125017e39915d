import pytest

from portal.lib.chinese_terms import Term, find_terms
from tests.factories.talks import DUTY, NETWORK, SOIL


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (
            DUTY,
            "专业技术人员继续教育规定 专业技术人员 参加继续教育 专业科目 公需科目 用人单位 "
            "继续教育 职称评审 专业 学时 技术 登记 科目",
        ),
        (
            SOIL,
            "土壤酸碱度 水旱轮作 酸化土壤 病虫害 紫云英 酸碱度 土壤 石灰 秸秆 绿肥",
        ),
        (
            NETWORK,
            "撞库 网络安全法 双因素认证 勒索软件 恢复演练 数据泄露 离线备份 钓鱼邮件 口令 "
            "备份 恢复 泄露 邮件",
        ),
    ],
)
def test_a_talk_gives_words_and_no_fragments(talk: str, words: str):
    """The whole lists: a fragment among them would be asked of somebody."""
    assert [term.text for term in find_terms(talk.splitlines())] == words.split()


def test_a_word_knows_where_it_is_said():
    found = {term.text: term.places for term in find_terms(NETWORK.splitlines())}

    assert found["撞库"] == (3, 4)
    assert found["恢复演练"] == (10, 11, 13)


def test_what_is_said_once_or_is_grammar_gives_nothing():
    passages = ["今天天气不错。", "我们的我们的我们的我们的", "", "plain words, 3 × 4"]

    assert find_terms(passages) == []


def test_a_quoted_term_needs_no_repetition():
    assert find_terms(["这就是“热岛效应”。", "他说：“好，我来！”"]) == [
        Term("热岛效应", (0,))
    ]


def test_the_company_of_a_word_is_not_part_of_it():
    """`年学时` comes three times with changing neighbours, but `学时` does so more often."""
    passages = [
        *("每年学时要登记", "全年学时够了", "当年学时清零"),
        *("补足学时再说", "学时证明", "打印学时"),
    ]

    assert [term.text for term in find_terms(passages)] == ["学时"]
