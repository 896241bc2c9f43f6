"""From the action Export to a file: what there is to export, and the dialog about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.gui.export.dialog import ExportDialog
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.notice import Notice

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from desktop_app.config.atomic_write import NotWrittenError
    from desktop_app.gui.export.exporter import ExportOrder
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.widgets.notice import BusyStrip
    from desktop_app.gui.window.list_controller import ListController
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording


class ExportCommand(QObject):
    """Opens the dialog, and has done what was ordered in it.

    Signals:
        said(Notice): What a person should know about it.
    """

    said = Signal(object)

    def __init__(
        self,
        action: QAction,
        strip: BusyStrip,
        view: JobsView,
        workbench: ListController,
        memory: WindowMemory,
        wording: Wording,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._view = view
        self._bench = workbench
        self._memory = memory
        self._wording = wording
        self._window = window
        self._dialog: ExportDialog | None = None
        action.triggered.connect(self.ask)
        view.selection_changed.connect(self._offer)
        workbench.model.listed.connect(self._offer)
        workbench.totals.changed.connect(self._offer)
        workbench.exporter.refused.connect(self._complain)
        workbench.exporter.said.connect(self._tell)
        workbench.exporter.busy.connect(lambda text: strip.say(text, can_stop=True))
        strip.stopped.connect(workbench.exporter.stop)

    @property
    def dialog(self) -> ExportDialog | None:
        """The dialog that is open."""
        return self._dialog

    @Slot()
    def ask(self) -> None:
        """Open the dialog, or bring it to the front."""
        if self._bench.exporter.is_busy:
            self.said.emit(Notice(tr("An export is under way. Wait for it, or stop it."), passing=True))
            return
        if self._dialog is None:
            self._dialog = ExportDialog(self._memory, self._wording, self._window)
            self._dialog.ordered.connect(self._bench.exporter.start)
            self._dialog.finished.connect(self._forget)
            self._offer()
        self._dialog.show()
        self._dialog.raise_()
        self._dialog.activateWindow()

    @Slot()
    def _offer(self) -> None:
        if self._dialog is None:
            return
        self._dialog.offer(
            listed=self._bench.model.rowCount(),
            where=self._bench.model.filter,
            order=self._bench.model.order,
            selected=self._view.selected_ids(),
            total=self._bench.totals.counts.total,
            shown_fields=self._shown_fields(),
        )

    def _shown_fields(self) -> tuple[str, ...]:
        shown = self._view.header.shown_columns()
        return tuple(dict.fromkeys(field for column in shown for field in column.export_fields))

    @Slot()
    def _forget(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None

    @Slot(object, object)
    def _complain(self, order: ExportOrder, error: NotWrittenError) -> None:
        if self._dialog is not None:
            self._dialog.complain(order, error)

    @Slot(object)
    def _tell(self, notice: Notice) -> None:
        if self._dialog is not None:
            self._dialog.reject()
        self.said.emit(notice)
