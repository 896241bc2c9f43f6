"""Asks the database four times a second what has changed, whoever changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.errors import KnownError

if TYPE_CHECKING:
    from desktop_app.gui.ports import JobReader

EVERY_MS = 250


class JobFeed(QObject):
    """The change feed as a signal. The question is cheap, so it needs nobody to tell it when to ask.

    Signals:
        changed(Changes): What other threads and other programs have written since the last time.
        problem(KnownError): The database can't be read; said once, until it was read again or the text is another.
        recovered(): It can be read again after `problem`.
    """

    changed = Signal(object)
    problem = Signal(object)
    recovered = Signal()

    def __init__(self, reader: JobReader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader = reader
        self._revision = 0
        self._problem = ""
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Begin with what is written from now on. Who loads the list afterwards misses nothing.

        Raises:
            StoreError: If the database can't be read.
        """
        self._revision = self._reader.revision()
        self._timer.start()

    def stop(self) -> None:
        """Ask no more."""
        self._timer.stop()

    @Slot()
    def look(self) -> None:
        """Ask now."""
        try:
            revision = self._reader.revision()
            changes = self._reader.changes_since(self._revision) if revision != self._revision else None
        except KnownError as error:
            self._say(error)
            return
        if self._problem:
            self._problem = ""
            self.recovered.emit()
        if changes is not None:
            self._revision = changes.revision
            self.changed.emit(changes)

    def _say(self, error: KnownError) -> None:
        if error.text != self._problem:
            self._problem = error.text
            self.problem.emit(error)
