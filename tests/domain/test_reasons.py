"""The stored codes of reasons, and the sentences made from them."""

from __future__ import annotations

import re

import pytest

from desktop_app.domain.reasons import ENDINGS, Reason, ReasonCode, reasons_containing
from desktop_app.domain.sentences import Sentence
from desktop_app.store.backends.sqlite_functions import in_arguments
from desktop_app.store.rows import reason_columns, reason_of

ARGUMENTS: dict[str, str | int] = {
    "why": "“it” said {no}: caf\u00e9\n",
    "name": "a \\ b",
    "count": 7,
    "text": "As it is",
    "place": "/mnt/my share",
    "exit_code": 3,
    "signal": "SIGSEGV",
    "processor": "pdf",
    "computer": "this computer",
    "others": "another computer",
    "seconds": 600,
    "kind": "SHA-256",
    "expected": "00",
    "found": "ff",
    "plugin": "words",
    "list": "SHA256SUMS",
}


def with_arguments(code: ReasonCode) -> Reason:
    names = re.findall(r"\{(\w+)\}", code.template)
    return Reason(code, {name: ARGUMENTS[name] for name in names})


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_is_stored_and_read_back_with_its_sentence(code: ReasonCode) -> None:
    assert re.fullmatch(r"[a-z][a-z_]{0,30}[a-z]", code)
    reason = with_arguments(code)
    for kept in (reason, reason.given_up(5), reason.tried_again(2, 5)):
        read = reason_of(*reason_columns(kept).values())
        assert read == kept
        assert str(read) == str(kept)
        assert read.code is code
        assert read.cause == reason


def test_sentence_ends_with_the_further_attempts() -> None:
    reason = Reason(ReasonCode.IN_USE)
    assert str(reason) == "Another program is using this file"
    assert str(reason.given_up(5)) == "Another program is using this file (gave up after 5 attempts)"
    assert str(reason.tried_again(2, 5)) == "Another program is using this file; attempt 2 of 5 will follow"
    assert reason.given_up(5).sentence.values["reason"] == Sentence("Another program is using this file")


def test_singular_and_plural_differ() -> None:
    once, twice = (str(Reason(ReasonCode.DEAD_LETTERED, {"count": count})) for count in (1, 2))
    assert "one delivery" in once
    assert "2 deliveries" in twice


def test_empty_reason_is_none() -> None:
    assert reason_columns(None) == {"reason_code": "", "reason_args": ""}
    assert reason_of("", "") is None


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("of_another_version", ""),
        ("of_another_version", '{"why": "x"}'),
        ("system_error", ""),
        ("system_error", '{"template": "x"}'),
        ("system_error", "[]"),
        ("system_error", "[1]"),
        ("system_error", "{"),
        ("in_use", '{"next": 2}'),
        ("system_error", '{"why": "\\ud800"}'),
        ("system_error", "[" * 100_000),
        ("crashed_often", '{"count": ' + "9" * 5_000 + "}"),
    ],
)
def test_unknown_text_is_shown_unchanged(code: str, arguments: str) -> None:
    reason = reason_of(code, arguments)
    assert reason is not None
    assert reason.code is ReasonCode.TEXT
    assert str(reason) == f"{code} {arguments}".strip()
    assert in_arguments(arguments, "nobody looks for this") is False


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("NO LONGER EXISTS", {"file_gone", "path_broken", "folder_gone"}),
        ("queue after one", {"dead_lettered"}),
        ("gave up", {"tries"}),
        ("will follow", {"next"}),
        ("{why}", set()),
        ("why", set()),
        ("count", set()),
    ],
)
def test_words_are_found_in_sentences_but_not_in_argument_names(text: str, said: set[str]) -> None:
    assert reasons_containing(text) == said


def test_words_are_found_in_translated_sentences() -> None:
    german = {ReasonCode.FILE_GONE.template: "Die Datei ist nicht mehr da", ENDINGS["tries"]: "{reason} (nach {tries})"}
    assert reasons_containing("(nach", lambda template: german.get(template, template)) == {"tries"}
    assert reasons_containing("DATEI", lambda template: german.get(template, template)) == {"file_gone"}
