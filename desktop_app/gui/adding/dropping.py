"""From what was dragged, dropped or pasted to the paths in it."""

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
"""More things than this are only counted: looking at each takes time on a slow share, and this is the main thread."""

_ADDRESSES = ("file:", "http://", "https://")

_QUOTES = ('"', "'")


def dragged_paths(mime: QMimeData) -> list[str]:
    """Return the files and folders that are dragged, without addresses of other places."""
    return [path_of(url) for url in mime.urls() if url.isLocalFile()]


def pasted_paths(mime: QMimeData) -> list[str]:
    """Return what the clipboard names: files and folders, or a text of paths and addresses, one a line."""
    if mime.hasUrls():
        return named_places(mime)
    return [place for line in mime.text().splitlines() if (place := _place_in(line))]


def named_places(mime: QMimeData) -> list[str]:
    """Return what is dragged or was copied, addresses of other places too, which are refused with a reason."""
    return [path_of(url) if url.isLocalFile() else url.toString() for url in mime.urls()]


def _place_in(line: str) -> str:
    """Return the path or address that a line of text is; empty if it is anything else, such as a bare name."""
    text = line.strip()
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        text = text[1:-1]
    if text.startswith(("~/", f"~{os.sep}")):
        return os.path.expanduser(text)  # noqa: PTH111 - as it was written, but for its beginning
    # Not a Path, which takes several times as long, and this is the main thread.
    is_absolute = os.path.isabs(text) and (os.sep == "/" or bool(os.path.splitdrive(text)[0]))  # noqa: PTH117
    return text if is_absolute or text.lower().startswith(_ADDRESSES) else ""


def path_of(url: QUrl) -> str:
    """Return the path of a `file:` URL, even if its name is not UTF-8, which `QUrl.toLocalFile` would spoil."""
    path = url.toLocalFile()
    if sys.platform == "win32" or path.isascii():
        return path
    encoded = url.path(QUrl.ComponentFormattingOption.FullyEncoded)
    return os.fsdecode(unquote_to_bytes(encoded))


def drop_text(paths: Sequence[str], wording: Wording) -> str:
    """Return what a drop would do: `Drop to add 3 folders`."""
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


class DropTarget(QObject):
    """Hears what is dragged over a window, and says on its overlay what a drop would do.

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
        """Take the events of a drag; all others go their way."""
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
        """Accept the drag in any case: who refuses here is not told when it leaves."""
        paths = dragged_paths(event.mimeData())
        self._welcome = bool(paths)
        self._overlay.say(drop_text(paths, self._wording), welcome=self._welcome)
        event.acceptProposedAction()

    def _move(self, event: QDragMoveEvent) -> None:
        """Let the mouse pointer show whether a drop would do something."""
        if self._welcome:  # as it came in: thousands of paths can't be read at each step of the mouse
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
    """A veil with one line of text; the mouse goes through it."""

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
        """Cover the parent and say what a drop would do, or why it would do nothing."""
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
