"""Extracts paths from drag and drop and from the clipboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDragMoveEvent, QDropEvent, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop_app.gui.i18n import tr
from desktop_app.sources.location import is_address, is_local_or_network, names_in_text, names_in_uri_list
from desktop_app.sources.share_access import is_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.wording import Wording


_MAX_CHECKED = 50
"""The drop text distinguishes files from folders up to this number of items. Checking more could block the window for
a long time on a slow network share."""

_URI_LISTS = ("text/uri-list", "x-special/gnome-copied-files")


def dragged_names(mime: QMimeData) -> list[str]:
    """Return the paths and URLs of the dragged items, in the form that `scan` accepts.

    `QMimeData.urls` is not used, since `QUrl.toLocalFile` ignores the name of the computer, and corrupts paths that
    are not UTF-8.
    """
    kind = next((kind for kind in _URI_LISTS if mime.hasFormat(kind)), "")
    return names_in_uri_list(bytes(mime.data(kind).data())) if kind else []


def pasted_names(mime: QMimeData) -> list[str]:
    """Return the paths and URLs of copied files, or those in copied text, in the form that `scan` accepts."""
    return dragged_names(mime) or names_in_text(mime.text())


def drop_text(names: Sequence[str], wording: Wording) -> str:
    """Return the text for the overlay, such as `Drop to add 3 folders`.

    Args:
        names: The paths and URLs of the items that can be dropped; see `is_local_or_network`.
        wording: The formatter for numbers.
    """
    if not names:
        return tr("Only files and folders on this computer can be dropped here")
    if len(names) > _MAX_CHECKED or any(map(is_address, names)):
        return tr("Drop to add %Ln item(s)", "", len(names))
    folders = sum(is_folder(name) for name in names)
    files = len(names) - folders
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
        names = [name for name in dragged_names(event.mimeData()) if is_local_or_network(name)]
        self._accepts = bool(names)
        self._overlay.show_text(drop_text(names, self._wording), accepts=self._accepts)
        event.acceptProposedAction()

    def _move(self, event: QDragMoveEvent) -> None:
        """Show a drop cursor if the drop would be accepted."""
        if self._accepts:  # set by `_enter`: reading thousands of paths on each mouse move is too slow
            event.acceptProposedAction()
        else:
            event.ignore()

    def _drop(self, event: QDropEvent) -> None:
        self._overlay.hide()
        names = dragged_names(event.mimeData())
        if any(map(is_local_or_network, names)):
            event.acceptProposedAction()
            self.dropped.emit(names)


_BACKGROUND_ALPHA = 242

_INSET = 14
_RADIUS = 14
_ICON = 48
_GAP = 14


class DropOverlay(QWidget):
    """A translucent overlay that shows an icon and a line of text over its parent and ignores the mouse.

    Attributes:
        text: The displayed text.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._covered = parent
        self.text = ""
        self._accepts = True
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_text(self, text: str, *, accepts: bool) -> None:
        """Cover the parent and show a text.

        Args:
            text: What a drop would do, or why it would be rejected.
            accepts: Whether the drop would be accepted.
        """
        self.text = text
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
        icon = self._theme.icon("add-folder" if self._accepts else "cancel", "accent" if self._accepts else "failed")
        icon.paint(painter, int(frame.center().x()) - _ICON // 2, int(top), _ICON, _ICON)
        painter.setPen(QColor(colours.text))
        line = QRectF(frame.x(), top + _ICON + _GAP, frame.width(), height)
        painter.drawText(line, Qt.AlignmentFlag.AlignHCenter, self.text)
        painter.end()
