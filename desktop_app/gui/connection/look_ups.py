"""How the connection's dialog finds things out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.errors import KnownError
    from desktop_app.gui.stream import Stream
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.widgets.notice import NoticeAction
    from desktop_app.services.advisor import ConnectionAdvisor


@dataclass(frozen=True, slots=True)
class LookUps:
    """How the dialog finds things out; outlives it.

    Attributes:
        advisor: Who knows.
        tasks: Where short questions are asked.
        listing, testing: Where the longer ones are.
        remedy: What helps against an error, if anything here does.
    """

    advisor: ConnectionAdvisor
    tasks: Tasks
    listing: Stream
    testing: Stream
    remedy: Callable[[KnownError], NoticeAction | None]
