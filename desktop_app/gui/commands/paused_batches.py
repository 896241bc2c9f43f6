"""The bar about paused batches: why a batch is paused, Continue, Retry As… and Remove."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.domain.fields import Choice
from desktop_app.domain.job import Status
from desktop_app.domain.query import Filter
from desktop_app.domain.sentences import display_text
from desktop_app.gui.i18n import reason_text, tr
from desktop_app.gui.processors.dialog import ProcessAsDialog
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction, NoticeBar

if TYPE_CHECKING:
    from array import array

    from desktop_app.domain.job import Batch
    from desktop_app.gui.commands.list_commands import ListCommands
    from desktop_app.gui.processors.choice import ProcessorChoice
    from desktop_app.gui.table.job_feed import Groups, GroupTotals
    from desktop_app.gui.wording import Wording


class PausedBatches(QObject):
    """Shows the newest paused batch in a bar, unless the user has dismissed it.

    Signals:
        shown(str, str): Another batch is shown: the title and the text.

    Args:
        bar: The bar.
        groups: Knows which batches are paused.
        commands: The commands that change the list.
        choices: The processors of this computer.
        wording: The formatter for numbers and times.
    """

    shown = Signal(str, str)

    def __init__(
        self, bar: NoticeBar, groups: GroupTotals, commands: ListCommands, choices: ProcessorChoice, wording: Wording
    ) -> None:
        super().__init__(bar)
        self._bar = bar
        self._commands = commands
        self._choices = choices
        self._wording = wording
        self._dismissed: set[int] = set()
        self._shown = 0
        groups.changed.connect(self._update)
        bar.dismissed.connect(self._dismiss)

    @Slot(object)
    def _update(self, groups: Groups) -> None:
        self._dismissed &= {batch.id for batch in groups.paused}
        waiting = [batch for batch in groups.paused if batch.id not in self._dismissed]
        if not waiting:
            self._shown = 0
            self._bar.clear()
            return
        notice = self._notice(waiting[0], len(waiting) - 1)
        shown = self._bar.notice
        if shown is None or self._shown != waiting[0].id or (shown.title, shown.text) != (notice.title, notice.text):
            is_another, self._shown = self._shown != waiting[0].id, waiting[0].id
            self._bar.show_notice(notice)
            if is_another:
                self.shown.emit(notice.title, notice.text)

    @Slot()
    def _dismiss(self) -> None:
        self._dismissed.add(self._shown)

    def _notice(self, batch: Batch, others: int) -> Notice:
        counts, number = batch.counts, self._wording.number
        texts = []
        if batch.held is not None and batch.held.reason is not None:
            text = tr("{failed} of {files} failed for the same reason: {reason}.")
            reason = reason_text(batch.held.reason).rstrip(".")
            files = self._wording.files(counts.total)
            texts.append(text.format(failed=number(batch.held.failed), files=files, reason=reason))
        texts.append(tr("%Ln file(s) (is|are) waiting for your decision.", "", counts.pending))
        if others:
            texts.append(tr("%Ln more batch(es) (is|are) paused.", "", others))
        actions = (
            NoticeAction(tr("&Continue"), partial(self._commands.resume_batch, batch.id), keeps=True),
            NoticeAction(tr("Retry &As…"), partial(self._retry_as, batch), keeps=True),
            NoticeAction(tr("Re&move"), partial(self._commands.remove_filtered, _rest_of(batch)), keeps=True),
        )
        name = display_text(batch.name) or self._wording.day_and_time(batch.created_at)
        return Notice(" ".join(texts), Kind.WARNING, actions, title=tr("“{name}” is paused").format(name=name))

    def _retry_as(self, batch: Batch) -> None:
        """Ask how to process the failed and the waiting files of a batch instead, and continue it."""
        count = batch.counts.failed + batch.counts.pending
        dialog = ProcessAsDialog(
            self._choices,
            Choice(batch.processor, batch.options),
            self._bar.window(),
            title=tr("Retry As"),
            button=tr("&Retry"),
            text=tr("%Ln failed or waiting file(s) of the batch will be processed.", "", count),
            by_type=False,
        )
        dialog.chosen.connect(partial(self._retry, batch))
        dialog.open()

    def _retry(self, batch: Batch, choice: Choice) -> None:
        def retry(ids: array[int]) -> None:
            self._commands.retry(ids, choice)
            self._commands.resume_batch(batch.id, tolerates=False)

        self._commands.find(_rest_of(batch), retry)


def _rest_of(batch: Batch) -> Filter:
    """Return the filter for the failed and the waiting files of a batch."""
    return Filter(batches=frozenset({batch.id}), statuses=frozenset({Status.FAILED, Status.PENDING}))
