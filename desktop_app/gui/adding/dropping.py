"""Extracts paths from drag and drop and from the clipboard."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDragMoveEvent, QDropEvent, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop_app.gui.i18n import tr
from desktop_app.sources.share_access import is_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.wording import Wording


_MAX_CHECKED = 50
"""The drop text distinguishes files from folders up to this number of items. Checking more could block the window for
a long time on a slow network share."""

_ADDRESSES = ("file:", "http://", "https://")

_QUOTES = ('"', "'")


def dragged_paths(mime: QMimeData) -> list[str]:
    """Return the paths of the dragged local files and folders."""
    return [_local_path(url) for url in mime.urls() if url.isLocalFile()]


def pasted_paths(mime: QMimeData) -> list[str]:
    """Return the paths of copied files and folders, or those lines of copied text that are paths or addresses."""
    if mime.hasUrls():
        return dropped_paths(mime)
    return [path for line in mime.text().splitlines() if (path := _path_in(line))]


def dropped_paths(mime: QMimeData) -> list[str]:
    """Return the paths of local items and the URLs of all others, which the scan refuses with a reason."""
    return [_local_path(url) if url.isLocalFile() else url.toString() for url in mime.urls()]


def _path_in(line: str) -> str:
    """Return the absolute path or the address in a line of text, or an empty string if there is neither."""
    text = line.strip()
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        text = text[1:-1]
    if text.startswith(("~/", f"~{os.sep}")):
        return os.path.expanduser(text)  # noqa: PTH111 - `Path` would normalize the rest
    # `Path` is several times slower, and this runs on the main thread.
    is_absolute = os.path.isabs(text) and (os.sep == "/" or bool(os.path.splitdrive(text)[0]))  # noqa: PTH117
    return text if is_absolute or text.lower().startswith(_ADDRESSES) else ""


def _local_path(url: QUrl) -> str:
    """Return the path of a `file:` URL. `QUrl.toLocalFile` corrupts paths that are not UTF-8."""
    path = url.toLocalFile()
    if sys.platform == "win32" or path.isascii():
        return path
    encoded = url.path(QUrl.ComponentFormattingOption.FullyEncoded)
    return os.fsdecode(unquote_to_bytes(encoded))


def drop_text(paths: Sequence[str], wording: Wording) -> str:
    """Return the text for the overlay, such as `Drop to add 3 folders`."""
    if not paths:
        return tr("Only files and folders on this computer can be dropped here")
    if len(paths) > _MAX_CHECKED:
        return tr("Drop to add %Ln item(s)", "", len(paths))
    folders = sum(is_folder(path) for path in paths)
    files = len(paths) - folders
    if not folders:
        return tr("Drop to add %Ln file(s)", "", files)
    if not files:
        return tr("Drop to add %Ln folder(s)", "", folders)
    return tr("Drop to add {files} and %Ln folder(s)", "", folders).format(files=wording.files(files))


class DropTarget(QObject):
    """Handles drag and drop for a window.

    Signals:
        dropped(list): The dropped paths and URLs.

    Args:
        window: The window.
        overlay: The overlay that shows what a drop would do.
        wording: The formatter for numbers.
    """

    dropped = Signal(list)

    def __init__(self, window: QWidget, overlay: DropOverlay, wording: Wording) -> None:
        super().__init__(window)
        self._overlay = overlay
        self._wording = wording
        self._accepts = False
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle drag and drop events."""
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
        """Accept every drag, because Qt sends no leave event for a rejected one."""
        paths = dragged_paths(event.mimeData())
        self._accepts = bool(paths)
        self._overlay.show_text(drop_text(paths, self._wording), accepts=self._accepts)
        event.acceptProposedAction()

    def _move(self, event: QDragMoveEvent) -> None:
        """Show a drop cursor if the drop would be accepted."""
        if self._accepts:  # set by `_enter`: reading thousands of paths on each mouse move is too slow
            event.acceptProposedAction()
        else:
            event.ignore()

    def _drop(self, event: QDropEvent) -> None:
        self._overlay.hide()
        if dragged_paths(event.mimeData()):
            event.acceptProposedAction()
            self.dropped.emit(dropped_paths(event.mimeData()))


_BACKGROUND_ALPHA = 242

_INSET = 14
_RADIUS = 14
_ICON = 48
_GAP = 14


class DropOverlay(QWidget):
    """A translucent overlay that shows an icon and a line of text over its parent and ignores the mouse."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._covered = parent
        self._text = ""
        self._accepts = True
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    @property
    def text(self) -> str:
        """Return the displayed text."""
        return self._text

    def show_text(self, text: str, *, accepts: bool) -> None:
        """Cover the parent and show a text.

        Args:
            text: What a drop would do, or why it would be rejected.
            accepts: Whether the drop would be accepted.
        """
        self._text = text
        self._accepts = accepts
        self.setAccessibleName(text)
        self.setGeometry(self._covered.rect())
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Paint the background, the frame, the icon and the text."""
        colours = self._theme.colours
        colour = QColor(colours.accent if self._accepts else colours.failed)
        background = QColor(colours.base)
        background.setAlpha(_BACKGROUND_ALPHA)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), background)
        painter.setPen(QPen(colour, 2, Qt.PenStyle.DashLine))
        frame = QRectF(self.rect()).adjusted(_INSET, _INSET, -_INSET, -_INSET)
        painter.drawRoundedRect(frame, _RADIUS, _RADIUS)
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 1.6)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        height = painter.fontMetrics().height()
        top = frame.center().y() - (_ICON + _GAP + height) / 2
        icon = self._theme.icon("add-folder" if self._accepts else "cancel", colour.name())
        icon.paint(painter, int(frame.center().x()) - _ICON // 2, int(top), _ICON, _ICON)
        painter.setPen(QColor(colours.text))
        line = QRectF(frame.x(), top + _ICON + _GAP, frame.width(), height)
        painter.drawText(line, Qt.AlignmentFlag.AlignHCenter, self._text)
        painter.end()
