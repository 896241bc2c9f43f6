"""The table model of the log: one record per row, filtered by level and words."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QDateTime, QLocale, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop_app.domain.sentences import mark
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.wording import Wording, tool_tip

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.logs.tail import LogRecord


Index = QModelIndex | QPersistentModelIndex

MAX_RECORDS = 100_000
"""The maximum number of records. If there are more, the oldest are removed until nine tenths of the maximum remain."""

TIME, LEVEL, SOURCE, MESSAGE = range(4)

COLUMNS = 4

_NO_PARENT = QModelIndex()

_DISPLAY = Qt.ItemDataRole.DisplayRole

_LEVELS = (
    (logging.CRITICAL, mark("Critical")),
    (logging.ERROR, mark("Error")),
    (logging.WARNING, mark("Warning")),
    (logging.INFO, mark("Info")),
    (1, mark("Debug")),
)


def level_word(level: int) -> str:
    """Return the name of a level in the user's language; empty for 0, the level of lines in other formats."""
    return next((translated(word) for least, word in _LEVELS if level >= least), "")


class LogModel(QAbstractTableModel):
    """Holds the records of the log, and shows those that match the filter."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._wording = Wording(QLocale())
        self._records: list[LogRecord] = []
        self._rows: list[LogRecord] = []
        self._min_level = 0
        self._words: list[str] = []

    # --- overrides of Qt

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else COLUMNS

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:  # noqa: ANN401 - Qt's own signature
        """Return the title of a column, or the alignment of the title."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(section)
        return (tr("Time"), tr("Level"), tr("Source"), tr("Message"))[section] if role == _DISPLAY else None

    def data(self, index: Index, role: int = _DISPLAY) -> Any:  # noqa: ANN401 - Qt's own signature
        """Return the text, the alignment, the tool tip or the icon of a cell."""
        if not index.isValid():
            return None
        record, column = self._rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(record, column)
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._row_text(record) if column == TIME else self._text(record, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _side(column)
            case Qt.ItemDataRole.ToolTipRole if column == TIME:
                return exact_time(record.time)
            case Qt.ItemDataRole.ToolTipRole if column == MESSAGE:
                return tool_tip(record.message)
            case Qt.ItemDataRole.DecorationRole if column == LEVEL and record.level >= logging.WARNING:
                return self._icon(record.level)
            case _:
                return None

    def _text(self, record: LogRecord, column: int) -> str:
        match column:
            case 0:
                return self._stamp(record)
            case 1:
                return level_word(record.level)
            case 2:
                return record.source.removeprefix("desktop_app.")
            case _:
                first, more, _ = record.message.partition("\n")
                return f"{first} …" if more else first

    def _row_text(self, record: LogRecord) -> str:
        """Return the text that screen readers read for a row, the most important parts first."""
        parts = (level_word(record.level), record.message.partition("\n")[0], self._stamp(record))
        return ", ".join(filter(None, parts))

    def _stamp(self, record: LogRecord) -> str:
        return self._wording.stamp(_moment_of(record.time).toMSecsSinceEpoch()) if record.time else ""

    def widest_time(self) -> str:
        """Return a time whose text is as wide as any."""
        return self._wording.stamp(QDateTime(2022, 12, 28, 22, 58, 58).toMSecsSinceEpoch())

    def level_words(self) -> list[str]:
        """Return the names of all levels."""
        return [translated(word) for _, word in _LEVELS]

    def _icon(self, level: int) -> object:
        return self._theme.icon("status-failed", "failed") if level >= logging.ERROR else self._theme.icon("warning")

    # --- for the window

    @property
    def total(self) -> int:
        """Return the number of records, including those that the filter hides."""
        return len(self._records)

    def text(self, rows: Iterable[int]) -> str:
        """Return the records in these rows as they are in the log files."""
        return "".join(f"{self._rows[row].text}\n" for row in rows)

    def append(self, records: Sequence[LogRecord]) -> None:
        """Append records, which must be newer than all records in the model."""
        self._records += records
        matching = [record for record in records if self._matches(record)]
        if matching:
            start = len(self._rows)
            self.beginInsertRows(_NO_PARENT, start, start + len(matching) - 1)
            self._rows += matching
            self.endInsertRows()
        if len(self._records) > MAX_RECORDS:
            self._remove_oldest()

    def _remove_oldest(self) -> None:
        removed = self._records[: len(self._records) - MAX_RECORDS * 9 // 10]
        del self._records[: len(removed)]
        rows = sum(map(self._matches, removed))
        if rows:
            self.beginRemoveRows(_NO_PARENT, 0, rows - 1)
            del self._rows[:rows]
            self.endRemoveRows()

    def set_filter(self, min_level: int, words: str) -> None:
        """Show only the records at this level or above that contain all of the words, ignoring case."""
        self._min_level, self._words = min_level, words.casefold().split()
        self._fill()

    def clear(self) -> None:
        """Remove all records from the model; the log files do not change."""
        self._records.clear()
        self._fill()

    def _fill(self) -> None:
        self.beginResetModel()
        self._rows = [record for record in self._records if self._matches(record)]
        self.endResetModel()

    def _matches(self, record: LogRecord) -> bool:
        if record.level < self._min_level:
            return False
        text = record.text.casefold() if self._words else ""
        return all(word in text for word in self._words)


def _moment_of(moment: str) -> QDateTime:
    return QDateTime.fromString(moment, Qt.DateFormat.ISODateWithMs).toLocalTime()


def exact_time(moment: str) -> str:
    """Convert a UTC time from the log to local time with milliseconds. An empty time stays empty."""
    return _moment_of(moment).toString("yyyy-MM-dd HH:mm:ss.zzz") if moment else ""


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column == TIME else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
