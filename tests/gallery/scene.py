"""A program with a list and its window, in their own folder."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from peewee import Case, fn
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt, QThread
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QDialog

from desktop_app.bootstrap import open_program
from desktop_app.domain.job import AttemptOutcome, NewFile, Status
from desktop_app.gui.connection.status import LoopKind
from desktop_app.gui.widgets.notice import Kind
from desktop_app.services.loops import LoopState, Phase
from desktop_app.store.models import AttemptRow, BatchRow, JobRow
from desktop_app.store.rows import reason_columns
from desktop_app.window_app import assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PySide6.QtWidgets import QMenu, QWidget

    from desktop_app.domain.reasons import Reason
    from desktop_app.gui.theme.theme import Theme

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
_PATIENCE_S = 60
_SHADE = 70
_MARGIN = 8
_BACKDROP = QColor("#5a6672")


class Scene:
    """The scene of a picture.

    Attributes:
        program, running, window: The real objects; the loops only run after `start`.
        now: The time, in milliseconds since 1970.
    """

    def __init__(self, look: Theme, folder: Path, **environment: str) -> None:
        self.folder = folder
        self._environment = {"FILEMILL_HOME": str(folder / "home"), "AWS_EC2_METADATA_DISABLED": "true", **environment}
        os.environ.update(self._environment)
        self.now = 0
        self.look_at_the_clock()
        self.program = open_program(os.environ)
        self.running = assemble(self.program, look)
        self.window = self.running.window

    def look_at_the_clock(self) -> None:
        """Set `now` to the current time."""
        self.now = int(time.time() * 1000)

    # --- the list

    def add(self, names: Sequence[tuple[str, int | None]], batch: str, *, ago: int) -> list[int]:
        """Add files as of this many milliseconds ago; return their keys in order."""
        before = set(self.program.jobs.ids())
        self.program.editor.add([NewFile(f"/data/{batch}/{name}", size, 0) for name, size in names], name=batch)
        keys = [key for key in self.program.jobs.ids() if key not in before]
        self.change(keys, created_at=self.now - ago)
        number = self.program.jobs.page(keys[:1])[keys[0]].batch_id
        with self.program.database.write():
            self.program.database.run(BatchRow.update(created_at=self.now - ago).where(BatchRow.id == number))
        return keys

    def change(self, keys: Sequence[int], **fields: Any) -> None:
        """Write rows as a worker would."""
        for start in range(0, len(keys), 500):
            with self.program.database.write() as revision:
                chosen = JobRow.id.in_(keys[start : start + 500])
                self.program.database.run(JobRow.update(revision=revision, **fields).where(chosen))

    def finish(self, keys: Sequence[int], *, ago: int) -> None:
        """Mark these as processed, one shortly after the other."""
        size = fn.COALESCE(JobRow.file_size, 0)
        end = Case(JobRow.id, [(key, self.now - ago + place * 90) for place, key in enumerate(keys)])
        self.change(
            keys,
            status=Status.PROCESSED,
            lines_count=size / 37,
            bytes_done=size,
            attempts=1,
            sent_at=end - SECOND,
            started_at=end - 60 - size / 30_000,
            finished_at=end,
        )

    def fail(self, keys: Sequence[int], reason: Reason, *, ago: int, attempts: int = 1) -> None:
        """Mark these as failed."""
        end = self.now - ago
        self.change(
            keys,
            status=Status.FAILED,
            **reason_columns(reason),
            attempts=attempts,
            sent_at=end - SECOND,
            started_at=end - 400,
            finished_at=end,
        )

    def try_thrice(self, key: int, reason: Reason) -> None:
        """Add three attempts to a failed job, all with the same reason."""
        end = self.program.jobs.page([key])[key].finished_at or self.now
        with self.program.database.write():
            for number in (1, 2, 3):
                started = end - (4 - number) * 4_000
                is_last = number == 3
                made = AttemptRow.insert(
                    job=key,
                    token=number,
                    generation=1,
                    number=number,
                    worker="worker-7/4f1c",
                    started_at=started,
                    ended_at=started + 1_000 + 400 * number,
                    outcome=AttemptOutcome.FAILED if is_last else AttemptOutcome.LATER,
                    **reason_columns(reason),
                )
                self.program.database.run(made)

    # --- the window

    def open(self) -> None:
        """Show the window without its loops."""
        self.window.open()
        self.settle()

    def start(self) -> None:
        """Show the window with its loops."""
        self.running.start()
        self.settle()

    def say_running(self) -> None:
        """Make the window show running loops."""
        status = self.window._controller.status
        status.set_state(LoopKind.SENDER, LoopState(Phase.RUNNING))
        status.set_state(LoopKind.CONSUMER, LoopState(Phase.RUNNING))

    def wait_for_progress(self) -> None:
        """Wait until the status bar shows that files have ended since the window was opened."""
        files = self.window.status.files
        nothing = files.text()
        self.wait(lambda: files.text() != nothing, "the progress")

    def row_status(self, row: int) -> Status | None:
        """Return the status text of a row."""
        job = self.running.jobs.model.job(row)
        return None if job is None else job.status

    def wait_for_trouble(self) -> None:
        """Wait until the banner shows a problem, other than that nothing is processed here yet."""
        banner = self.window.banner
        self.wait(lambda: banner.notice is not None and banner.notice.kind is not Kind.INFO, "the banner")

    def wait_for_dialog(self) -> QDialog:
        """Return the dialog once it is open."""

        def found() -> list[QDialog]:
            return [dialog for dialog in self.window.findChildren(QDialog) if dialog.isVisible()]

        self.wait(found, "a dialog")
        self.settle()
        return found()[0]

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Run the event loop until a condition holds.

        Raises:
            TimeoutError: If it does not.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {_PATIENCE_S} s: {what}")
            QCoreApplication.processEvents()
            QThread.msleep(2)

    def settle(self) -> None:
        """Wait until the window shows what the database has."""
        controller = self.running.jobs
        controller.feed.look()
        self.wait(controller.is_at_rest, "reading the list")
        controller.groups.count()
        controller.totals.count()
        self.wait(
            lambda: (
                controller.totals.counts == self.program.jobs.counts()
                and controller.groups.counts == controller.groups._count()
                and controller.is_at_rest()
            ),
            "counting the list",
        )
        for _ in range(5):
            QCoreApplication.sendPostedEvents()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            QCoreApplication.processEvents()

    def multiply(self, rows: int) -> None:
        """Copy the files of the list until there are this many."""
        with closing(sqlite3.connect(self.program.database.path)) as connection:
            columns = [row[1] for row in connection.execute("PRAGMA table_info(job)") if row[1] != "id"]
            values = [{"uuid": "lower(hex(randomblob(16)))"}.get(name, name) for name in columns]
            copy = f"INSERT INTO job ({', '.join(columns)}) SELECT {', '.join(values)} FROM job LIMIT ?"
            [there] = connection.execute("SELECT count(*) FROM job").fetchone()
            while there < rows:
                connection.execute(copy, (min(there, rows - there),))
                there += min(there, rows - there)
            connection.commit()

    def picture_with_menu(self, menu: QMenu, corner: QPoint) -> QPixmap:
        """Return a picture of the window with a menu at a place in it."""
        picture = self.picture()
        menu.ensurePolished()
        menu.resize(menu.sizeHint())
        painter = QPainter(picture)
        painter.drawPixmap(corner, menu.grab())
        painter.end()
        menu.deleteLater()
        return picture

    def picture(self, *above: QWidget) -> QPixmap:
        """Return a picture of the window with dialogs in front of it."""
        self.settle()
        window = self.window.grab()
        ratio = window.devicePixelRatio()
        # A dialog may be higher than a window that fits on a small screen.
        height = max(self.window.height(), *(widget.height() + 2 * _MARGIN for widget in above), 0)
        picture = QPixmap(window.width(), round(height * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(_BACKDROP)
        painter = QPainter(picture)
        painter.drawPixmap(0, (height - self.window.height()) // 2, window)
        for widget in above:
            front = widget.grab()
            size = front.size() / ratio
            corner = QPoint((self.window.width() - size.width()) // 2, (height - size.height()) // 2)
            for width in range(8, 0, -2):
                painter.fillRect(
                    corner.x() - width, corner.y() - width, size.width() + 2 * width, size.height() + 2 * width,
                    QColor(0, 0, 0, _SHADE // width),
                )  # fmt: skip
            painter.drawPixmap(corner, front)
        painter.end()
        return picture

    def close(self) -> None:
        """End everything in order."""
        ended: list[bool] = []
        self.running.ended.connect(lambda: ended.append(True), Qt.ConnectionType.DirectConnection)
        self.window.close()
        self.wait(lambda: ended, "ending")
        for widget in QApplication.topLevelWidgets():
            widget.deleteLater()
        for name in self._environment:
            os.environ.pop(name)
