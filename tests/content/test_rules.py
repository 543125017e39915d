import pytest

from portal.content.rules import clean_html


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (
            "<h2>一、培训对象</h2><p>在职人员</p>",
            "<h2>一、培训对象</h2><p>在职人员</p>",
        ),
        ('<p onclick="x()" style="color:red">文</p>', "<p>文</p>"),
        ("<p>文</p><script>alert(1)</script>", "<p>文</p>"),
        ('<a href="javascript:x()">看</a>', '<a rel="noopener">看</a>'),
        (
            '<a href="https://example.com/">看</a>',
            '<a href="https://example.com/" rel="noopener">看</a>',
        ),
        ('<p><img src="x" onerror="y()">图</p>', "<p>图</p>"),
        ('<td colspan="2" bgcolor="red">30</td>', "30"),
        (
            '<table><tbody><tr><td colspan="2">30</td></tr></tbody></table>',
            '<table><tbody><tr><td colspan="2">30</td></tr></tbody></table>',
        ),
    ],
)
def test_only_plain_article_markup_is_kept(given: str, kept: str) -> None:
    assert clean_html(given) == kept
