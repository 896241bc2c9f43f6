"""What the window remembers between two starts: its place, its columns, the folders that were used last."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSettings

if TYPE_CHECKING:
    from collections.abc import Sequence


log = logging.getLogger(__name__)


VERSION = 1
"""Raised when the meaning of a key changes; what an other version wrote is not read."""

_MAX_WIDTH = 4_000

_DETAILS_HEIGHT = 230

_DETAILS_WIDTH = 420


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """One column as the user left it; the columns' order is the order in the list."""

    id: str
    width: int
    hidden: bool


@dataclass(frozen=True, slots=True)
class SortLayout:
    """What the list was sorted by: a column's id."""

    column: str
    descending: bool


class WindowMemory:
    """An INI file of our own, `window.ini`. Whatever is not as it should be is passed over: a layout is no treasure."""

    def __init__(self, file: Path) -> None:
        self._settings = QSettings(str(file), QSettings.Format.IniFormat)
        if self._settings.value("version", VERSION, int) != VERSION:
            log.info("%s is from another version of Filemill: the window starts afresh", file)
            self._settings.clear()
        self._settings.setValue("version", VERSION)

    def save(self) -> None:
        """Write what was set since."""
        self._settings.sync()

    @property
    def geometry(self) -> QByteArray:
        """Place and size, for `restoreGeometry`; empty if there are none."""
        value = self._settings.value("geometry")
        return value if isinstance(value, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._settings.setValue("geometry", value)

    def columns(self) -> list[ColumnLayout]:
        """The columns in their order; those that this version does not know are for the reader to skip."""
        found = []
        for text in self._texts("columns"):
            name, _, rest = text.partition(":")
            width, _, state = rest.partition(":")
            if name and width.isascii() and width.isdigit() and 0 < int(width) <= _MAX_WIDTH:
                found.append(ColumnLayout(name, int(width), state == "hidden"))
        return found

    def set_columns(self, columns: Sequence[ColumnLayout]) -> None:
        """Remember the columns in their order."""
        texts = [f"{column.id}:{column.width}:{'hidden' if column.hidden else 'shown'}" for column in columns]
        self._settings.setValue("columns", texts)

    def sorting(self) -> SortLayout | None:
        """What the list was sorted by, or None."""
        return self._sorting("sort")

    def set_sorting(self, sorting: SortLayout) -> None:
        """Remember what the list is sorted by."""
        self._set_sorting("sort", sorting)

    def second_sorting(self) -> SortLayout | None:
        """What was equal in that was sorted by, or None."""
        return self._sorting("then")

    def set_second_sorting(self, sorting: SortLayout | None) -> None:
        """Remember what is equal in that is sorted by."""
        self._set_sorting("then", sorting)

    def _sorting(self, key: str) -> SortLayout | None:
        texts = self._texts(key)
        return SortLayout(texts[0], texts[1] == "descending") if len(texts) == 2 else None  # noqa: PLR2004

    def _set_sorting(self, key: str, sorting: SortLayout | None) -> None:
        texts = [] if sorting is None else [sorting.column, "descending" if sorting.descending else "ascending"]
        self._settings.setValue(key, texts)

    @property
    def shows_sidebar(self) -> bool:
        """Whether the sidebar is to be seen."""
        return self._settings.value("sidebar", "shown") != "hidden"

    @shows_sidebar.setter
    def shows_sidebar(self, value: bool) -> None:
        self._settings.setValue("sidebar", "shown" if value else "hidden")

    @property
    def shows_details(self) -> bool:
        """Whether the details are to be seen."""
        return self._settings.value("details", "hidden") == "shown"

    @shows_details.setter
    def shows_details(self, value: bool) -> None:
        self._settings.setValue("details", "shown" if value else "hidden")

    @property
    def shows_throughput(self) -> bool:
        """Whether the graphs are to be seen."""
        return self._settings.value("throughput", "hidden") == "shown"

    @shows_throughput.setter
    def shows_throughput(self, value: bool) -> None:
        self._settings.setValue("throughput", "shown" if value else "hidden")

    @property
    def throughput_span(self) -> str:
        """What the graphs were about: a span's name; empty if it is not known."""
        return str(self._settings.value("throughput_span", ""))

    @throughput_span.setter
    def throughput_span(self, value: str) -> None:
        self._settings.setValue("throughput_span", value)

    @property
    def keeps_in_tray(self) -> bool:
        """Whether the person has asked for the icon in the tray."""
        return self._settings.value("tray", "no") == "yes"

    @keeps_in_tray.setter
    def keeps_in_tray(self, value: bool) -> None:
        self._settings.setValue("tray", "yes" if value else "no")

    @property
    def details_height(self) -> int:
        """The height of the details in pixels."""
        value = str(self._settings.value("details_height", _DETAILS_HEIGHT))
        fits = value.isascii() and value.isdigit() and _DETAILS_HEIGHT // 2 <= int(value) <= _MAX_WIDTH
        return int(value) if fits else _DETAILS_HEIGHT

    @details_height.setter
    def details_height(self, value: int) -> None:
        self._settings.setValue("details_height", value)

    @property
    def details_width(self) -> int:
        """The width of the details in pixels, where they stand beside the list."""
        value = str(self._settings.value("details_width", _DETAILS_WIDTH))
        fits = value.isascii() and value.isdigit() and _DETAILS_WIDTH // 2 <= int(value) <= _MAX_WIDTH
        return int(value) if fits else _DETAILS_WIDTH

    @details_width.setter
    def details_width(self, value: int) -> None:
        self._settings.setValue("details_width", value)

    @property
    def details_tab(self) -> str:
        """The name of the details' tab that was shown last; may be empty."""
        value = self._settings.value("details_tab", "")
        return value if isinstance(value, str) else ""

    @details_tab.setter
    def details_tab(self, value: str) -> None:
        self._settings.setValue("details_tab", value)

    def folder(self, purpose: str) -> str:
        """The folder that was used last for something, if it is still there; else the user's own."""
        value = self._settings.value(f"folders/{purpose}")
        return value if isinstance(value, str) and Path(value).is_dir() else str(Path.home())

    def set_folder(self, purpose: str, folder: str) -> None:
        """Remember a folder."""
        self._settings.setValue(f"folders/{purpose}", folder)

    def text(self, key: str) -> str:
        """A choice that was remembered under a name of its own; empty if there is none."""
        value = self._settings.value(f"choices/{key}", "")
        return value if isinstance(value, str) else ""

    def set_text(self, key: str, value: str) -> None:
        """Remember a choice."""
        self._settings.setValue(f"choices/{key}", value)

    def _texts(self, key: str) -> list[str]:
        value = self._settings.value(key, [])
        values = value if isinstance(value, list) else [value]
        return [text for text in values if isinstance(text, str)]
