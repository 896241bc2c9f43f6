"""How wide a column is at first: its usual width, or more where the language has longer words for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale
from PySide6.QtGui import QFontMetrics

from desktop_app.gui.table.columns import COLUMN_OF_ID, COLUMNS, STATUS
from desktop_app.gui.table.delegates import CELL_PADDING, ICON_ROOM
from desktop_app.gui.table.header_title import title_size
from desktop_app.gui.wording import Wording, status_word
from desktop_app.jobs import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QFont

_LONG_SIZE = 999_900
_LONG_SPAN_MS = (12 * 60 + 34) * 60_000


def first_width(number: int, font: QFont) -> int:
    """In pixels; the title and what usually stands in the column fit."""
    metrics = QFontMetrics(font)
    return max(
        COLUMNS[number].width * metrics.averageCharWidth(),
        title_size(number, font).width(),
        _width_of(_samples(number), metrics),
    )


def status_word_width(font: QFont) -> int:
    """What a status takes that is only a word, in pixels."""
    words = _width_of((status_word(status) for status in Status), QFontMetrics(font))
    return max(words + ICON_ROOM, title_size(STATUS, font).width())


def _samples(number: int) -> Iterable[str]:
    """Long ones of what usually stands in a column."""
    wording = Wording(QLocale())
    now = QDateTime.currentMSecsSinceEpoch()
    return {
        COLUMN_OF_ID["size"]: (wording.size(_LONG_SIZE),),
        COLUMN_OF_ID["added"]: (wording.clock(now),),
        COLUMN_OF_ID["took"]: (wording.span(_LONG_SPAN_MS),),
    }.get(number, ())


def _width_of(texts: Iterable[str], metrics: QFontMetrics) -> int:
    return max((metrics.horizontalAdvance(text) + 2 * CELL_PADDING + 2 for text in texts), default=0)
