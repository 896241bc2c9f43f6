"""Decides what stands under the toolbar: the one trouble that matters most, as long as it lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from desktop_app.gui.loop_states import Need
from desktop_app.gui.notice import Kind, Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.gui.loop_states import Trouble
    from desktop_app.gui.notice import NoticeBar


class TroubleBanner(QObject):
    """Fills a notice bar. What the person has dismissed does not come back with the same words.

    Args:
        bar: Where it is shown.
        try_now: Makes a loop that waits try at once.
        start_again: Starts loops that have ended by themselves.
        allow_processing: Lets files of this queue be processed on this computer.
        parent: Qt's owner.
    """

    def __init__(
        self,
        bar: NoticeBar,
        *,
        try_now: Callable[[], None],
        start_again: Callable[[], None],
        allow_processing: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bar = bar
        self._try_now = NoticeAction("Try Now", try_now)
        self._start_again = NoticeAction("Start Again", start_again)
        self._allow = NoticeAction("Process Here", allow_processing)
        self._database = ""
        self._loops: Trouble | None = None
        self._dismissed = ""
        bar.dismissed.connect(self._note_dismissed)

    @Slot(object)
    def show_loops(self, trouble: Trouble | None) -> None:
        """The sender's or the consumer's trouble, or None when it is over."""
        self._loops = trouble
        self._update()

    @Slot(str)
    def show_database(self, text: str) -> None:
        """The list can't be read."""
        self._database = text
        self._update()

    @Slot()
    def clear_database(self) -> None:
        """It can be read again."""
        self._database = ""
        self._update()

    def _wanted(self) -> Notice | None:
        if self._database:
            return Notice(self._database, Kind.PROBLEM)
        if self._loops is None:
            return None
        if self._loops.kind is Need.PERMISSION:
            return Notice(self._loops.text, Kind.INFO, (self._allow,))
        if self._loops.kind is Need.RESTART:
            return Notice(self._loops.text, Kind.PROBLEM, (self._start_again,))
        return Notice(self._loops.text, Kind.WARNING, (self._try_now,))

    def _update(self) -> None:
        wanted = self._wanted()
        if wanted is None:
            self._dismissed = ""
            self._bar.clear()
        elif wanted.text == self._dismissed:
            self._bar.clear()
        elif wanted != self._bar.notice:
            self._bar.show_notice(wanted)

    @Slot(str)
    def _note_dismissed(self, text: str) -> None:
        self._dismissed = text
