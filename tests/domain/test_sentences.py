"""Texts that are shown or copied."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest

from desktop_app.domain.errors import KnownError
from desktop_app.domain.sentences import Sentence, command_line, foreign_text

ARGUMENTS = [
    "prod",
    "two words",
    "it's mine",
    'the "best"',
    "$HOME",
    "`id`",
    "$(id)",
    "a;id",
    "a && b | c > d",
    "-x",
    "--help",
    "Ärger-名前",
    "*",
    "~",
    "#1",
    "!x",
    "back\\slash",
    "tab\there",
    "%PATH%",
    "",
]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("argument", ARGUMENTS)
def test_pasted_command_has_the_same_arguments_in_a_posix_shell(argument: str) -> None:
    script = f'set -- {command_line(["aws", "--profile", argument])}; printf \'%s\\n\' "$#" "$@"'
    printed = subprocess.check_output(["/bin/sh", "-c", script], env={**os.environ, "HOME": "/home/u"})
    assert printed.decode().split("\n")[:-1] == ["3", "aws", "--profile", *argument.split("\n")]


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("prod", "prod"),
        ("two words", '"two words"'),
        ("it's mine", '"it\'s mine"'),
        ("a;b", '"a;b"'),
        ("a&b|c", '"a&b|c"'),
        ("Ärger", '"Ärger"'),
        ("", '""'),
        ("$HOME", "'$HOME'"),
        ("it's $5", "'it''s $5'"),
        (
            "it\N{RIGHT SINGLE QUOTATION MARK}s $5",
            "'it\N{RIGHT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}s $5'",
        ),
        ("`id`", "'`id`'"),
        ("100%", "'100%'"),
        ('the "best"', "'the \"best\"'"),
        ("C:\\x y\\", "'C:\\x y\\'"),
        ("--profile=-x", "--profile=-x"),
    ],
)
def test_command_is_quoted_for_the_shells_of_windows(argument: str, text: str) -> None:
    assert command_line(["aws", argument], platform="win32") == f"aws {text}"


HOSTILE = "A\x1b[31mPWN\x1b]0;title\x07\r\nFORGED LINE\u202e\u2028"
SHOWN = r"A\x1b[31mPWN\x1b]0;title\x07\r\nFORGED LINE\u202e\u2028"


def test_text_inserted_into_a_sentence_becomes_one_printable_line() -> None:
    sentence = Sentence("The server said: {said}.", said=HOSTILE)
    assert sentence == f"The server said: {SHOWN}."
    assert sentence.values == {"said": SHOWN}


def test_exception_inserted_into_a_sentence_becomes_one_printable_line() -> None:
    assert Sentence("{reason}", reason=ValueError(HOSTILE)) == SHOWN


def test_sentence_inserted_into_a_sentence_keeps_its_translation() -> None:
    inner = Sentence("in {region}", region="eu-west-1")
    assert Sentence("Queues {place}", place=inner).values["place"] is inner


def test_every_text_of_a_known_error_is_one_printable_line() -> None:
    error = KnownError(HOSTILE, title=HOSTILE, detail=HOSTILE)
    assert (error.title, error.body, error.detail) == (SHOWN, SHOWN, SHOWN)
    assert str(error) == error.text == f"{SHOWN}. {SHOWN}"


def test_middle_of_a_very_long_text_is_left_out() -> None:
    shown = foreign_text("begin" + "x" * 1_000_000 + "end")
    assert len(shown) < 1000
    assert shown.startswith("beginxxx")
    assert shown.endswith("xxxend")
    assert " … " in shown


def test_pickled_sentence_is_the_same() -> None:
    sentence = Sentence.unchanged("{name}", name=HOSTILE)
    again = pickle.loads(pickle.dumps(sentence))
    assert (again, again.values) == (sentence, sentence.values)
