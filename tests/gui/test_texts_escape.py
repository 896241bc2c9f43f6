"""Every text of the window is translated: checked in the source code, since no run shows every text."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import desktop_app.gui

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(desktop_app.gui.__file__).parent
DOORS = {"tr", "mark", "translated", "Sentence"}
SHOWING = {
    *("setText", "setWindowTitle", "setTitle", "setToolTip", "setStatusTip", "setWhatsThis", "setPlaceholderText"),
    *("setAccessibleName", "setAccessibleDescription", "setInformativeText", "setDetailedText", "setIconText"),
    *("setHorizontalHeaderLabels", "setLabelText", "setSuffix", "setPrefix", "setSpecialValueText", "showMessage"),
    *("addAction", "addMenu", "addButton", "addTab", "addItem", "addItems", "addRow", "addSection"),
    *("QLabel", "QPushButton", "QAction", "QCheckBox", "QRadioButton", "QGroupBox", "QMenu", "QToolBar"),
    *("Notice", "NoticeAction", "NoticeBar", "Section", "Strip", "ConnectionText", "Problem", "EntryFacts", "Summary"),
    *("PairsDialog", "QAccessibleAnnouncementEvent"),
}
"""Calls whose arguments the user reads."""
SILENT = {
    "OSError",
    *("debug", "info", "warning", "error", "exception", "critical", "setObjectName", "ValueError", "RuntimeError"),
    *(
        "setDefaultStyleSheet",
        "FileNotFoundError",
        "TypeError",
        "LookupError",
        "compile",
        "Slot",
        "Property",
        "TypeVar",
        "getLogger",
        "resource",
    ),
}
"""Calls whose arguments are not shown in the window: logs and bugs are in English."""
QUIET_FILES = {
    "display.py": "said on the terminal, before there is a Qt",
    "qt_runtime.py": "for the log",
    "theme.py": "names of fonts, rules for Qt",
}
QUIET_TEXTS = {
    "yyyy-MM-dd HH.mm.ss",
    "the window's tasks",
    "changes to the list",
    "<br>",
    '<div style="white-space: {}">{}</div>',
    '<table cellpadding="4">\n{}</table>',
    "Filemill",
    "{}{}{}{}Filemill",
    "{}{}{}Filemill",
}
QUIET_TEXTS |= {
    "{} further ones are in the log.",
    "The queue is being asked…",
    "yyyy-MM-dd HH:mm:ss.zzz",
    "http://localhost:9324",
    "MAGICK_HOME; LANG",
}
"""Formats, names for the log, texts of reports (in English like the log), the program's name, examples."""
QUIET_ARGUMENTS = {("PairsDialog", "name")}
"""Names under which something is saved."""
_WORD = re.compile(r"[^\W\d_]{2}")
_SENTENCE = re.compile(r"[^\W\d_]{2,}[,;:]? [^\W\d_]{2,}")


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_text_is_translated(path: Path) -> None:
    if path.name in QUIET_FILES:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = sorted(
        {(text.lineno, _literal(text)) for text in _Reader().read(tree) if _literal(text) not in QUIET_TEXTS}
    )
    assert not found, "\n".join(f"{path.name}:{line}: {text!r}" for line, text in found)


class _Reader:
    """Finds the texts in a module that are or seem to be shown but are not translated."""

    def read(self, tree: ast.AST, *, is_shown: bool = False) -> Iterator[ast.Constant | ast.JoinedStr]:
        for node in ast.iter_child_nodes(tree):
            if isinstance(node, ast.Call):
                yield from self._call(node, is_shown=is_shown)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue  # a docstring
            elif isinstance(node, (ast.Constant, ast.JoinedStr)):
                if _is_text(node, is_shown=is_shown):
                    yield node
                if isinstance(node, ast.JoinedStr):
                    for part in node.values:
                        if isinstance(part, ast.FormattedValue):
                            yield from self.read(part, is_shown=False)
            elif isinstance(node, (ast.Compare, ast.Subscript)) or _is_annotation(node, tree):
                yield from self.read(node)  # compared or looked-up texts are not shown
            else:
                yield from self.read(node, is_shown=is_shown)

    def _call(self, call: ast.Call, *, is_shown: bool) -> Iterator[ast.Constant | ast.JoinedStr]:
        name = _name_of_call(call)
        if name in DOORS:
            yield from (found for argument in call.args[2:] for found in self.read(argument))
            return
        if name in SILENT:
            return
        yield from self.read(call.func, is_shown=is_shown and name in {"format", "join"})
        named = [keyword.value for keyword in call.keywords if (name, keyword.arg) not in QUIET_ARGUMENTS]
        inner = ast.Tuple([*call.args, *named], ast.Load())
        yield from self.read(inner, is_shown=name in SHOWING or (is_shown and name in {"format", "join", "replace"}))


def _is_annotation(node: ast.AST, parent: ast.AST) -> bool:
    return node in {getattr(parent, "annotation", None), getattr(parent, "returns", None)}


def _literal(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(_literal(part) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def _is_text(node: ast.Constant | ast.JoinedStr, *, is_shown: bool) -> bool:
    text = _literal(node)
    return bool((_WORD if is_shown else _SENTENCE).search(text.replace("{}", "")))


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_sentence_of_a_known_error_is_translated(path: Path) -> None:
    found = [
        f"{path.name}:{part.lineno}: {ast.unparse(part)}"
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and _name_of_call(call) in SHOWING
        for part in (*call.args, *(word.value for word in call.keywords))
        if isinstance(part, ast.Attribute) and part.attr == "text" and ast.unparse(part.value) == "error"
    ]
    assert not found


def _name_of_call(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
