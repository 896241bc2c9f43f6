"""What the filter box offers to complete, and the popup that shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from desktop_app.domain.job import Status
from desktop_app.domain.reasons import FileProblem, ReasonCode
from desktop_app.domain.search import SYNTAX, Key, KnownValues, ResultKey
from desktop_app.domain.search_parser import TERM
from desktop_app.domain.sentences import display_text
from desktop_app.gui.filtering.search_names import answer_words, field_meaning, key_words, search_names, time_words
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.wording import status_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.fields import ResultField
    from desktop_app.domain.search_parser import Names
    from desktop_app.gui.theme.theme import Theme


class Completion(NamedTuple):
    """A text that can replace what the user is typing.

    Attributes:
        text: The text to show.
        note: What it means; may be empty.
        term: The whole word or condition to insert.
    """

    text: str
    note: str
    term: str

    @property
    def is_key(self) -> bool:
        """Whether a value has to follow."""
        return self.term.endswith(":")


_FEWEST_LETTERS = 2
"""The number of letters of a key after which it is offered. With fewer, most words would open the popup."""


def term_at(text: str, cursor: int) -> tuple[int, int]:
    """Return the start and the end of the word or condition in front of the cursor; an empty range if there is none."""
    for match in TERM.finditer(text):
        if match.start() < cursor <= match.end():
            return match.span()
    return cursor, cursor


def completions(typed: str, values: KnownValues, fields: Sequence[ResultField] = ()) -> list[Completion]:
    """Return the completions of a word or condition, up to the cursor.

    Args:
        typed: The text.
        values: Values of files on the list.
        fields: The fields of results.
    """
    names = search_names(fields)
    minus = "-" if typed.startswith("-") else ""
    name, colon, value = typed.removeprefix("-").partition(":")
    if not colon:
        return _keys(name, minus, names)
    key = names.key(name)
    if key is None:
        return []
    before = f"{minus}{name}:"
    plain = value.replace('"', "")
    done: list[str] = []
    if key in {Key.TYPE, Key.STATUS, Key.PROCESSOR}:
        *done, plain = plain.split(",")
        before += "".join(f"{each}," for each in done)
    wanted = plain.casefold().lstrip(".") if key is Key.TYPE else plain.casefold()
    known = _field_values(names.fields[key.name]) if isinstance(key, ResultKey) else _values(key, values)
    offered = [pair for pair in known if wanted in pair[0].casefold() and pair[0] not in done]
    offered.sort(key=lambda pair: not pair[0].casefold().startswith(wanted))
    if len(offered) == 1 and offered[0][0].casefold() == wanted:
        return []
    return [Completion(display_text(text), note, before + _quoted(text)) for text, note in offered]


def _keys(name: str, minus: str, names: Names) -> list[Completion]:
    if len(name) < _FEWEST_LETTERS:
        return []
    meanings = {key: translated(meaning) for key, meaning, _ in SYNTAX}
    offered = [(word, meanings[key]) for key, word in key_words().items()]
    offered += [(names.word(field.name), field_meaning(field)) for field in names.fields.values()]
    return [
        Completion(f"{minus}{word}:", meaning, f"{minus}{word}:")
        for word, meaning in offered
        if word.casefold().startswith(name.casefold())
    ]


def _quoted(text: str) -> str:
    """Return a value as it has to be typed. There is no way to type a quote in quotes, so its longest part is used."""
    if '"' in text:
        text = max(text.split('"'), key=len)
    return f'"{text}"' if re.search(r"[\s*?,]", text) else text


def _values(key: Key, values: KnownValues) -> Sequence[tuple[str, str]]:
    """Return the values to offer for a key, each with its meaning."""
    match key:
        case Key.STATUS:
            return [(status_word(status).lower(), "") for status in Status]
        case Key.TYPE | Key.BATCH | Key.WORKER | Key.PROCESSOR:
            names = {
                Key.TYPE: values.types,
                Key.BATCH: [name for name in values.batches if name.strip('"')],
                Key.WORKER: values.computers,
                Key.PROCESSOR: values.processors,
            }
            return [(name, "") for name in names[key]]
        case Key.REASON:
            return [(str(problem), _meaning(problem)) for problem in FileProblem]
        case Key.SIZE | Key.LINES | Key.ATTEMPTS | Key.TOOK:
            return _numbers(key)
        case Key.ADDED | Key.FINISHED:
            return _times()
        case _:
            return []


def _meaning(problem: FileProblem) -> str:
    """Return the first reason of a problem, without values."""
    code = next(code for code in ReasonCode if code.problem is problem)
    return translated(code.singular or code.template).partition("{")[0].rstrip(" :")


def _field_values(field: ResultField) -> Sequence[tuple[str, str]]:
    """Return the values to offer for a field of results, each with its meaning."""
    if field.kind is bool:
        return [(words.split()[0], "") for words in answer_words().values()]
    if field.is_size:
        return [(">10MB", tr("More than 10 MB")), ("1MB..2GB", tr("From 1 MB to 2 GB"))]
    if field.is_number:
        return [("0", ""), (">0", tr("More than 0")), ("1..10", tr("From 1 to 10"))]
    return []


def _numbers(key: Key) -> Sequence[tuple[str, str]]:
    minute = time_words()["m"].split()[0]
    offered = {
        Key.SIZE: [
            (">10MB", tr("More than 10 MB")),
            ("<1kB", tr("Less than 1 kB")),
            ("1MB..2GB", tr("From 1 MB to 2 GB")),
            ("0", tr("Empty files")),
        ],
        Key.LINES: [
            ("0", tr("No lines")),
            (">1000", tr("More than 1,000 lines")),
            ("1..10", tr("From 1 to 10 lines")),
        ],
        Key.ATTEMPTS: [(">1", tr("More than one attempt")), ("0", tr("Never started"))],
        Key.TOOK: [
            (f">1{minute}", tr("More than a minute")),
            ("<1s", tr("Less than a second")),
            (f"10s..2{minute}", tr("From 10 seconds to 2 minutes")),
        ],
    }
    return offered[key]


def _times() -> Sequence[tuple[str, str]]:
    words = time_words()
    hour, day = words["h"].split()[0], words["d"].split()[0]
    return [
        (words["today"], ""),
        (words["yesterday"], ""),
        (f"2{hour}", tr("In the last two hours")),
        (f"7{day}", tr("In the last seven days")),
        (f">7{day}", tr("More than seven days ago")),
        ("2026-11-27", tr("On a day")),
        (f"{words['yesterday']}..{words['today']}", tr("From one day to another")),
    ]


_MOST_ROWS = 8

_ROOM = 28
"""The width of the margins of both columns, the border and a scroll bar, in pixels."""

_GAP, _EDGE = 4, 8


class CompletionPopup(QTreeWidget):
    """The list of completions under the filter box, which keeps the focus.

    It is a child of the window, so that it neither takes the focus nor the keyboard from the box.

    Signals:
        picked(Completion): A completion was clicked.

    Args:
        box: The filter box.
        theme: The colours.
    """

    picked = Signal(object)

    def __init__(self, box: QWidget, theme: Theme) -> None:
        super().__init__(box)
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self._box = box
        self._theme = theme
        self._offered: list[Completion] = []
        self.setObjectName("completions")
        self.setAccessibleName(tr("Suggestions"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.header().setStretchLastSection(True)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.itemClicked.connect(lambda item: self.picked.emit(self._offered[self.indexOfTopLevelItem(item)]))
        self.hide()

    def offer(self, offered: Sequence[Completion]) -> None:
        """Show completions, or hide if there are none. None of them is selected."""
        self._offered = list(offered)
        if not offered:
            self.hide()
            return
        self.clear()
        muted = QBrush(QColor(self._theme.colours.muted))
        for text, note, _ in offered:
            item = QTreeWidgetItem([text, note])
            item.setForeground(1, muted)
            self.addTopLevelItem(item)
        self.setCurrentIndex(QModelIndex())
        self._place()
        self.show()
        self.raise_()

    def _place(self) -> None:
        window = self._box.window()
        if self.parentWidget() is not window:
            self.setParent(window)
        self.ensurePolished()
        widths = [self.sizeHintForColumn(column) for column in range(self.columnCount())]
        width = min(max(sum(widths) + _ROOM, self._box.width()), window.width() - 2 * _EDGE)
        rows = min(len(self._offered), _MOST_ROWS)
        corner = self._box.mapTo(window, QPoint(0, self._box.height() + _GAP))
        height = rows * self.sizeHintForRow(0) + self.height() - self.viewport().height()
        left = max(_EDGE, min(corner.x(), window.width() - width - _EDGE))
        self.setGeometry(left, corner.y(), width, min(height, window.height() - corner.y() - _EDGE))

    @property
    def current(self) -> Completion | None:
        """Return the selected completion."""
        row = self.currentIndex().row()
        return self._offered[row] if self.isVisible() and 0 <= row < len(self._offered) else None

    @property
    def first(self) -> Completion:
        """Return the first completion."""
        return self._offered[0]

    def move_by(self, step: int) -> None:
        """Select the next or the previous completion, with nothing selected between the last and the first one."""
        places = len(self._offered) + 1
        row = (self.currentIndex().row() + 1 + step) % places - 1
        self.setCurrentIndex(self.model().index(row, 0) if row >= 0 else QModelIndex())
