"""Decides what stands under the toolbar: the one trouble that matters most, as long as it lasts."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from desktop_app.gui.connection.remedies import Remedies
from desktop_app.gui.connection.status import Need, Trouble
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.connection.desk import ConnectionDesk
    from desktop_app.gui.connection.foreign_watch import ForeignWatch
    from desktop_app.gui.connection.status import LoopStates
    from desktop_app.gui.ports import Office
    from desktop_app.gui.table.model import JobFeed
    from desktop_app.gui.widgets.notice import NoticeBar


RETURNS_S = 30.0
"""What comes back within so many seconds is the same trouble still."""


class TroubleBanner(QObject):
    """Fills a notice bar. What the person has dismissed does not come back with the same words.

    Args:
        bar: Where it is shown.
        try_now: Makes a loop that waits try at once.
        start_again: Starts loops that have ended by themselves.
        allow_processing: Lets files of this queue be processed on this computer.
        remedies: The buttons for a trouble whose cause is known; none for one that has no better than these.
        steady: The time in seconds, for what comes back.
        parent: Qt's owner.
    """

    def __init__(
        self,
        bar: NoticeBar,
        *,
        try_now: Callable[[], None],
        start_again: Callable[[], None],
        allow_processing: Callable[[], None],
        remedies: Callable[[Trouble], tuple[NoticeAction, ...]] = lambda _: (),
        steady: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bar = bar
        self._try_now = NoticeAction(tr("Try Now"), try_now, keeps=True)
        self._start_again = NoticeAction(tr("Start Again"), start_again)
        self._allow = NoticeAction(tr("Process Here"), allow_processing)
        self._remedies = remedies
        self._steady = steady
        self._database: Trouble | None = None
        self._loops: Trouble | None = None
        self._dismissed = ""
        self._last: tuple[str, int, float] = ("", 0, 0.0)
        """The trouble that was shown last: its words, how often it came, when it ended."""
        bar.dismissed.connect(self._note_dismissed)

    @Slot(object)
    def show_loops(self, trouble: Trouble | None) -> None:
        """The sender's or the consumer's trouble, or None when it is over."""
        self._loops = trouble
        self._update()

    @Slot(object)
    def show_database(self, error: KnownError) -> None:
        """The list can't be read."""
        self._database = Trouble(translated(error.text), error=error)
        self._update()

    @Slot()
    def clear_database(self) -> None:
        """It can be read again."""
        self._database = None
        self._update()

    def _wanted(self) -> Notice | None:
        if self._database is not None:
            return Notice(self._database.text, Kind.PROBLEM, self._remedies(self._database))
        if self._loops is None:
            return None
        kind, actions = {
            Need.PERMISSION: (Kind.INFO, (self._allow,)),
            Need.RESTART: (Kind.PROBLEM, (self._start_again,)),
            Need.PATIENCE: (Kind.WARNING, (self._try_now,)),
        }[self._loops.kind]
        error = self._loops.error
        title = translated(error.title) if error is not None else ""
        text = translated(error.body) if error is not None and title else self._loops.text
        return Notice(text, kind, self._remedies(self._loops) or actions, title=title)

    def _update(self) -> None:
        wanted = self._wanted()
        shown = self._bar.notice
        if wanted is None:
            self._dismissed = ""
            if shown is not None:
                self._last = (shown.title + shown.text, shown.times, self._steady())
            self._bar.clear()
        elif wanted.text == self._dismissed:
            self._bar.clear()
        elif shown is None or (shown.title, shown.text, shown.kind) != (wanted.title, wanted.text, wanted.kind):
            self._bar.show_notice(self._counted(wanted))

    def _counted(self, notice: Notice) -> Notice:
        words, times, ended = self._last
        if words == notice.title + notice.text and self._steady() - ended < RETURNS_S:
            return replace(notice, times=times + 1)
        return notice

    @Slot(str)
    def _note_dismissed(self, text: str) -> None:
        self._dismissed = text


def trouble_banner(
    bar: NoticeBar,
    office: Office,
    desk: ConnectionDesk,
    foreign: ForeignWatch,
    *,
    states: LoopStates,
    feed: JobFeed,
    start_again: Callable[[], None],
    folder: Path,
    say: Callable[[Notice], None],
    window: QWidget,
) -> TroubleBanner:
    """The banner of a window, following its loops and its list.

    Args:
        bar: Where it is shown.
        office: The current connection.
        desk: The dialog, and what is looked up.
        foreign: Shows the messages that are not ours.
        states: What the loops do.
        feed: Tells whether the list can be read.
        start_again: Starts loops that have ended by themselves.
        folder: Where the list is kept.
        say: Says what came of a button.
        window: The owner.
    """
    remedies = Remedies(
        office,
        desk,
        start_again=start_again,
        show_foreign=foreign.show_newest,
        folder=folder,
        window=window,
    )
    for speaker in (remedies, desk.regions, desk.sign_in):
        speaker.said.connect(say)
    banner = TroubleBanner(
        bar,
        try_now=office.try_now,
        start_again=start_again,
        allow_processing=office.allow_processing,
        remedies=remedies.buttons,
        parent=window,
    )
    states.trouble_changed.connect(banner.show_loops)
    feed.problem.connect(banner.show_database)
    feed.recovered.connect(banner.clear_database)
    return banner
