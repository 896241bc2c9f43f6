"""The window's saved state: geometry, columns, last used folders."""

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
"""Increment when the meaning of a key changes; files of other versions are not read."""

_MAX_WIDTH = 4_000

_DETAILS_HEIGHT = 230

_DETAILS_WIDTH = 420


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """The saved layout of a column; columns are saved in order."""

    id: str
    width: int
    hidden: bool


@dataclass(frozen=True, slots=True)
class SortLayout:
    """A saved sort key: a column's id and direction."""

    column: str
    descending: bool


class WindowMemory:
    """The window's state in its own INI file, `window.ini`. Invalid values are ignored."""

    def __init__(self, file: Path) -> None:
        self._settings = QSettings(str(file), QSettings.Format.IniFormat)
        if self._settings.value("version", VERSION, int) != VERSION:
            log.info("%s is from another version of Filemill: using the default layout", file)
            self._settings.clear()
        self._settings.setValue("version", VERSION)

    def save(self) -> None:
        """Write the changes."""
        self._settings.sync()

    @property
    def geometry(self) -> QByteArray:
        """Return the geometry for `restoreGeometry`; may be empty."""
        value = self._settings.value("geometry")
        return value if isinstance(value, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._settings.setValue("geometry", value)

    def columns(self) -> list[ColumnLayout]:
        """Return the columns in order; the caller skips those that this version does not have."""
        found = []
        for text in self._texts("columns"):
            name, _, rest = text.partition(":")
            width, _, state = rest.partition(":")
            if name and width.isascii() and width.isdigit() and 0 < int(width) <= _MAX_WIDTH:
                found.append(ColumnLayout(name, int(width), state == "hidden"))
        return found

    def set_columns(self, columns: Sequence[ColumnLayout]) -> None:
        """Save the columns in order."""
        texts = [f"{column.id}:{column.width}:{'hidden' if column.hidden else 'shown'}" for column in columns]
        self._settings.setValue("columns", texts)

    def sorting(self) -> SortLayout | None:
        """Return the first sort key, or None."""
        return self._sorting("sort")

    def set_sorting(self, sorting: SortLayout) -> None:
        """Save the first sort key."""
        self._set_sorting("sort", sorting)

    def second_sorting(self) -> SortLayout | None:
        """Return the second sort key, or None."""
        return self._sorting("then")

    def set_second_sorting(self, sorting: SortLayout | None) -> None:
        """Save the second sort key."""
        self._set_sorting("then", sorting)

    def _sorting(self, key: str) -> SortLayout | None:
        texts = self._texts(key)
        return SortLayout(texts[0], texts[1] == "descending") if len(texts) == 2 else None  # noqa: PLR2004

    def _set_sorting(self, key: str, sorting: SortLayout | None) -> None:
        texts = [] if sorting is None else [sorting.column, "descending" if sorting.descending else "ascending"]
        self._settings.setValue(key, texts)

    @property
    def shows_sidebar(self) -> bool:
        """Return whether the sidebar is shown."""
        return self._settings.value("sidebar", "shown") != "hidden"

    @shows_sidebar.setter
    def shows_sidebar(self, value: bool) -> None:
        self._settings.setValue("sidebar", "shown" if value else "hidden")

    @property
    def shows_details(self) -> bool:
        """Return whether the details are shown."""
        return self._settings.value("details", "hidden") == "shown"

    @shows_details.setter
    def shows_details(self, value: bool) -> None:
        self._settings.setValue("details", "shown" if value else "hidden")

    @property
    def shows_throughput(self) -> bool:
        """Return whether the graphs are shown."""
        return self._settings.value("throughput", "hidden") == "shown"

    @shows_throughput.setter
    def shows_throughput(self, value: bool) -> None:
        self._settings.setValue("throughput", "shown" if value else "hidden")

    @property
    def throughput_span(self) -> str:
        """Return the name of the graphs' span; may be empty."""
        return str(self._settings.value("throughput_span", ""))

    @throughput_span.setter
    def throughput_span(self, value: str) -> None:
        self._settings.setValue("throughput_span", value)

    @property
    def keeps_in_tray(self) -> bool:
        """Return whether the tray icon is enabled."""
        return self._settings.value("tray", "no") == "yes"

    @keeps_in_tray.setter
    def keeps_in_tray(self, value: bool) -> None:
        self._settings.setValue("tray", "yes" if value else "no")

    @property
    def details_height(self) -> int:
        """Return the height of the details in pixels."""
        value = str(self._settings.value("details_height", _DETAILS_HEIGHT))
        fits = value.isascii() and value.isdigit() and _DETAILS_HEIGHT // 2 <= int(value) <= _MAX_WIDTH
        return int(value) if fits else _DETAILS_HEIGHT

    @details_height.setter
    def details_height(self, value: int) -> None:
        self._settings.setValue("details_height", value)

    @property
    def details_width(self) -> int:
        """Return the width of the details beside the list, in pixels."""
        value = str(self._settings.value("details_width", _DETAILS_WIDTH))
        fits = value.isascii() and value.isdigit() and _DETAILS_WIDTH // 2 <= int(value) <= _MAX_WIDTH
        return int(value) if fits else _DETAILS_WIDTH

    @details_width.setter
    def details_width(self, value: int) -> None:
        self._settings.setValue("details_width", value)

    @property
    def details_tab(self) -> str:
        """Return the name of the details' last tab; may be empty."""
        value = self._settings.value("details_tab", "")
        return value if isinstance(value, str) else ""

    @details_tab.setter
    def details_tab(self, value: str) -> None:
        self._settings.setValue("details_tab", value)

    def folder(self, purpose: str) -> str:
        """Return the folder last used for a purpose if it still exists, else the home folder."""
        value = self._settings.value(f"folders/{purpose}")
        return value if isinstance(value, str) and Path(value).is_dir() else str(Path.home())

    def set_folder(self, purpose: str, folder: str) -> None:
        """Save a folder."""
        self._settings.setValue(f"folders/{purpose}", folder)

    def text(self, key: str) -> str:
        """Return a choice saved under a name; empty if there is none."""
        value = self._settings.value(f"choices/{key}", "")
        return value if isinstance(value, str) else ""

    def set_text(self, key: str, value: str) -> None:
        """Save a choice."""
        self._settings.setValue(f"choices/{key}", value)

    def _texts(self, key: str) -> list[str]:
        value = self._settings.value(key, [])
        values = value if isinstance(value, list) else [value]
        return [text for text in values if isinstance(text, str)]
