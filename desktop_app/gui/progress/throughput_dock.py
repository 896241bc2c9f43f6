"""How much is done in what time, as graphs: files and bytes by the second, over a minute and up to a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QDockWidget, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from desktop_app.gui.i18n import tr
from desktop_app.gui.progress.graph import Graph, graph_number, span_name, span_sentence
from desktop_app.gui.progress.history import Span

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QShowEvent

    from desktop_app.domain.clock import Clock
    from desktop_app.gui.progress.history import History
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.wording import Wording


_EVERY_MS = 1_000

_LEAST_FILES, _LEAST_BYTES = 0.01, 1_000.0


class ThroughputDock(QDockWidget):
    """The graphs and the choice of their span; drawn anew each second while they are to be seen.

    Signals:
        chosen(Span): The person has chosen another span.
    """

    chosen = Signal(object)

    def __init__(self, history: History, clock: Clock, look: Theme, wording: Wording, parent: QWidget) -> None:
        super().__init__(tr("Throughput"), parent)
        self.setObjectName("throughput")
        self.setAccessibleName(tr("Throughput"))
        self.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        self.setTitleBarWidget(QWidget(self))
        self._history = history
        self._clock = clock
        self._span = Span.MINUTES_5
        files = Graph(tr("Files per second"), graph_number, "accent", look, self, least=_LEAST_FILES)
        sizes = Graph(
            tr("Bytes per second"), lambda value: wording.size(int(value)), "processed", look, self, least=_LEAST_BYTES
        )
        self.graphs = (files, sizes)
        self._make_buttons()
        self._arrange()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.draw)

    def _make_buttons(self) -> None:
        self._group = QButtonGroup(self)
        self.buttons: dict[Span, QToolButton] = {}
        for span in Span:
            button = QToolButton(self)
            button.setObjectName("segment")
            button.setText(span_name(span))
            button.setAccessibleName(span_sentence(span))
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.setChecked(span is self._span)
            self._group.addButton(button)
            self.buttons[span] = button
            button.clicked.connect(lambda _checked=False, span=span: self.choose(span))

    def _arrange(self) -> None:
        whole = QWidget(self)
        whole.setObjectName("throughputInside")
        column = QVBoxLayout(whole)
        column.setContentsMargins(10, 6, 10, 6)
        column.setSpacing(4)
        head = QHBoxLayout()
        head.setSpacing(4)
        title = QLabel(tr("Throughput"), whole)
        title.setObjectName("sectionTitle")
        head.addWidget(title)
        head.addStretch(1)
        for button in self.buttons.values():
            head.addWidget(button)
        column.addLayout(head)
        row = QHBoxLayout()
        row.setSpacing(10)
        for graph in self.graphs:
            row.addWidget(graph, 1)
        column.addLayout(row, 1)
        self.setWidget(whole)

    @property
    def span(self) -> Span:
        """What is shown."""
        return self._span

    def choose(self, span: Span) -> None:
        """Show another span."""
        self._span = span
        self.buttons[span].setChecked(True)
        self.draw()
        self.chosen.emit(span)

    @Slot()
    def draw(self) -> None:
        """Show what was done up to now."""
        series = self._history.series(self._span, self._clock.now_ms() / 1000)
        for graph, values in zip(self.graphs, (series.files, series.bytes), strict=True):
            graph.show_values(values, series.span, series.end_s)

    def showEvent(self, event: QShowEvent) -> None:
        """Follow from now on."""
        super().showEvent(event)
        self.draw()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks."""
        super().hideEvent(event)
        self._timer.stop()
