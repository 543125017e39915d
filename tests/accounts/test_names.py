import pytest

from accounts.errors import NameRefusedError
from accounts.rules.names import read_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("赵一", "赵一"),
        (" 欧阳春梅\u3000", "欧阳春梅"),
        ("\u200b赵一\ufeff", "赵一"),
        ("买买提·艾力", "买买提·艾力"),
        ("迪丽热巴•迪力木拉提", "迪丽热巴·迪力木拉提"),
        ("次仁‧卓玛", "次仁·卓玛"),
        ("阿不都．热合曼", "阿不都·热合曼"),
        ("李〇", "李〇"),
        ("𠮷野", "𠮷野"),
        ("赵\U00031350", "赵\U00031350"),
        ("赵\U0002ebf0", "赵\U0002ebf0"),
        ("John Smith", "JOHN SMITH"),
        ("Ｊｏｈｎ Ｓｍｉｔｈ", "JOHN SMITH"),
        ("O'Neil-Müller", "O'NEIL-MÜLLER"),
    ],
)
def test_names_of_identity_cards(text, name):
    assert read_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "赵",
        "赵 一",
        "欧\u3000阳",
        "赵一1",
        "赵,一",
        "赵（一）",
        "赵\ue000",
        "赵\t一",
        "赵\x00一",
        "赵\u200b一",
        "赵\U0002a6fe",
        "·赵一",
        "赵一·",
        "赵··一",
        "赵A",
        "J",
        "John  Smith",
        "<b>",
        "赵" * 41,
        "😀😀",
    ],
)
def test_refused(text):
    with pytest.raises(NameRefusedError, match="请填写与证件一致的姓名"):
        read_name(text)
