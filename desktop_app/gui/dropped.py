"""From what was dragged, dropped or pasted to the paths in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QUrl

from desktop_app.gui.texts import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QMimeData

    from desktop_app.gui.wording import Wording

_LOOKED_AT = 50
"""More things than this are only counted: looking at each takes time on a slow share, and this is the main thread."""
_ADDRESSES = ("file:", "http://", "https://")


def dragged_paths(mime: QMimeData) -> list[str]:
    """The files and folders that are dragged; addresses of other places are left out."""
    return [path_of(url) for url in mime.urls() if url.isLocalFile()]


def pasted_paths(mime: QMimeData) -> list[str]:
    """What the clipboard names: files and folders, or a text of paths and addresses, one a line."""
    if mime.hasUrls():
        return [path_of(url) if url.isLocalFile() else url.toString() for url in mime.urls()]
    lines = [line.strip().strip("\"'") for line in mime.text().splitlines()]
    return [line for line in lines if _names_a_place(line)]


def _names_a_place(line: str) -> bool:
    return line.lower().startswith(_ADDRESSES) or Path(line).is_absolute()


def path_of(url: QUrl) -> str:
    """The path of a `file:` URL, even if its name is not UTF-8, which `QUrl.toLocalFile` would spoil."""
    if sys.platform == "win32":
        return url.toLocalFile()
    encoded = url.path(QUrl.ComponentFormattingOption.FullyEncoded)
    return os.fsdecode(unquote_to_bytes(encoded))


def drop_text(paths: Sequence[str], wording: Wording) -> str:
    """What letting go would do: `Drop to add 3 folders`."""
    if not paths:
        return tr("Only files and folders of this computer can be dropped here")
    if len(paths) > _LOOKED_AT:
        return tr("Drop to add %Ln thing(s)", "", len(paths))
    folders = sum(Path(path).is_dir() for path in paths)
    files = len(paths) - folders
    if not folders:
        return tr("Drop to add %Ln file(s)", "", files)
    if not files:
        return tr("Drop to add %Ln folder(s)", "", folders)
    return tr("Drop to add {files} and %Ln folder(s)", "", folders).format(files=wording.files(files))
