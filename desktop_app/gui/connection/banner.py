"""The banner under the toolbar: shows the most important problem as long as it lasts."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from desktop_app.gui.connection.status import Need, Trouble
from desktop_app.gui.i18n import translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.widgets.notice import NoticeBar


RETURNS_S = 30.0
"""A problem that comes back within this many seconds is the same problem."""

_KINDS = {
    Need.NOTHING: Kind.PROBLEM,
    Need.PATIENCE: Kind.WARNING,
    Need.RESTART: Kind.PROBLEM,
    Need.PERMISSION: Kind.INFO,
}


class TroubleBanner(QObject):
    """Fills a notice bar. A problem that the user has dismissed is not shown again.

    Args:
        bar: Shows the problem; becomes the parent.
        buttons: Makes the buttons for a problem.
        steady: A monotonic clock in seconds.
    """

    def __init__(
        self,
        bar: NoticeBar,
        buttons: Callable[[Trouble], tuple[NoticeAction, ...]],
        *,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(bar)
        self._bar = bar
        self._buttons = buttons
        self._steady = steady
        self._database: Trouble | None = None
        self._loops: Trouble | None = None
        self._dismissed = ""
        self._last: tuple[str, int, float] = ("", 0, 0.0)
        """The problem shown last: its text, how often it occurred, when it ended."""
        bar.dismissed.connect(self._note_dismissed)

    @Slot(object)
    def set_loop_trouble(self, trouble: Trouble | None) -> None:
        """Set the problem of the sender or the consumer; None when it is over."""
        self._loops = trouble
        self._update()

    @Slot(object)
    def set_database_error(self, error: KnownError) -> None:
        """Set the reason why the list can't be read."""
        self._database = Trouble(translated(error.text), Need.NOTHING, error)
        self._update()

    @Slot()
    def clear_database_error(self) -> None:
        """Note that the list can be read again."""
        self._database = None
        self._update()

    def _current(self) -> Notice | None:
        trouble = self._database or self._loops
        if trouble is None:
            return None
        # These errors say everything in their text.
        title = translated(trouble.error.title) if trouble.error is not None and trouble is self._loops else ""
        text = translated(trouble.error.body) if trouble.error is not None and title else trouble.text
        return Notice(text, _KINDS[trouble.need], self._buttons(trouble), title=title)

    def _update(self) -> None:
        current = self._current()
        shown = self._bar.notice
        if current is None:
            self._dismissed = ""
            if shown is not None:
                self._last = (shown.title + shown.text, shown.times, self._steady())
            self._bar.clear()
        elif current.text == self._dismissed:
            self._bar.clear()
        elif shown is None or (shown.title, shown.text, shown.kind) != (current.title, current.text, current.kind):
            self._bar.show_notice(self._counted(current))

    def _counted(self, notice: Notice) -> Notice:
        words, times, ended = self._last
        if words == notice.title + notice.text and self._steady() - ended < RETURNS_S:
            return replace(notice, times=times + 1)
        return notice

    @Slot(str)
    def _note_dismissed(self, text: str) -> None:
        self._dismissed = text
