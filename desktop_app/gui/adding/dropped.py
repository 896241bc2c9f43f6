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
_QUOTES = ('"', "'")


def dragged_paths(mime: QMimeData) -> list[str]:
    """The files and folders that are dragged; addresses of other places are left out."""
    return [path_of(url) for url in mime.urls() if url.isLocalFile()]


def pasted_paths(mime: QMimeData) -> list[str]:
    """What the clipboard names: files and folders, or a text of paths and addresses, one a line."""
    if mime.hasUrls():
        return named_places(mime)
    return [place for line in mime.text().splitlines() if (place := _place_in(line))]


def named_places(mime: QMimeData) -> list[str]:
    """What is dragged or was copied, addresses of other places too: what can't be added is told with its reason."""
    return [path_of(url) if url.isLocalFile() else url.toString() for url in mime.urls()]


def _place_in(line: str) -> str:
    """The path or the address that a line of text is; empty if it is anything else, such as a bare name."""
    text = line.strip()
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        text = text[1:-1]
    if text.startswith(("~/", f"~{os.sep}")):
        return os.path.expanduser(text)  # noqa: PTH111 - as it was written, but for its beginning
    # Not a Path, which takes several times as long, and this is the main thread.
    is_absolute = os.path.isabs(text) and (os.sep == "/" or bool(os.path.splitdrive(text)[0]))  # noqa: PTH117
    return text if is_absolute or text.lower().startswith(_ADDRESSES) else ""


def path_of(url: QUrl) -> str:
    """The path of a `file:` URL, even if its name is not UTF-8, which `QUrl.toLocalFile` would spoil."""
    path = url.toLocalFile()
    if sys.platform == "win32" or path.isascii():
        return path
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
