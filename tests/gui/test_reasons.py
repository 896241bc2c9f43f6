"""A reason lies in the database as a plain English text, and the window shows it in the person's language."""

from __future__ import annotations

import ast
import errno
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import desktop_app
from desktop_app.domain.errors import FileError, FileProblem
from desktop_app.domain.job import display_text
from desktop_app.domain.sentences import Sentence
from desktop_app.gui.i18n import match, templates, translated
from desktop_app.sources.local import file_error
from tests.pseudo import pseudo, speaking

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

PACKAGE = Path(desktop_app.__file__).parent
KNOWN_ERRORS = {
    *("KnownError", "UsageError", "SettingsError", "StoreError", "StoreBusyError", "StoreFullError"),
    *("StoreDamagedError", "QueueError", "FileError", "_RefusedError"),
}
_PART = re.compile(r"\{\w+\}")
LAYERS = ("processing", "sources", "services", "store", "config", "bootstrap.py")


def test_stored_reason_is_shown_translated(qapp: QApplication) -> None:
    error = file_error(OSError(errno.ENOENT, os.strerror(errno.ENOENT)))
    with speaking(qapp):
        assert translated(str(error)) == pseudo("The file is no longer there")


def test_reason_with_values_is_recognised_and_what_it_holds_is_translated_too(qapp: QApplication) -> None:
    away = "The disk or network share that holds this file did not deliver it"
    stored = f"{away}; try 2 of 5 follows"
    with speaking(qapp):
        assert translated(stored) == pseudo("{reason}; try {next} of {most} follows").format(
            reason=pseudo(away), next=2, most=5
        )
        assert translated(display_text(stored)) == translated(stored)


def test_what_the_system_said_stays_as_it_is(qapp: QApplication) -> None:
    with speaking(qapp):
        said = translated("The system can't read this file: Operation not supported")
    assert said == pseudo("The system can't read this file: {why}").format(why="Operation not supported")


def test_name_that_happens_to_be_one_of_our_texts_is_not_translated(qapp: QApplication) -> None:
    with speaking(qapp):
        assert translated(Sentence("{file} can't be read: {why}.", file="All", why="x")) == pseudo(
            "{file} can't be read: {why}."
        ).format(file="All", why="x")


def test_path_in_a_text_from_right_to_left_keeps_its_direction(qapp: QApplication) -> None:
    with speaking(qapp, rtl=True):
        said = translated(Sentence("{file} can't be read: {why}.", file="/in/a (1).txt", why="gone"))
    assert "\N{FIRST STRONG ISOLATE}/in/a (1).txt\N{POP DIRECTIONAL ISOLATE}" in said


def test_text_of_another_version_stays_as_it_is(qapp: QApplication) -> None:
    assert match("Something that no version has said") is None
    assert translated("Something that no version has said") == "Something that no version has said"


@pytest.mark.parametrize("template", sorted(templates()))
def test_text_made_from_a_template_finds_back_to_it(template: str) -> None:
    filled = Sentence(template, **{name: f"a value {at}" for at, name in enumerate(_names(template))})
    found = match(str(filled))
    assert found is not None
    # Two that differ in the names of their values only are as good as one.
    assert _PART.sub("{}", found.template) == _PART.sub("{}", template)
    assert found.template.format(**found.values) == filled


def _names(template: str) -> list[str]:
    return [part.split("}")[0] for part in template.split("{")[1:]]


def test_every_number_of_the_system_gives_a_text_that_can_be_translated(qapp: QApplication) -> None:
    with speaking(qapp):
        for number in errno.errorcode:
            text = str(file_error(OSError(number, "Made up")))
            assert translated(text) != text, text


def test_what_the_layers_say_to_a_person_can_be_translated() -> None:
    """Each text given to an error that a person sees, and each reason, is a sentence or another error's text."""
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for layer in LAYERS
        for path in _files(layer)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and any(_is_plain(text) for text in _said(node))
    ]
    assert not found


def _files(layer: str) -> list[Path]:
    return [PACKAGE / layer] if layer.endswith(".py") else sorted((PACKAGE / layer).rglob("*.py"))


def _said(call: ast.Call) -> list[ast.expr]:
    """What a call lets a person read."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    said = [keyword.value for keyword in call.keywords if keyword.arg == "reason"] if name != "Sentence" else []
    if name in KNOWN_ERRORS and call.args:
        said.append(call.args[-1] if name == "FileError" else call.args[0])
    return said


def _is_plain(text: ast.expr) -> bool:
    return isinstance(text, ast.JoinedStr) or (isinstance(text, ast.Constant) and bool(text.value))


def test_reason_of_a_job_keeps_its_translation_through_the_error() -> None:
    assert isinstance(FileError(FileProblem.MISSING, Sentence("The file is no longer there")).text, Sentence)
