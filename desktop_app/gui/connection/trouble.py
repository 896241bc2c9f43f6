"""Puts together what the window says about trouble and what it offers for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.gui.connection.banner import TroubleBanner
from desktop_app.gui.connection.remedies import Remedies

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.connection.desk import ConnectionDesk
    from desktop_app.gui.connection.foreign_watch import ForeignWatch
    from desktop_app.gui.widgets.notice import Notice, NoticeBar
    from desktop_app.gui.window_needs import WindowNeeds


def trouble_banner(
    bar: NoticeBar,
    needs: WindowNeeds,
    desk: ConnectionDesk,
    foreign: ForeignWatch,
    *,
    say: Callable[[Notice], None],
    window: QWidget,
) -> TroubleBanner:
    """The banner of a window, following its loops and its list.

    Args:
        bar: Where it is shown.
        needs: What the window was given.
        desk: The dialog, and what is looked up.
        foreign: Shows the messages that are not ours.
        say: Says what came of a button.
        window: The owner.
    """
    office = needs.session
    remedies = Remedies(
        office,
        desk,
        start_again=needs.start_again,
        show_foreign=foreign.show_newest,
        folder=needs.folder,
        window=window,
    )
    for speaker in (remedies, desk.regions, desk.sign_in):
        speaker.said.connect(say)
    banner = TroubleBanner(
        bar,
        try_now=office.try_now,
        start_again=needs.start_again,
        allow_processing=office.allow_processing,
        remedies=remedies.buttons,
        parent=window,
    )
    needs.states.trouble_changed.connect(banner.show_loops)
    needs.workbench.feed.problem.connect(banner.show_database)
    needs.workbench.feed.recovered.connect(banner.clear_database)
    return banner
