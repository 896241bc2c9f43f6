"""Looks for a queue in the regions where the person has not looked, and offers to use it there."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.tasks import Stream
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from desktop_app.config.settings import Connection
    from desktop_app.domain.connection_checks import FoundQueue
    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.tasks import Tasks
    from desktop_app.services.support.connection_advisor import ConnectionAdvisor

_OFFERED = 3


class RegionSearch(QObject):
    """One search at a time.

    Signals:
        said(Notice): How it goes and what was found.

    Args:
        advisor: Knows how to look.
        tasks: Where that is done.
        use: Given the connection that the person chooses of those found.
        parent: Qt's owner.
    """

    said = Signal(object)

    def __init__(
        self, advisor: ConnectionAdvisor, tasks: Tasks, use: Callable[[Connection], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._advisor = advisor
        self._use = use
        self._stream = Stream(tasks, self)
        self._connection: Connection | None = None
        self._stream.result.connect(self._tell)
        self._stream.failed.connect(self._tell_trouble)

    def start(self, connection: Connection) -> None:
        """Look for this connection's queue everywhere else."""
        self._connection = connection
        self.said.emit(
            Notice(
                tr("Looking for “{name}” in the other regions…").format(name=connection.queue_name),
                actions=(NoticeAction(tr("Stop"), self.stop),),
            )
        )

        def look(should_stop: Callable[[], bool]) -> Iterable[list[FoundQueue]]:
            return [self._advisor.look_in_regions(connection, should_stop)]

        self._stream.start(look)

    def stop(self) -> None:
        """Forget it."""
        self._stream.stop()

    def _tell(self, found: list[FoundQueue]) -> None:
        connection = self._connection
        if connection is None:
            return
        name = connection.queue_name
        if not found:
            text = tr(
                "No other region that answered has a queue “{name}” for this profile. It may be in another account."
            )
            self.said.emit(Notice(text.format(name=name), Kind.WARNING))
            return
        actions = tuple(
            NoticeAction(
                tr("Use {region}").format(region=one.region),
                partial(self._use, replace(connection, queue=one.url, region=one.region, endpoint_url="")),
            )
            for one in found[:_OFFERED]
        )
        regions = ", ".join(one.region for one in found)
        text = tr("“{name}” was found in {regions}.").format(name=name, regions=regions)
        self.said.emit(Notice(text, actions=actions))

    def _tell_trouble(self, error: KnownError) -> None:
        self.said.emit(Notice(translated(error.text), Kind.PROBLEM))
