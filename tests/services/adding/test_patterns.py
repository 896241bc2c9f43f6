"""The files that match patterns such as `*.csv; *.txt` or `.git`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desktop_app.services.adding.review import neither, only, split_patterns

if TYPE_CHECKING:
    from collections.abc import Callable


def says(match: Callable[[str], bool] | None, path: str) -> bool:
    assert match is not None
    return match(path)


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("", []),
        (" ; ", []),
        ("*.csv", ["*.csv"]),
        ("*.csv; *.txt", ["*.csv", "*.txt"]),
        ("*.csv *.txt", ["*.csv", "*.txt"]),
        ("*.csv, *.txt", ["*.csv", "*.txt"]),
        ("my notes*.txt;*.csv;", ["my notes*.txt", "*.csv"]),
        ('"my notes.txt" *.csv', ["my notes.txt", "*.csv"]),
        ('"my; notes.txt"', ["my; notes.txt"]),
        ('"a b"; c', ["a b", "c"]),
    ],
)
def test_patterns_are_separated_by_semicolons_or_else_by_spaces(text: str, patterns: list[str]) -> None:
    assert split_patterns(text) == patterns


@pytest.mark.parametrize("text", ["", "   ", ";;"])
def test_empty_pattern_is_no_condition(text: str) -> None:
    assert only(text) is None
    assert neither(text) is None


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.csv", "a.csv", True),
        ("*.csv", "deep/er/A.CSV", True),
        ("*.csv", "a.csv.txt", False),
        ("*.csv", "x.csv/a.txt", False),
        ("*.csv", ".csv", True),
        ("*.CSV", "a.csv", True),
        ("*.tar.gz", "in/a.tar.gz", True),
        ("a?.txt", "ab.txt", True),
        ("a?.txt", "a.txt", False),
        ("a?.txt", "in/ax.txt", True),
        ("a*b", "a/b", False),
        ("[ab].txt", "b.txt", True),
        ("[!ab].txt", "b.txt", False),
        ("[!ab].txt", "c.txt", True),
        ("[z-a].txt", "z.txt", False),
        ("[+--].txt", ",.txt", True),
        ("[?--].txt", "[?--].txt", True),
        ("[a-c--].txt", "-.txt", True),
        ("[a&&b].txt", "&.txt", True),
        ("[a-c", "[a-c", True),
        ("a[!x]b", "a/b", False),
        ("(a+b).txt", "(a+b).txt", True),
        ("2024/*.csv", "2024/a.csv", True),
        ("2024/*.csv", "old/2024/a.csv", False),
        ("2024/*.csv", "2024/deep/a.csv", False),
        ("2024/**/*.csv", "2024/a.csv", True),
        ("2024/**/*.csv", "2024/deep/er/a.csv", True),
        ("**/2024/*.csv", "old/2024/a.csv", True),
        ("2024/**", "2024/deep/a.csv", True),
        ("2024/**", "2024", False),
        ("2024/", "old/2024/a.csv", True),
        ("2024/", "2024", False),
        ("/a.csv", "a.csv", True),
        ("/a.csv", "in/a.csv", False),
        ("./a.csv", "a.csv", True),
        ("**", "any/thing", True),
        ("/", "a", False),
        ("*", "any/thing", True),
        ("ü*.csv", "in/Übung.csv", True),
        ("*line*", "two\nlines", True),
    ],
)
def test_only(pattern: str, path: str, *, expected: bool) -> None:
    assert says(only(pattern), path) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        (".git", ".git/config", True),
        (".git", "deep/.git/objects/ab", True),
        (".git", ".gitignore", False),
        (".git/**", ".git/objects/ab", True),
        (".git/**", "deep/.git/config", False),
        ("~*", "deep/~lock.csv", True),
        ("~*", "lock~.csv", False),
        ("*.bak; node_modules", "a/node_modules/b/c.js", True),
        ("*.bak; node_modules", "a/b.bak", True),
        ("*.bak; node_modules", "a/b.js", False),
        ("build/out", "build/out/a", True),
        ("build/out", "build/outer", False),
    ],
)
def test_neither(pattern: str, path: str, *, expected: bool) -> None:
    assert says(neither(pattern), path) is expected


def test_many_asterisks_are_matched_quickly() -> None:
    assert not says(only("*a*a*a*a*a*a*a*a*a*a*a*b"), "a" * 250)


@example("[?--]", "")
@given(st.text('ab*?[]!-;/. "\\^&~|', max_size=12), st.text("ab/.", max_size=12))
def test_every_text_gives_a_predicate_or_none(pattern: str, path: str) -> None:
    for match in (only(pattern), neither(pattern)):
        assert match is None or isinstance(match(path), bool)
