"""A small window to drag files from, like a file manager: `drag_source.py PATH …`."""

from __future__ import annotations

import sys

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel


class Source(QLabel):
    """Starts dragging its files when the mouse moves with a button down."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__("Drag me")
        self._paths = paths
        self.setWindowTitle("Files To Drag")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """See Qt."""
        if not event.buttons():
            return
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(path) for path in self._paths])
        drag = QDrag(self)
        drag.setMimeData(mime)
        drag.exec(Qt.DropAction.CopyAction)


def main() -> int:
    """Show the window."""
    application = QApplication(["drag-source"])
    source = Source(sys.argv[1:])
    source.setGeometry(20, 640, 160, 110)
    source.show()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
