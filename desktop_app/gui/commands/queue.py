"""The Queue menu: pausing, and actions on the selected files, on all failed files and on the queue.

Changes to the list are written by `ListCommands`. For example, `QueueCommands` connects the action Retry Failed
(`commands.actions`) to `ListCommands.retry_failed`, which calls `JobEditor.retry` (`services.adding.job_editor`) on a
pool thread.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_app.domain.errors import KnownError
from desktop_app.domain.fields import Choice
from desktop_app.domain.job import Job, PriorityResult, Status
from desktop_app.gui.commands.file import choose_paths
from desktop_app.gui.desktop.file_manager import MOST_AT_ONCE, Opener
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.processors.dialog import ProcessAsDialog
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction
from desktop_app.services.control import ProcessingControl, RunMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.commands.list_commands import ListCommands
    from desktop_app.gui.processors.choice import ProcessorChoice
    from desktop_app.gui.table.job_feed import Totals
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.window_memory import WindowMemory


_MOST_SHOWN = 100

_LOCATE_FOLDER = "files"
"""Locate File starts in the folder last used by Add Files: a missing file is often near the files added with it."""


class QueueCommands(QObject):
    """The commands of the Queue menu that change, open or show files, and Check Queue Now.

    Signals:
        notice(Notice): A message for the user.

    Args:
        actions: The actions of the window.
        view: The table, which is also the parent.
        model: The model of the table.
        commands: The commands that change the list.
        control: The control for the run mode and for making the loops retry.
        tasks: The pool for opening files and folders.
        choices: What can be done with files.
    """

    notice = Signal(object)

    def __init__(
        self,
        actions: Actions,
        view: JobsView,
        model: JobsModel,
        commands: ListCommands,
        control: ProcessingControl,
        tasks: Tasks,
        choices: ProcessorChoice,
    ) -> None:
        super().__init__(view)
        self._choices = choices
        self._view = view
        self._model = model
        self._commands = commands
        self._control = control
        self._opener = Opener(tasks, self)
        self._opener.notice.connect(self.notice)
        for action, slot in (
            (actions.process_next, self.process_next),
            (actions.check_queue, self.check_queue),
            (actions.retry, self.retry_selected),
            (actions.retry_as, self.open_retry_dialog),
            (actions.retry_failed, commands.retry_failed),
            (actions.remove, self.remove_selected),
            (actions.remove_processed, commands.remove_processed),
            (actions.open, self.open_selected),
            (actions.show_file, self.show_selected),
        ):
            action.triggered.connect(slot)
        view.addAction(actions.open)  # its shortcut works only in the table
        view.doubleClicked.connect(self.open_selected)

    @Slot()
    def retry_selected(self) -> None:
        """Process the selected files again."""
        self._commands.retry(self._view.selected_ids())

    @Slot()
    def open_retry_dialog(self) -> None:
        """Ask with which processor and options to process the selected files again."""
        ids = self._view.selected_ids()
        if not ids:
            return
        job = self._model.job(self._view.selected_rows()[0][0])
        dialog = ProcessAsDialog(
            self._choices,
            Choice() if job is None else Choice(job.processor, job.options),
            self._view.window(),
            title=tr("Retry As"),
            button=tr("&Retry"),
            text=tr("%Ln file(s) will be processed again; those being processed now are skipped.", "", len(ids)),
            by_type=False,
        )
        dialog.chosen.connect(lambda choice: self._commands.retry(ids, choice))
        dialog.open()

    @Slot()
    def remove_selected(self) -> None:
        """Remove the selected files from the list."""
        self._view.continue_after_removal()
        self._commands.remove(self._view.selected_ids())

    @Slot()
    def process_next(self) -> None:
        """Move the selected waiting files ahead of all others."""
        self._commands.process_next(self._view.selected_ids(), self._report_priority)

    def _report_priority(self, result: PriorityResult) -> None:
        self.notice.emit(Notice(priority_text(result, may_begin=self._control.may_begin), passing=True))

    @Slot()
    def check_queue(self) -> None:
        """Send and receive messages now."""
        self._control.try_now()
        self.notice.emit(Notice(tr("Checking the queue now."), passing=True))

    @Slot()
    def open_selected(self) -> None:
        """Open the selected files in their default programs."""
        self._opener.open(self._selected_paths(MOST_AT_ONCE + 1))

    @Slot()
    def show_selected(self) -> None:
        """Show the selected files in the file manager, beginning with the folder of the current file."""
        self._opener.show(self._selected_paths(_MOST_SHOWN))

    def _selected_paths(self, most: int) -> list[str]:
        """Return the paths of at most `most` selected files, with the current file first."""
        current = self._view.currentIndex().row()
        rows = islice(chain.from_iterable(range(first, last + 1) for first, last in self._view.selected_rows()), most)
        jobs = [self._model.job(row) for row in sorted(rows, key=lambda row: row != current)]
        return [job.file_path for job in jobs if job is not None]


def priority_text(result: PriorityResult, *, may_begin: bool) -> str:
    """Return a message about the result of Process Next.

    Args:
        result: The result.
        may_begin: Whether files can be started; False while processing is paused.
    """
    if not result.keys:
        return tr(
            "The selected files can't be processed next: they are already being processed, have "
            "finished or belong to another queue."
        )
    if result.is_served:
        if may_begin:
            return tr("%Ln file(s) will be processed next.", "", len(result.keys))
        return tr("%Ln file(s) will be processed next once you resume.", "", len(result.keys))
    texts = []
    if result.front:
        texts.append(tr("%Ln file(s) moved to the front.", "", result.front))
    if result.sent:
        text = tr("%Ln file(s) (is|are) already in the queue, where the order can't be changed.", "", result.sent)
        texts.append(text)
    return " ".join(texts)


class LocateCommand(QObject):
    """The command Locate File, which asks for the new path of a missing file.

    It is enabled while exactly one file is selected and that file has failed.
    """

    def __init__(
        self,
        actions: Actions,
        view: JobsView,
        model: JobsModel,
        commands: ListCommands,
        memory: WindowMemory,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._actions = actions
        self._view = view
        self._model = model
        self._commands = commands
        self._memory = memory
        self._window = window
        actions.locate.triggered.connect(self.open_dialog)
        view.selection_changed.connect(self._update)
        model.dataChanged.connect(self._update)
        model.rows_changed.connect(self._update)
        self._update()

    def _job(self) -> Job | None:
        if self._view.selected_count() != 1:
            return None
        job = self._model.job(self._view.selected_rows()[0][0])
        return job if job is not None and job.status is Status.FAILED else None

    @Slot()
    def _update(self) -> None:
        self._actions.offer(self._actions.locate, "" if self._job() else tr("Select a single file that has failed"))

    @Slot()
    def open_dialog(self) -> None:
        """Open a dialog in which the user chooses where the file is now."""
        job = self._job()
        if job is None:
            return
        title, mode = tr("Locate “{name}”").format(name=job.name), QFileDialog.FileMode.ExistingFile

        def relocate(paths: list[str]) -> None:
            self._commands.relocate(job, paths[0])

        choose_paths(self._window, self._memory, _LOCATE_FOLDER, title, mode, tr("Process"), relocate)


class PauseCommands(QObject):
    """The commands Pause, Resume and Pause After the Current Files. The consumer's thread can also change the run mode.

    Signals:
        mode_changed(RunMode): The new run mode.
        notice(Notice): A message for the user.

    Args:
        actions: The actions of the window.
        control: The control for pausing and resuming.
        save_paused: Called to save, for the next start, whether processing is paused; can raise a `KnownError`.
        totals: The number of files with each status.
        window: The parent.
    """

    mode_changed = Signal(object)
    notice = Signal(object)
    _control_changed = Signal()

    def __init__(
        self,
        actions: Actions,
        control: ProcessingControl,
        save_paused: Callable[[bool], object],
        totals: Totals,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._control = control
        self._save_paused = save_paused
        self._actions = actions
        self._totals = totals
        self._shown = RunMode.RUNNING
        actions.pause.triggered.connect(self.toggle)
        actions.stop_after_current.triggered.connect(self.finish)
        self._control_changed.connect(self._follow)
        self._control.add_listener(self._emit_change)

    @property
    def title(self) -> str:
        """Return the prefix of the window's title; empty unless processing is paused or pausing."""
        if self._shown is RunMode.PAUSED:
            return tr("[Paused]") + " "
        return tr("[Pausing]") + " " if self._shown is RunMode.FINISHING else ""

    def open(self) -> None:
        """Show the saved run mode, and notify the user if processing is still paused."""
        self._show()
        if self._shown is RunMode.PAUSED:
            self._notify(tr("Filemill is still paused. No files will be processed until you resume."), lasts=True)

    def close(self) -> None:
        """Stop following changes to the run mode."""
        self._control.remove_listener(self._emit_change)

    @Slot()
    def toggle(self) -> None:
        """Pause processing if it is running, or else resume it."""
        if self._control.mode is RunMode.RUNNING:
            self._control.pause()
            self._notify(tr("Paused. The current files will be finished, but no others will be processed."))
            self._save(paused=True)
        else:
            self.resume()

    def resume(self) -> None:
        """Resume processing."""
        self._control.resume()
        self._notify(tr("Processing has resumed."))
        self._save(paused=False)

    @Slot()
    def finish(self) -> None:
        """Pause processing once the current files are finished."""
        if self._control.mode is not RunMode.RUNNING:
            return
        self._notify(tr("Filemill will pause when the current files are finished."), lasts=True)
        self._control.finish()
        self._save(paused=True)

    def _emit_change(self, _mode: RunMode) -> None:
        """Forward a change to the run mode to the main thread. Can be called from any thread."""
        self._control_changed.emit()

    @Slot()
    def _follow(self) -> None:
        before = self._shown
        self._show()
        if (before, self._shown) == (RunMode.FINISHING, RunMode.PAUSED):
            text = tr("Paused after the current files. %Ln file(s) (is|are) waiting.", "", self._totals.counts.pending)
            self._notify(text, lasts=True)

    def _show(self) -> None:
        mode = self._shown = self._control.mode
        if mode is RunMode.RUNNING:
            self._actions.change(
                self._actions.pause, tr("&Pause"), tr("Process no more files until you resume"), "pause"
            )
        else:
            self._actions.change(
                self._actions.pause, tr("Res&ume"), tr("Continue processing the waiting files"), "resume"
            )
        is_running = mode is RunMode.RUNNING
        self._actions.offer(self._actions.stop_after_current, "" if is_running else tr("Processing is already paused"))
        self.mode_changed.emit(mode)

    def _notify(self, text: str, *, lasts: bool = False) -> None:
        resume = (NoticeAction(tr("Resume"), self.resume),) if lasts else ()
        self.notice.emit(Notice(text, actions=resume, passing=not lasts))

    def _save(self, *, paused: bool) -> None:
        try:
            self._save_paused(paused)
        except KnownError as error:
            self.notice.emit(Notice(translated(error.text), Kind.WARNING))
