"""The help, which needs no network: its text is in `resources/help`, and its lists come from the program."""

from __future__ import annotations

import html
import re
from string import Template
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QAction, QColor, QKeySequence, QTextCharFormat, QTextCursor, QTextDocument, QTextOption
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTextBrowser,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from desktop_app.config.paths import resource
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import WindowPlace, spaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from PySide6.QtGui import QKeyEvent, QResizeEvent

    from desktop_app.gui.theme.theme import Theme


_SIZE = (820, 620)
_MIN_SIZE = (320, 260)
_CONTENTS_WIDTH = 210
_NARROW = 560
"""Below this width, the table of contents is hidden."""
_HEADING = re.compile(r'<h2><a name="(\w+)"></a>(.*?)</h2>')
_MARKS_AT_MOST = 500
_SECTION_LEVEL = 2
_NEAR_TOP = 24
"""The distance from the top of the view within which a heading is shown as being at the top."""
_SECTION = Qt.ItemDataRole.UserRole


class HelpWindow(QDialog):
    """Shows the help with a table of contents, and finds words in it.

    Attributes:
        contents, page, words, found: The table of contents, the text, the box for words to find, and their number.

    Args:
        places: The paths to show, by the names in the text: `database`, `settings_file` and `logs`.
        actions: The actions whose keys are shown in the text, by name.
        syntax: What can be typed into the filter box: examples, and what they find.
        shortcuts: The actions and keys to list.
        theme: The colours.
        parent: The parent.
    """

    def __init__(
        self,
        places: Mapping[str, str],
        actions: Mapping[str, QAction],
        syntax: Iterable[tuple[str, str]],
        shortcuts: Iterable[tuple[str, str]],
        theme: Theme,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setWindowTitle(tr("Filemill Help"))
        self._html = _filled(_page(), places, actions, syntax, shortcuts)
        self.words = _WordsBox(self)
        self.found = QLabel(self)
        self.found.setObjectName("detailsCaption")
        self.contents = QListWidget(self)
        self.contents.setObjectName("helpContents")
        self.contents.setAccessibleName(tr("Contents"))
        self.contents.setFrameShape(QFrame.Shape.NoFrame)
        self.contents.setFixedWidth(_CONTENTS_WIDTH)
        self.contents.setWordWrap(True)
        self.contents.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for name, title in _HEADING.findall(self._html):
            item = QListWidgetItem(html.unescape(title), self.contents)
            item.setData(_SECTION, name)
        self.contents.setCurrentRow(0)
        self.page = QTextBrowser(self, openLinks=False)
        self.page.setObjectName("helpPage")
        self.page.setAccessibleName(tr("Filemill Help"))
        self.page.setFrameShape(QFrame.Shape.NoFrame)
        self.page.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.page.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)  # long paths
        self.page.document().setDocumentMargin(18)
        top = spaced(QHBoxLayout(), 8, (12, 10, 12, 10))
        top.addWidget(self.words, 1)
        top.addWidget(self.found)
        row = spaced(QHBoxLayout(), 0)
        row.addWidget(self.contents)
        row.addWidget(self.page, 1)
        column = spaced(QVBoxLayout(self), 0)
        column.addLayout(top)
        column.addLayout(row, 1)
        self.contents.currentItemChanged.connect(self._show_chosen)
        self.contents.itemClicked.connect(self._show_chosen)  # again, after scrolling away
        self.words.textChanged.connect(self._find_first)
        self.words.step_requested.connect(self.find_words)
        for keys, slot in ((QKeySequence.StandardKey.Find, self.words.take_focus), ("F3", lambda: self.find_words(1))):
            action = QAction(self)
            action.setShortcut(QKeySequence(keys))
            action.triggered.connect(slot)
            self.addAction(action)
        self.page.verticalScrollBar().valueChanged.connect(self._mark_section)
        theme.changed.connect(self._draw)
        self._draw()
        self.setMinimumSize(*_MIN_SIZE)
        WindowPlace(self, "help", _SIZE)
        self.page.setFocus()

    def show_section(self, name: str) -> None:
        """Show a section by its name in the text."""
        for number in range(self.contents.count()):
            if self.contents.item(number).data(_SECTION) == name:
                self.contents.setCurrentRow(number)
                self._show_chosen()

    @Slot()
    def _show_chosen(self) -> None:
        item = self.contents.currentItem()
        if item is not None:
            self.page.scrollToAnchor(str(item.data(_SECTION)))

    @Slot()
    def _mark_section(self) -> None:
        """Select the section at the top of the text in the contents."""
        bar, document = self.page.verticalScrollBar(), self.page.document()
        layout, block, tops = document.documentLayout(), document.begin(), list[float]()
        while block.isValid():
            if block.blockFormat().headingLevel() == _SECTION_LEVEL:
                tops.append(layout.blockBoundingRect(block).top() - bar.value())
            block = block.next()
        if len(tops) < self.contents.count():
            return  # the text is being set
        chosen = self.contents.currentRow()
        if bar.value() == bar.maximum() and chosen >= 0 and 0 <= tops[chosen] < self.page.viewport().height():
            return  # the text ends before this section could come to the top
        with QSignalBlocker(self.contents):
            self.contents.setCurrentRow(max(sum(top <= _NEAR_TOP for top in tops) - 1, 0))

    @Slot()
    def _draw(self) -> None:
        """Set the text again, whose colours are those of the moment at which it was set."""
        colours, at = self._theme.colours, self.page.verticalScrollBar().value()
        self.page.document().setDefaultStyleSheet(
            f"h2 {{ color: {colours.text}; margin-top: 22px; margin-bottom: 6px; }} p, li {{ margin-bottom: 6px; }}"
            f" code {{ background-color: {colours.alternate}; }}"
        )
        self.page.setHtml(self._html)
        self.page.verticalScrollBar().setValue(at)
        self._mark()

    # --- finding words

    @Slot()
    def _find_first(self) -> None:
        self.page.moveCursor(QTextCursor.MoveOperation.Start)
        self._mark()
        self.find_words(1)

    @Slot(int)
    def find_words(self, step: int) -> None:
        """Select the next (1) or the previous (-1) place where the words occur, beginning again at the other end."""
        words = self.words.text().strip()
        if not words:
            return
        flag = QTextDocument.FindFlag.FindBackward if step < 0 else QTextDocument.FindFlag(0)
        if not self.page.find(words, flag):
            end = QTextCursor.MoveOperation.End if step < 0 else QTextCursor.MoveOperation.Start
            self.page.moveCursor(end)
            self.page.find(words, flag)

    def _mark(self) -> None:
        """Mark all places where the words occur, and show their number."""
        words, document = self.words.text().strip(), self.page.document()
        marks: list[QTextEdit.ExtraSelection] = []
        cursor = document.find(words) if words else QTextCursor()
        shade = QTextCharFormat()
        shade.setBackground(QColor(self._theme.colours.warning))
        while not cursor.isNull() and len(marks) < _MARKS_AT_MOST:
            mark = QTextEdit.ExtraSelection()
            mark.cursor, mark.format = cursor, shade
            marks.append(mark)
            cursor = document.find(words, cursor)
        self.page.setExtraSelections(marks)
        self.found.setText(tr("%Ln place(s)", "", len(marks)) if words else "")
        self.found.setVisible(bool(words))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide the table of contents where it would leave too little room for the text."""
        super().resizeEvent(event)
        self.contents.setVisible(event.size().width() >= _NARROW)


class _WordsBox(QLineEdit):
    """The box for words to find. Enter goes to the next place, Shift+Enter to the previous one.

    Signals:
        step_requested(int): The next (1) or the previous (-1) place was requested.
    """

    step_requested = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, placeholderText=tr("Find in the help"), clearButtonEnabled=True)
        self.setAccessibleName(tr("Find in the help"))

    @Slot()
    def take_focus(self) -> None:
        """Focus the box and select its text, so that typing replaces it."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Find on Enter, and clear the text on Escape; without text, Escape closes the window."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.step_requested.emit(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)
            return
        event.accept()


def keys_of(action: QAction) -> str:
    """Return the keys of an action as the system writes them; empty if it has none."""
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(keys.toString(native) for keys in action.shortcuts())


def _page() -> str:
    """Return the text of the help in the language of the window."""
    for code in dict.fromkeys((tr("en", "the language code of this translation"), "en")):
        try:
            return resource(f"help/{code}.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
    raise FileNotFoundError("resource 'help' is missing from this copy of the program")


def _filled(
    text: str,
    places: Mapping[str, str],
    actions: Mapping[str, QAction],
    syntax: Iterable[tuple[str, str]],
    shortcuts: Iterable[tuple[str, str]],
) -> str:
    return Template(text).substitute(
        {name: html.escape(place) for name, place in places.items()},
        **{name: html.escape(keys_of(action)) for name, action in actions.items()},
        syntax=_table((f"<code>{html.escape(example)}</code>", html.escape(meaning)) for example, meaning in syntax),
        shortcuts=_table((html.escape(name), html.escape(keys)) for name, keys in shortcuts),
    )


def _table(rows: Iterable[tuple[str, str]]) -> str:
    """Return an HTML table whose cells are HTML."""
    cells = "".join(f"<tr><td>{first}</td><td>{second}</td></tr>\n" for first, second in rows)
    return f'<table cellpadding="4">\n{cells}</table>'
