"""The saved state of the window: geometry, columns, panes and recently used folders."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import QByteArray, QEvent, QSettings

from desktop_app.config.private_files import create_private
from desktop_app.sources.share_access import is_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


log = logging.getLogger(__name__)

Value = TypeVar("Value")


VERSION = 1
"""Increment this when the meaning of a key changes. Files with another version are ignored."""

_MOST_PIXELS = 4_000

_SORT_KEYS = ("sort", "then")

_SHOWN: dict[str, bool | None] = {"shown": True, "hidden": False}


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """What a person chose for a column.

    Attributes:
        id: The column.
        width: Its width in pixels, or None if that is automatic.
        shown: Whether it is shown, or None if that is automatic.
    """

    id: str
    width: int | None = None
    shown: bool | None = None


@dataclass(frozen=True, slots=True)
class SortLayout:
    """A saved sort key: the id of a column and the sort direction."""

    column: str
    descending: bool


class _Saved(Generic[Value]):
    """A property of `WindowMemory` that is stored in the file.

    Args:
        key: The key in the file.
        read: A function that converts the stored content to a value; called with None if the key is missing.
        write: A function that converts a value to the content to store.
    """

    def __init__(self, key: str, read: Callable[[object], Value], write: Callable[[Value], object]) -> None:
        self._key = key
        self._read = read
        self._write = write

    def __get__(self, memory: WindowMemory, _owner: type[WindowMemory]) -> Value:
        return self._read(memory.settings.value(self._key))

    def __set__(self, memory: WindowMemory, value: Value) -> None:
        memory.settings.setValue(self._key, self._write(value))


def _flag(key: str, words: tuple[str, str] = ("hidden", "shown"), *, default: bool = False) -> _Saved[bool]:
    """Return a Boolean property that is stored as one of two words: the first for False, the second for True."""
    return _Saved(key, lambda found: found == words[True] if found in words else default, lambda value: words[value])


def _text(key: str) -> _Saved[str]:
    """Return a text property, which is empty by default."""
    return _Saved(key, lambda found: found if isinstance(found, str) else "", str)


def _pixels(key: str, default: int) -> _Saved[int]:
    """Return a property for a size in pixels. Sizes smaller than half the default are ignored."""

    def read(found: object) -> int:
        text = str(found)
        is_valid = text.isascii() and text.isdigit() and default // 2 <= int(text) <= _MOST_PIXELS
        return int(text) if is_valid else default

    return _Saved(key, read, int)


class _IniFile(QSettings):
    """An INI file that is written only while its folder exists: Qt would create the folder.

    Args:
        file: The file; None to keep the settings only in memory.
    """

    def __init__(self, file: Path | None) -> None:
        super().__init__("" if file is None else str(file), QSettings.Format.IniFormat)
        self._file = file

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.UpdateRequest:  # some time after `setValue`
            self.save()
            return True
        return super().event(event)

    def save(self) -> None:
        if self._file is not None and self._file.parent.is_dir():
            create_private(self._file)
            self.sync()


class WindowMemory:
    """The state of the window, stored in the INI file `window.ini`. Invalid values are ignored.

    Attributes:
        geometry: The geometry for `restoreGeometry`; may be empty.
        shows_sidebar, shows_details, shows_throughput: Whether these parts are shown.
        compact_rows: Whether the rows of the table are low.
        keeps_in_tray: Whether the tray icon is shown.
        throughput_span: The name of the time span that the graphs show; may be empty.
        sidebar_width: The width of the sidebar in pixels; 0 for the default width.
        details_height, details_width: The size of the details below and beside the list, in pixels.
        details_tab: The name of the tab last shown in the details; may be empty.
        settings: The content of the file.
    """

    geometry = _Saved("geometry", lambda found: found if isinstance(found, QByteArray) else QByteArray(), QByteArray)
    shows_sidebar = _flag("sidebar", default=True)
    shows_details = _flag("details")
    shows_throughput = _flag("throughput")
    compact_rows = _flag("rows", ("comfortable", "compact"))
    keeps_in_tray = _flag("tray", ("no", "yes"))
    throughput_span = _text("throughput_span")
    sidebar_width = _pixels("sidebar_width", 0)
    details_height = _pixels("details_height", 250)
    details_width = _pixels("details_width", 420)
    details_tab = _text("details_tab")

    def __init__(self, file: Path) -> None:
        is_usable = file.is_file() or not file.exists()
        if not is_usable:  # opening a pipe would block
            log.warning("%s is not a regular file: the layout of the window is not saved", file)
        self.settings = _IniFile(file if is_usable else None)
        if self.settings.value("version", VERSION, int) != VERSION:
            log.info("%s is from another version of Filemill: using the default layout", file)
            self.settings.clear()
        if not self.settings.contains("version"):  # setting it would write the file again
            self.settings.setValue("version", VERSION)

    def save(self) -> None:
        """Write the changes to the file, unless its folder has disappeared: Qt would create it."""
        self.settings.save()

    def columns(self) -> list[ColumnLayout]:
        """Return the columns in order. Some of them may not exist in this version; ignore those."""
        found = []
        for text in self._texts("layout"):
            name, *rest = text.split(":")
            width, shown = (*rest, "", "")[:2]
            is_width = width.isascii() and width.isdigit() and 0 < int(width) <= _MOST_PIXELS
            if name and (is_width or not width):
                found.append(ColumnLayout(name, int(width) if is_width else None, _SHOWN.get(shown)))
        return found

    def set_columns(self, columns: Sequence[ColumnLayout]) -> None:
        """Save the columns in order."""
        words = {shown: word for word, shown in _SHOWN.items()}
        texts = [f"{column.id}:{column.width or ''}:{words.get(column.shown, '')}" for column in columns]
        # Under another key than the layouts of earlier versions, which do not tell what a person chose.
        self.settings.setValue("layout", texts)

    def sort_order(self) -> list[SortLayout]:
        """Return up to two sort keys, primary key first."""
        saved = takewhile(lambda texts: len(texts) == 2, map(self._texts, _SORT_KEYS))  # noqa: PLR2004
        return [SortLayout(column, direction == "descending") for column, direction in saved]

    def set_sort_order(self, order: Sequence[SortLayout]) -> None:
        """Save up to two sort keys, primary key first."""
        for key, sort in zip_longest(_SORT_KEYS, order[: len(_SORT_KEYS)]):
            texts = [] if sort is None else [sort.column, "descending" if sort.descending else "ascending"]
            self.settings.setValue(key, texts)

    def folder(self, purpose: str) -> str:
        """Return the folder last used for a purpose, or the home folder if that one can't be accessed."""
        value = self.settings.value(f"folders/{purpose}")
        return value if isinstance(value, str) and is_folder(value) else str(Path.home())

    def set_folder(self, purpose: str, folder: str) -> None:
        """Save the folder last used for a purpose."""
        self.settings.setValue(f"folders/{purpose}", folder)

    def text(self, key: str) -> str:
        """Return a choice made in a dialog, or an empty text if none is saved."""
        value = self.settings.value(f"choices/{key}", "")
        return value if isinstance(value, str) else ""

    def set_text(self, key: str, value: str) -> None:
        """Save a choice made in a dialog."""
        self.settings.setValue(f"choices/{key}", value)

    def place(self, name: str) -> QByteArray:
        """Return the geometry for `restoreGeometry` of a dialog, or empty data if none is saved."""
        value = self.settings.value(f"places/{name}")
        return value if isinstance(value, QByteArray) else QByteArray()

    def set_place(self, name: str, geometry: QByteArray) -> None:
        """Save the geometry of a dialog."""
        self.settings.setValue(f"places/{name}", geometry)

    def _texts(self, key: str) -> list[str]:
        value = self.settings.value(key, [])
        values = value if isinstance(value, list) else [value]
        return [text for text in values if isinstance(text, str)]
