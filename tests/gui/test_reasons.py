"""A reason is a code with arguments, shown in the user's language."""

from __future__ import annotations

import ast
import errno
from pathlib import Path
from typing import TYPE_CHECKING

import desktop_app
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import Sentence
from desktop_app.gui.i18n import reason_text, translated
from desktop_app.sources.local import file_error
from tests.helpers.pseudo import pseudo, speaking

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

PACKAGE = Path(desktop_app.__file__).parent
KNOWN_ERRORS = {
    *("KnownError", "UsageError", "SettingsError", "StoreError", "StoreBusyError", "StoreFullError"),
    *("StoreDamagedError", "QueueError"),
}
LAYERS = ("processing", "sources", "services", "store", "config", "bootstrap.py")


def test_reason_is_shown_translated(qapp: QApplication) -> None:
    with speaking(qapp):
        assert reason_text(Reason(ReasonCode.FILE_GONE)) == pseudo("The file no longer exists")
    assert reason_text(None) == ""


def test_ending_of_a_reason_and_its_sentence_are_both_translated(qapp: QApplication) -> None:
    away = Reason(ReasonCode.NOT_DELIVERED)
    with speaking(qapp):
        assert reason_text(away.tried_again(2, 5)) == pseudo("{reason}; attempt {next} of {most} will follow").format(
            reason=pseudo(away.code.template), next=2, most=5
        )
        assert reason_text(away.given_up(5)) == pseudo("{reason} (gave up after {tries} attempts)").format(
            reason=pseudo(away.code.template), tries=5
        )


def test_text_of_the_system_is_unchanged_but_can_not_break_a_line(qapp: QApplication) -> None:
    reason = file_error(OSError(errno.ENOTSUP, "The file no longer exists\n{x}")).reason
    with speaking(qapp):
        said = reason_text(reason)
    assert said == pseudo("The system can't read this file: {why}").format(why="The file no longer exists\\n{x}")


def test_name_equal_to_a_text_is_not_translated(qapp: QApplication) -> None:
    with speaking(qapp):
        assert translated(Sentence("{file} can't be read: {why}.", file="All", why="x")) == pseudo(
            "{file} can't be read: {why}."
        ).format(file="All", why="x")


def test_path_in_a_text_from_right_to_left_keeps_its_direction(qapp: QApplication) -> None:
    with speaking(qapp, rtl=True):
        said = translated(Sentence("{file} can't be read: {why}.", file="/in/a (1).txt", why="gone"))
    assert "\N{FIRST STRONG ISOLATE}/in/a (1).txt\N{POP DIRECTIONAL ISOLATE}" in said


def test_text_of_another_version_is_unchanged(qapp: QApplication) -> None:
    with speaking(qapp):
        assert reason_text(Reason(ReasonCode.TEXT, {"text": "No code says {this}"})) == "No code says {this}"


def test_every_error_number_has_a_translatable_text(qapp: QApplication) -> None:
    with speaking(qapp):
        for number in errno.errorcode:
            reason = file_error(OSError(number, "Made up")).reason
            assert reason_text(reason) != str(reason), reason


def test_texts_of_the_layers_for_users_can_be_translated() -> None:
    """Each text of an error shown to the user is a `Sentence` or another error's text."""
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
    """Return the texts of a call that the user reads."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    return call.args[:1] if name in KNOWN_ERRORS else []


def _is_plain(text: ast.expr) -> bool:
    return isinstance(text, ast.JoinedStr) or (isinstance(text, ast.Constant) and bool(text.value))
