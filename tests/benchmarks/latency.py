"""Measure how long a file that is added while the program is idle takes until its row shows that it is processed.

    python tests/benchmarks/latency.py [FILES]

The files are added one after the other to a window on the embedded queue. The time begins when a file is saved in the
database, and ends when its row has been painted with the new status; the steps in between are printed as well.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.domain.job import Status
from desktop_app.gui.theme.theme import Theme
from desktop_app.gui.wording import status_word
from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.window_app import assemble, make_application, open_with_dialogs
from tests.benchmarks._kit import pause, spin, tell
from tests.benchmarks._results import note

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = 60
GOAL_MS = 150
PAUSE_SECONDS = 0.5
SETTLE_SECONDS = 3.0


class Marks:
    """The moments at which the steps of one file were first reached."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def set(self, step: str) -> None:
        self.at.setdefault(step, time.perf_counter())

    def after(self, owner: type, method: str, step: str, *, is_reached: Callable[[object], object] = bool) -> None:
        """Mark a step whenever a method returns something."""
        original = getattr(owner, method)

        def marked(*arguments: object, **more: object) -> object:
            result = original(*arguments, **more)
            if is_reached(result):
                self.set(step)
            return result

        setattr(owner, method, marked)


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    folder = Path(tempfile.mkdtemp())
    os.environ["FILEMILL_HOME"] = str(folder / "home")
    marks = Marks()
    marks.after(JobEditor, "add", "saved")
    marks.after(EmbeddedQueue, "send", "sent")
    marks.after(EmbeddedQueue, "receive", "received")
    application = make_application()
    theme = Theme()
    theme.follow(application, "light")
    program = open_with_dialogs(os.environ)
    assert program is not None
    running = assemble(program, theme)
    model = running.jobs.model
    running.jobs.feed.changed.connect(
        lambda changes: marks.set("read") if any(job.status is Status.PROCESSED for job in changes.jobs) else None
    )
    running.start()
    pause(SETTLE_SECONDS)
    processed = status_word(Status.PROCESSED)
    taken: dict[str, list[float]] = {}

    def is_shown(row: int) -> bool:
        texts = [model.index(row, column).data() for column in range(model.columnCount())]
        return model.rowCount() > row and processed in texts

    for row in range(count):
        path = folder / f"{row}.txt"
        path.write_text("a line\n" * 300, encoding="utf-8")
        marks.at.clear()
        running.window.add([str(path)])
        spin(lambda row=row: is_shown(row))  # type: ignore[misc]
        running.window.view.viewport().repaint()
        marks.set("painted")
        for step, at in marks.at.items():
            taken.setdefault(step, []).append((at - marks.at["saved"]) * 1000)
        pause(PAUSE_SECONDS)
    for step, times in sorted(taken.items(), key=lambda item: statistics.median(item[1])):
        note(f"a file added while idle: {step}", f"{statistics.median(times):.0f} ms after it was saved (median)")
    tell(
        "a file added while idle, saved to PROCESSED on the screen, p95",
        statistics.quantiles(taken["painted"], n=20)[-1],
        GOAL_MS,
    )
    running.ended.connect(application.quit)
    running.window.close()
    application.exec()
    return 0


if __name__ == "__main__":
    sys.exit(main())
