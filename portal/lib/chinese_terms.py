"""Finds the words a Chinese talk is about, without a dictionary.

A run of characters counts as a word when it comes back often enough and stands in changing
company on both sides: `继续教育` is followed and preceded by many things, `续教育` is always
preceded by `继`. What a speaker puts in quotes is a word because the speaker says so. Rather
no word than a fragment: learners are asked about what is found here.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

LONGEST_RUN = 6
# Two characters meet by chance more easily than three.
REPEATS_OF_PAIRS = 4
REPEATS = 3
# Beyond these a talk has said everything that it is about.
MOST_TERMS = 80

_HAN = re.compile("[\u4e00-\u9fff]+")
_QUOTED = re.compile(
    "[《“「『]([\u4e00-\u9fffA-Za-z0-9·+\\-]{2,12})[》”」』]", re.ASCII
)
# Words of grammar, in which no term of two or more characters has part.
_GRAMMAR = frozenset(
    "的了着吗呢吧啊这那哪我你您他她它们是和与或但很也都就还又被把让给什么怎谁请说讲"
    "些则却且若及之其某每各该此个几呀嘛哦嗯"
)
_NO_START = frozenset(
    "一二三四五六七八九十百千万亿零两第年月日在不有对从到要会能可为将向按由使只已再更最"
    "没无做看来去以因所并而于等后前内外里上下中员者性化们时地得"
)
_NO_END = frozenset(
    "一二三四五六七八九十百千万亿零两第年月日在不有对从到要将向按由使只已再更最没无以因"
    "并而于等后前内外里上下中"
)
# What speakers say in every talk.
_SAID_ANYWHERE = """
大家 今天 现在 时候 问题 情况 方面 内容 部分 首先 其次 最后 然后 因此 如果 应该 必须 进行 通过
同学 同志 老师 课程 本章 本节 本课 学习 介绍 了解 知道 认为 成为 作为 这样 那样 比如 例如 特别
非常 需要 可能 一起 接下来 同时 主要 重要 相关 许多 今后 以后 以前 其实 当然 刚才 下面 上面
自己 别人 事情 东西 来看 谢谢 欢迎
"""
_CHATTER = frozenset(_SAID_ANYWHERE.split())


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a talk, with the places (numbers of the passages) where it is said."""

    text: str
    places: tuple[int, ...]


def find_terms(passages: Iterable[str]) -> list[Term]:
    """The words that the passages of one talk are about, the most telling first."""
    texts = list(passages)
    quoted = _find_quoted(texts)
    repeated = [run for run in _find_repeated(texts) if run not in quoted]
    found = [*quoted, *sorted(repeated, key=lambda run: (-len(run), run))][:MOST_TERMS]
    return [
        Term(word, tuple(at for at, text in enumerate(texts) if word in text))
        for word in found
    ]


def _find_quoted(texts: Iterable[str]) -> list[str]:
    found = dict.fromkeys(word for text in texts for word in _QUOTED.findall(text))
    return [word for word in found if _HAN.search(word) and word not in _CHATTER]


def _find_repeated(texts: Iterable[str]) -> list[str]:
    counts: Counter[str] = Counter()
    before: defaultdict[str, set[object]] = defaultdict(set)
    after: defaultdict[str, set[object]] = defaultdict(set)
    for run, left, right in _walk_runs(texts):
        counts[run] += 1
        before[run].add(left)
        after[run].add(right)
    words = {
        run: count
        for run, count in counts.items()
        if count >= (REPEATS_OF_PAIRS if len(run) == 2 else REPEATS)
        and len(before[run]) > 1
        and len(after[run]) > 1
        and _may_be_word(run)
    }
    return [run for run in words if not _has_stray_character(run, words)]


def _walk_runs(texts: Iterable[str]) -> Iterator[tuple[str, object, object]]:
    """Every run of two to six characters with its neighbours; an end of a sentence is a
    neighbour like no other."""
    for text in texts:
        for sentence in _HAN.findall(text):
            for length in range(2, LONGEST_RUN + 1):
                for start in range(len(sentence) - length + 1):
                    end = start + length
                    yield (
                        sentence[start:end],
                        sentence[start - 1] if start else object(),
                        sentence[end] if end < len(sentence) else object(),
                    )


def _may_be_word(run: str) -> bool:
    return (
        _GRAMMAR.isdisjoint(run)
        and run[0] not in _NO_START
        and run[-1] not in _NO_END
        and not any(word in run for word in _CHATTER)
    )


def _has_stray_character(run: str, words: Mapping[str, int]) -> bool:
    """Is the run a commoner word with one character of its company (`年学时`)?"""
    if len(run) == 2:
        return False
    return any(words.get(rest, 0) >= 2 * words[run] for rest in (run[1:], run[:-1]))
