"""The main job in the real window, without a display: what trying out and the self-test share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.app import assemble, make_application

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from desktop_app.gui.adding.adder import AddReport
    from desktop_app.gui.life.running import RunningWindow
    from desktop_app.jobs import Job

SECONDS = 60
_SETTLE_MS = 700
"""Longer than the window takes to show what the database says."""


def process_offscreen(
    paths: Sequence[str], environment: Mapping[str, str], screenshot: Path | None, *, seconds: float = SECONDS
) -> list[Job]:
    """Build the real window, add files through it, wait until all of them have ended, and close it.

    Call it once in a process, whose environment says QT_QPA_PLATFORM=offscreen and names a FILEMILL_HOME of its own.

    Args:
        paths: What to add.
        environment: Which database and queue; see `open_program`.
        screenshot: Where the window's picture goes; None for none.
        seconds: How long to wait at most.

    Returns:
        The jobs, as they have ended; or as they are after that time.

    Raises:
        KnownError: If settings or database can't be opened.
    """
    from desktop_app.gui.look.look import Look
    from desktop_app.wiring import open_program

    application = make_application()
    look = Look()
    look.follow(application)
    program = open_program(environment)
    running = assemble(program, look)
    running.ended.connect(application.quit)
    jobs: list[Job] = []

    def finish() -> None:
        jobs.extend(program.jobs.all())
        if screenshot is not None:
            running.window.grab().save(str(screenshot))
        running.window.close()

    when_all_ended(running, finish, seconds=seconds)
    running.start(paths)
    application.exec()
    return jobs


def when_all_ended(running: RunningWindow, then: Callable[[], None], *, seconds: float) -> None:
    """Call `then` once, when every file that was added has ended and the window shows it, or when the time is over."""
    from PySide6.QtCore import QTimer

    timer = QTimer(running)
    timer.setSingleShot(True)
    timer.timeout.connect(then)
    timer.start(round(seconds * 1000))

    added: list[int] = []

    def look() -> None:
        counts = running.workbench.totals.counts
        if added and counts.total >= sum(added) and not counts.unfinished and not running.workbench.adder.busy:
            timer.start(_SETTLE_MS)

    def note(report: AddReport) -> None:
        added.append(report.added)
        look()

    running.workbench.totals.changed.connect(look)
    running.workbench.adder.finished.connect(note)
