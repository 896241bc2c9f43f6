"""Names, texts, comments and documents use the words of the AWS, Qt and SQLite documentation, not private metaphors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
BANNED = {
    "bench",
    "chore",
    "desk",
    "hall",
    "hands",
    "keeper",
    "lane",
    "mail",
    "mill",
    "office",
    "shelf",
    "stage",
    "switchboard",
    "whereabouts",
    "wish",
    "workbench",
}
PATTERNS = ("desktop_app/**/*.py", "tests/**/*.py", "resources/**/*.py", "*.md", "*.spec", "*.toml", "Makefile")


class AllowedUse(NamedTuple):
    """A technical use of a banned word.

    Attributes:
        pattern: A regular expression; matching text is not checked.
        reason: Why no other word can be used.
    """

    pattern: str
    reason: str


ALLOWED = (
    AllowedUse(r"\be-mail\b", "addresses that a support report masks"),
    AllowedUse(r"\bmake bench\b|^bench:|^(?:\.PHONY|run-sqs test)\b.*", "the usual name of a Makefile's target"),
    AllowedUse(r"LibreOffice|\boffice:value-type\b", "a program, and the namespace of its OpenDocument files"),
    AllowedUse(r"\bmill-song\.txt\b.*", "a sample file: a song about a mill"),
)
_ALLOWED = re.compile("|".join(f"(?:{use.pattern})" for use in ALLOWED), re.MULTILINE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
FORMS = {word + ending: word for word in BANNED for ending in ("", "s", "es")} | {"shelves": "shelf"}
FILES = {
    path.relative_to(ROOT).as_posix(): path
    for pattern in PATTERNS
    for path in sorted(ROOT.glob(pattern))
    if path != Path(__file__).resolve()
}


def banned_words(text: str) -> list[str]:
    """Return `line: word: text` for each banned word, also inside snake_case and CamelCase names."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = {word.lower() for word in _WORD.findall(_ALLOWED.sub(" ", line))}
        banned = {FORMS[word] for word in words & FORMS.keys()}
        found += [f"{number}: {word}: {line.strip()[:100]}" for word in sorted(banned)]
    return found


def banned_words_in(name: str) -> list[str]:
    """Return the banned words of a file: in its path and in its text."""
    return banned_words(name) + banned_words(FILES[name].read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_file_has_no_banned_word(name: str) -> None:
    assert banned_words_in(name) == []


@pytest.mark.parametrize("use", ALLOWED, ids=lambda use: use.pattern)
def test_allowed_use_still_occurs(use: AllowedUse) -> None:
    pattern = re.compile(use.pattern, re.MULTILINE)
    assert any(pattern.search(path.read_text(encoding="utf-8")) for path in FILES.values())


@pytest.mark.parametrize(
    "text",
    [
        "class Workbench:",
        "self._hands = 1",
        "the ListDesk",
        "MAIL_OFFICE = 1",
        "# a wish",
        "wishes",
        "two shelves",
        "e-mail of the keeper",
    ],
)
def test_banned_word_is_found_inside_names(text: str) -> None:
    assert banned_words(text) != []


@pytest.mark.parametrize("text", ["Filemill", "desktop", "milliseconds", "an e-mail address", "finished", "benchmark"])
def test_technical_word_is_not_banned(text: str) -> None:
    assert banned_words(text) == []
