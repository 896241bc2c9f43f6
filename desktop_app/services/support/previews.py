"""Previews of files for the details: a small picture, or the first lines of a text."""

from __future__ import annotations

import codecs
import os
import threading
from typing import NamedTuple

from desktop_app.domain.errors import FileError
from desktop_app.domain.sentences import display_text, shortened
from desktop_app.processing.isolation import HelperProcess
from desktop_app.sources.local import open_source
from desktop_app.sources.mounts import MountTable

_PICTURES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_MOST_BYTES = 4096
_MOST_LINES = 8
_LONGEST_LINE = 80
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Preview(NamedTuple):
    """A preview.

    Attributes:
        picture: A PNG that was written by Filemill; None if there is none.
        text: The first lines as plain text; may be empty.
    """

    picture: bytes | None = None
    text: str = ""


class Previews:
    """Makes previews. Any thread, one at a time; pictures are decoded in a child process."""

    def __init__(self) -> None:
        self._helper = HelperProcess()
        self._mounts = MountTable()
        self._lock = threading.Lock()

    def of(self, path: str, pixels: int) -> Preview:
        """Return the preview of a file. It is empty for files on network shares and for what can't be shown.

        Args:
            path: The path as decoded by `os.fsdecode`.
            pixels: The largest width and height of a picture.
        """
        if self._mounts.mount_of(path).is_remote:
            return Preview()
        if os.path.splitext(path)[1].lower() in _PICTURES:  # noqa: PTH122 - keep surrogates
            with self._lock:
                return Preview(self._helper.thumbnail(path, pixels))
        try:
            with open_source(path) as source:
                content = source.read_at(0, _MOST_BYTES)
        except FileError:  # the details already say what is wrong with the file
            return Preview()
        return Preview(text=_first_lines(content))

    def close(self) -> None:
        """End the child process, unless it is making a picture: then it ends together with this program."""
        if self._lock.acquire(blocking=False):
            self._helper.close()
            self._lock.release()


def _first_lines(content: bytes) -> str:
    """Return the first lines of a text; empty for anything that is not a text."""
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    if not mark and b"\0" in content:
        return ""
    encoding = _MARKS.get(mark, "utf-8")
    try:
        # The last character is cut off if there is more than what was read.
        text = codecs.getincrementaldecoder(encoding)().decode(content[len(mark) :], len(content) < _MOST_BYTES)
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    lines = text.splitlines()[:_MOST_LINES]
    return "\n".join(display_text(shortened(line.expandtabs(4), _LONGEST_LINE)) for line in lines)
