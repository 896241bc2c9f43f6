"""A window with everything that runs behind it: started together, ended in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.gui.shutdown import DEADLINE_MS, Shutdown, thread_step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtCore import QThread

    from desktop_app.gui.main_window import MainWindow
    from desktop_app.gui.workbench import Workbench


class RunningWindow(QObject):
    """Owns the parts. Closing the window ends them: the threads in the order given, then the window's own work.

    Signals:
        ended(): Nothing runs any more, or the deadline has passed; see `left_over`.

    Attributes:
        window, workbench: The parts.
        left_over: What did not end in time.

    Args:
        window: The window.
        workbench: What works behind it.
        threads: The loops' threads, in the order in which they end.
        close_rest: Closes the queue and the main thread's database, after all else.
        deadline_ms: How long all of it may take.
    """

    ended = Signal()

    def __init__(
        self,
        window: MainWindow,
        workbench: Workbench,
        *,
        threads: Sequence[QThread],
        close_rest: Callable[[], None],
        deadline_ms: int = DEADLINE_MS,
    ) -> None:
        super().__init__()
        self.window = window
        self.workbench = workbench
        self.left_over: list[str] = []
        self._threads = threads
        self._close_rest = close_rest
        steps = [*(thread_step(thread) for thread in threads), workbench.step()]
        self._shutdown = Shutdown(steps, deadline_ms=deadline_ms, parent=self)
        self._shutdown.finished.connect(self._finish)
        window.closed.connect(self._begin_end)

    def start(self, paths: Sequence[str] = ()) -> None:
        """Show the window, start the threads, add what is named.

        Raises:
            StoreError: If the database can't be read.
        """
        self.window.open()
        for thread in self._threads:
            thread.start()
        if paths:
            self.window.add(paths)

    @Slot()
    def _begin_end(self) -> None:
        self.workbench.stop()
        self._shutdown.begin()

    @Slot(list)
    def _finish(self, left_over: list[str]) -> None:
        self.left_over = left_over
        if not self.workbench.close():
            self.left_over = [*self.left_over, "a task"]
        self._close_rest()
        self.ended.emit()
