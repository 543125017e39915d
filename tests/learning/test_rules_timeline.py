"""The picture of a day: where things stand, in words for who cannot see it, and escaped."""

from datetime import timedelta
from xml.etree.ElementTree import fromstring

from learning.rules.timeline import Bar, Lane, Mark, draw_timeline, find_window
from tests.clock import at

SVG = "{http://www.w3.org/2000/svg}"
NINE, ELEVEN = at("2026-06-15 09:00"), at("2026-06-15 11:00")


def draw(*lanes: Lane):
    return fromstring(draw_timeline("张三 6月15日", (NINE, ELEVEN), lanes))


def test_a_bar_stands_where_its_time_is():
    half = Bar(NINE + timedelta(minutes=30), NINE + timedelta(minutes=90), "学习")

    (bar,) = draw(Lane("已计入", "#2e7d32", [half])).findall(f"{SVG}rect")

    assert (bar.get("x"), bar.get("width"), bar.get("fill")) == (
        "300.0",
        "424.0",
        "#2e7d32",
    )
    assert bar.find(f"{SVG}title").text == "学习"


def test_what_lies_outside_ends_at_the_edge_and_is_never_invisible():
    long = Bar(NINE - timedelta(days=1), ELEVEN + timedelta(days=1), "长")
    short = Bar(ELEVEN, ELEVEN, "短")

    bars = draw(Lane("会话", "#555555", [long, short])).findall(f"{SVG}rect")

    assert [(bar.get("x"), bar.get("width")) for bar in bars] == [
        ("88.0", "848.0"),
        ("936.0", "2.0"),
    ]


def test_a_mark_has_its_sign_and_its_words():
    svg = draw(Lane("答题", "#1565c0", [Mark(NINE, "✓", "09:00 答对")]))

    sign = svg.findall(f"{SVG}text")[-1]
    assert "".join(sign.itertext()) == "09:00 答对✓"
    assert sign[0].tag == f"{SVG}title"


def test_the_picture_is_named_and_described():
    svg = draw(
        Lane("答题", "#1565c0", [Mark(NINE, "✓", "x")]), Lane("会话", "#555", [])
    )

    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "timeline-title timeline-desc"
    assert svg.find(f"{SVG}title").text == "张三 6月15日"
    assert svg.find(f"{SVG}desc").text == "答题 1 项，会话 0 项。逐项内容见下方表格。"


def test_the_scale_names_the_hours():
    texts = [text.text for text in draw().findall(f"{SVG}text")]

    assert texts == ["09:00", "10:00", "11:00"]


def test_words_are_escaped():
    drawn = draw_timeline(
        "<script>", (NINE, ELEVEN), [Lane("x", "#555", [Bar(NINE, ELEVEN, '"><b>')])]
    )

    assert "<script>" not in drawn
    assert "<b>" not in drawn


def test_the_window_is_whole_hours_around_what_happened():
    moments = [at("2026-06-15 09:20"), at("2026-06-15 10:00")]

    assert find_window(moments, NINE) == (NINE, ELEVEN)
    assert find_window([], NINE) == (NINE, NINE + timedelta(hours=1))
