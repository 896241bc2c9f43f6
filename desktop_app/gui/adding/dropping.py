"""Extracts paths from drag and drop and from the clipboard."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDragMoveEvent, QDropEvent, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QMimeData

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.wording import Wording


_LOOKED_AT = 50
"""More items than this are only counted: checking each is slow on a network share, and this is the main thread."""

_ADDRESSES = ("file:", "http://", "https://")

_QUOTES = ('"', "'")


def dragged_paths(mime: QMimeData) -> list[str]:
    """Return the local files and folders that are dragged, without web and other addresses."""
    return [path_of(url) for url in mime.urls() if url.isLocalFile()]


def pasted_paths(mime: QMimeData) -> list[str]:
    """Return the files and folders on the clipboard, or the paths and addresses in its text, one per line."""
    if mime.hasUrls():
        return named_places(mime)
    return [place for line in mime.text().splitlines() if (place := _place_in(line))]


def named_places(mime: QMimeData) -> list[str]:
    """Return dragged or copied items, including unsupported addresses, which are later refused with a reason."""
    return [path_of(url) if url.isLocalFile() else url.toString() for url in mime.urls()]


def _place_in(line: str) -> str:
    """Return the path or address in a line of text; empty for anything else, such as a bare name."""
    text = line.strip()
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        text = text[1:-1]
    if text.startswith(("~/", f"~{os.sep}")):
        return os.path.expanduser(text)  # noqa: PTH111 - as it was written, but for its beginning
    # No `Path`: it is several times slower, and this is the main thread.
    is_absolute = os.path.isabs(text) and (os.sep == "/" or bool(os.path.splitdrive(text)[0]))  # noqa: PTH117
    return text if is_absolute or text.lower().startswith(_ADDRESSES) else ""


def path_of(url: QUrl) -> str:
    """Return the path of a `file:` URL, also if it is not UTF-8, which `QUrl.toLocalFile` would corrupt."""
    path = url.toLocalFile()
    if sys.platform == "win32" or path.isascii():
        return path
    encoded = url.path(QUrl.ComponentFormattingOption.FullyEncoded)
    return os.fsdecode(unquote_to_bytes(encoded))


def drop_text(paths: Sequence[str], wording: Wording) -> str:
    """Return the text that says what a drop would do: `Drop to add 3 folders`."""
    if not paths:
        return tr("Only files and folders on this computer can be dropped here")
    if len(paths) > _LOOKED_AT:
        return tr("Drop to add %Ln item(s)", "", len(paths))
    folders = sum(Path(path).is_dir() for path in paths)
    files = len(paths) - folders
    if not folders:
        return tr("Drop to add %Ln file(s)", "", files)
    if not files:
        return tr("Drop to add %Ln folder(s)", "", folders)
    return tr("Drop to add {files} and %Ln folder(s)", "", folders).format(files=wording.files(files))


class DropTarget(QObject):
    """Handles drags over a window and shows on an overlay what a drop would do.

    Signals:
        dropped(list): The paths that were dropped.
    """

    dropped = Signal(list)

    def __init__(self, window: QWidget, overlay: DropOverlay, wording: Wording) -> None:
        super().__init__(window)
        self._overlay = overlay
        self._wording = wording
        self._welcome = False
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle drag events; pass on all others."""
        if isinstance(event, QDragEnterEvent):
            self._enter(event)
        elif isinstance(event, QDragMoveEvent):
            self._move(event)
        elif event.type() is QEvent.Type.DragLeave:
            self._overlay.hide()
            event.accept()
        elif isinstance(event, QDropEvent):
            self._drop(event)
        else:
            return super().eventFilter(watched, event)
        return True

    def _enter(self, event: QDragEnterEvent) -> None:
        """Accept every drag: after a refusal here, Qt does not report when it leaves."""
        paths = dragged_paths(event.mimeData())
        self._welcome = bool(paths)
        self._overlay.say(drop_text(paths, self._wording), welcome=self._welcome)
        event.acceptProposedAction()

    def _move(self, event: QDragMoveEvent) -> None:
        """Show with the mouse pointer whether a drop would do something."""
        if self._welcome:  # as on entering: thousands of paths can't be read on every mouse move
            event.acceptProposedAction()
        else:
            event.ignore()

    def _drop(self, event: QDropEvent) -> None:
        self._overlay.hide()
        if dragged_paths(event.mimeData()):
            event.acceptProposedAction()
            self.dropped.emit(named_places(event.mimeData()))


_GROUND_ALPHA = 242

_INSET = 14

_RADIUS = 14

_ICON = 48

_GAP = 14


class DropOverlay(QWidget):
    """A translucent overlay with one line of text; it ignores the mouse."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._covered = parent
        self._text = ""
        self._welcome = True
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    @property
    def text(self) -> str:
        """Return the text that is shown."""
        return self._text

    def say(self, text: str, *, welcome: bool) -> None:
        """Cover the parent and show what a drop would do, or why it would do nothing."""
        self._text = text
        self._welcome = welcome
        self.setAccessibleName(text)
        self.setGeometry(self._covered.rect())
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - as Qt has it
        """See Qt."""
        colours = self._theme.colours
        colour = QColor(colours.accent if self._welcome else colours.failed)
        ground = QColor(colours.base)
        ground.setAlpha(_GROUND_ALPHA)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), ground)
        pen = QPen(colour, 2, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        frame = QRectF(self.rect()).adjusted(_INSET, _INSET, -_INSET, -_INSET)
        painter.drawRoundedRect(frame, _RADIUS, _RADIUS)
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 1.6)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        height = painter.fontMetrics().height()
        top = frame.center().y() - (_ICON + _GAP + height) / 2
        icon = self._theme.icon("add-folder" if self._welcome else "cancel", colour.name())
        icon.paint(painter, int(frame.center().x()) - _ICON // 2, int(top), _ICON, _ICON)
        painter.setPen(QColor(colours.text))
        place = QRectF(frame.x(), top + _ICON + _GAP, frame.width(), height)
        painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, self._text)
        painter.end()
