"""Counts beside the main thread, as a person types, which files are meant."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from desktop_app.gui.ports import Background
    from desktop_app.services.review import Picked, Review, Wish

_REST_MS = 120
"""Between two keystrokes nothing is counted; a person who types quickly would only see numbers that are wrong."""


class ReviewCount(QObject):
    """Keeps the count of what is meant up to date; only the newest wish counts.

    Signals:
        counted(Picked): What the newest wish comes to.

    Args:
        review: What there is to choose from.
        run: Runs work beside the main thread.
        parent: Qt's owner.
    """

    counted = Signal(object)

    def __init__(self, review: Review, run: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._review = review
        self._run = run
        self._wish: Wish | None = None
        self._picked: Picked | None = None
        self._stale = threading.Event()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.count_now)

    @property
    def picked(self) -> Picked | None:
        """What the newest wish comes to; None while it is not known."""
        return self._picked

    def wish_for(self, wish: Wish) -> None:
        """Count this as soon as nothing new is typed for a moment."""
        self.stop()
        self._wish = wish
        self._rest.start()

    @Slot()
    def count_now(self) -> None:
        """Do not wait for more to be typed."""
        if self._wish is None or self._picked is not None:
            return
        self.stop()
        stale = self._stale = threading.Event()
        self._run(partial(self._review.pick, self._wish, stale.is_set), partial(self._take, stale))

    def stop(self) -> None:
        """Forget what is being counted."""
        self._rest.stop()
        self._stale.set()
        self._picked = None

    def _take(self, stale: threading.Event, picked: Picked | None) -> None:
        # Asked here and not of the result: it may have been made before it became stale.
        if picked is not None and not stale.is_set():
            self._picked = picked
            self.counted.emit(picked)
