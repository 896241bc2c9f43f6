"""The log as a table model: one record per row, filtered by level and words."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QDateTime, QModelIndex, QPersistentModelIndex, Qt

from desktop_app.domain.sentences import mark
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QObject

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.logs.tail import LogRecord


Index = QModelIndex | QPersistentModelIndex

MAX_RECORDS = 100_000
"""Beyond this many, the oldest tenth is dropped."""

TIME, LEVEL, SOURCE, MESSAGE = range(4)

COLUMNS = 4

_NO_PARENT = QModelIndex()

_DISPLAY = Qt.ItemDataRole.DisplayRole

_WORDS = (
    (logging.CRITICAL, mark("Critical")),
    (logging.ERROR, mark("Error")),
    (logging.WARNING, mark("Warning")),
    (logging.INFO, mark("Info")),
    (1, mark("Debug")),
)


def level_word(level: int) -> str:
    """Return a level in one word; empty for a line without one."""
    return next((translated(word) for least, word in _WORDS if level >= least), "")


class LogModel(QAbstractTableModel):
    """Holds the records; shows those of a level or above that contain all words. Main thread."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._records: list[LogRecord] = []
        self._rows: list[LogRecord] = []
        self._least = 0
        self._words: tuple[str, ...] = ()

    # --- overrides of Qt

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """See Qt."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """See Qt."""
        return 0 if parent.isValid() else COLUMNS

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:  # noqa: ANN401
        """See Qt."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return (tr("Time"), tr("Level"), tr("Source"), tr("Message"))[section] if role == _DISPLAY else None

    def data(self, index: Index, role: int = _DISPLAY) -> Any:  # noqa: ANN401 - as Qt has it
        """See Qt."""
        if not index.isValid():
            return None
        record, column = self._rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(record, column)
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(record) if column == TIME else self._text(record, column)
            case Qt.ItemDataRole.ToolTipRole if column == MESSAGE:
                return tool_tip(record.message)
            case Qt.ItemDataRole.DecorationRole if column == LEVEL and record.level >= logging.WARNING:
                return self._icon(record.level)
            case _:
                return None

    def _text(self, record: LogRecord, column: int) -> str:
        match column:
            case 0:
                return local_time(record.time)
            case 1:
                return level_word(record.level)
            case 2:
                return record.source.removeprefix("desktop_app.")
            case _:
                first, more, _ = record.message.partition("\n")
                return f"{first} …" if more else first

    def _spoken(self, record: LogRecord) -> str:
        """Return the text of the whole row for screen readers, most important first."""
        parts = (level_word(record.level), record.message.partition("\n")[0], local_time(record.time))
        return ", ".join(part for part in parts if part)

    def _icon(self, level: int) -> object:
        if level >= logging.ERROR:
            return self._theme.icon("status-failed", self._theme.colours.failed)
        return self._theme.icon("warning")

    # --- for the window

    @property
    def held(self) -> int:
        """Return the number of records, shown or not."""
        return len(self._records)

    def record(self, row: int) -> LogRecord | None:
        """Return the record of a row."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def text(self, rows: Sequence[int] | None = None) -> str:
        """Return rows as they are in the files; None for all shown rows."""
        chosen = self._rows if rows is None else [self._rows[row] for row in rows]
        return "".join(f"{record.text}\n" for record in chosen)

    def append(self, records: Sequence[LogRecord]) -> None:
        """Append newer records."""
        self._records += records
        wanted = [record for record in records if self._is_wanted(record)]
        if wanted:
            start = len(self._rows)
            self.beginInsertRows(_NO_PARENT, start, start + len(wanted) - 1)
            self._rows += wanted
            self.endInsertRows()
        if len(self._records) > MAX_RECORDS:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        gone = self._records[: len(self._records) - MAX_RECORDS * 9 // 10]
        del self._records[: len(gone)]
        rows = sum(map(self._is_wanted, gone))
        if rows:
            self.beginRemoveRows(_NO_PARENT, 0, rows - 1)
            del self._rows[:rows]
            self.endRemoveRows()

    def narrow(self, least: int, typed: str) -> None:
        """Show only records of this level or above that contain all words, ignoring case."""
        self._least, self._words = least, tuple(typed.casefold().split())
        self._fill()

    def clear(self) -> None:
        """Remove all records; the files are not changed."""
        self._records.clear()
        self._fill()

    def _fill(self) -> None:
        self.beginResetModel()
        self._rows = [record for record in self._records if self._is_wanted(record)]
        self.endResetModel()

    def _is_wanted(self, record: LogRecord) -> bool:
        if record.level < self._least:
            return False
        if not self._words:
            return True
        text = record.text.casefold()
        return all(word in text for word in self._words)


def local_time(moment: str) -> str:
    """Return the local time of a log record, which is in UTC, in a sortable form."""
    if not moment:
        return ""
    return QDateTime.fromString(moment, Qt.DateFormat.ISODateWithMs).toLocalTime().toString("yyyy-MM-dd HH:mm:ss.zzz")
