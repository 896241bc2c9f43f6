"""Texts that are shown or copied."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from desktop_app.domain.sentences import command_line

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
