"""A window with everything that runs behind it: started together, ended in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.gui.life.shutdown import DEADLINE_MS, Shutdown, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.gui.window.list_controller import ListController
    from desktop_app.gui.window.main_window import MainWindow


class RunningWindow(QObject):
    """Owns the parts. Closing the window ends them: the loops in the order given, then the window's own work.

    Signals:
        ended(): Nothing runs any more, or the deadline has passed; see `left_over`.

    Attributes:
        window, workbench: The parts.
        left_over: What did not end in time.

    Args:
        window: The window.
        workbench: What works behind it.
        begin: Starts the loops.
        steps: How they end, in order.
        close_rest: Closes the queue and the main thread's database, after all else.
        deadline_ms: How long all of it may take.
    """

    ended = Signal()

    def __init__(
        self,
        window: MainWindow,
        workbench: ListController,
        *,
        begin: Callable[[], None],
        steps: Sequence[Step],
        close_rest: Callable[[], None],
        deadline_ms: int = DEADLINE_MS,
    ) -> None:
        super().__init__()
        self.window = window
        self.workbench = workbench
        self.left_over: list[str] = []
        self._begin_work = begin
        self._close_rest = close_rest
        self._shutdown = Shutdown([*steps, workbench.step()], deadline_ms=deadline_ms, parent=self)
        self._shutdown.finished.connect(self._finish)
        window.closed.connect(self._begin_end)

    def start(self, paths: Sequence[str] = ()) -> None:
        """Show the window, start the loops, add what is named.

        Raises:
            StoreError: If the database can't be read.
        """
        self.window.open()
        self._begin_work()
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
