"""What a person hears of the run while it is on: wires those who find out to those who show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from desktop_app.gui.feedback_texts import TimeLeft, pace_sentence, pace_text, selection_text
from desktop_app.gui.history import Span
from desktop_app.gui.loop_states import Mark

if TYPE_CHECKING:
    from desktop_app.gui.loop_states import ConnectionText
    from desktop_app.gui.run_watch import Pace, RunWatch
    from desktop_app.gui.selection_sums import Selected, SelectedTotals
    from desktop_app.gui.status_bar import JobsStatusBar
    from desktop_app.gui.window_needs import WindowNeeds

_NOTHING_GOES_ON = frozenset({Mark.RETRYING, Mark.NEEDED, Mark.STOPPED, Mark.PAUSED})


class Feedback(QObject):
    """Keeps the status bar at the run.

    Args:
        run: The run.
        status: Where it is shown.
        selected: What is selected.
        needs: The clock, the words, the states of the loops.
        parent: Qt's owner.
    """

    def __init__(
        self, run: RunWatch, status: JobsStatusBar, selected: SelectedTotals, needs: WindowNeeds, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._run = run
        self._status = status
        self._wording = needs.wording
        self._clock = needs.clock
        self._time_left = TimeLeft()
        run.changed.connect(status.show_progress)
        run.paced.connect(self._show_pace)
        selected.changed.connect(self._show_selected)
        needs.states.text_changed.connect(self._heed_connection)

    @Slot(object)
    def _show_pace(self, pace: Pace) -> None:
        self._status.show_pace(
            left=self._time_left.text(pace.left_s),
            text=pace_text(pace, self._wording),
            sentence=pace_sentence(pace, self._wording),
            values=self._last_minute(pace),
        )

    def _last_minute(self, pace: Pace) -> tuple[float, ...]:
        """The line belongs to its number: files, or bytes where a file takes long."""
        series = self._run.history.series(Span.MINUTE, self._clock.now_ms() / 1000)
        return series.files if pace.files else series.bytes

    @Slot(object)
    def _show_selected(self, selected: Selected) -> None:
        self._status.show_selection(
            selection_text(selected.count, selected.sums, self._wording) if selected.count else ""
        )

    @Slot(object)
    def _heed_connection(self, text: ConnectionText) -> None:
        self._run.foresee(may_foresee=text.mark not in _NOTHING_GOES_ON)
