"""Scans the paths to add and writes their rows, off the main thread."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.domain.errors import PartlyAddedError
from desktop_app.domain.job import display_text
from desktop_app.gui.i18n import tr
from desktop_app.services.adding.review import Review
from desktop_app.sources.scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.job import NewFile
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording
    from desktop_app.services.adding.job_editor import JobEditor
    from desktop_app.services.adding.review import Review, SelectionResult
    from desktop_app.sources.scan import Refusal


UNASKED_UP_TO = 50
"""Up to this many files are added without a review if there is nothing to decide."""

_PATIENCE_MS = 300
"""Work that takes less time is not announced."""


@dataclass(frozen=True, slots=True)
class AddReport:
    """How an Add ended.

    Attributes:
        added: The number of files added to the list.
        refused: What could not be added, and why; empty if the user has seen it already.
        cancelled: True if the user stopped it; then nothing was added.
        problem: Why not everything could be written; empty if all went well.
        listed: The number of files left out because they are already in the list and have not changed.
        batch: The database's key of the new files' batch; 0 if there is none.
    """

    added: int = 0
    refused: tuple[Refusal, ...] = ()
    cancelled: bool = False
    problem: str = ""
    listed: int = 0
    batch: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Files that were found and need the user's confirmation before they are added.

    Attributes:
        number: Identifies the Add for `Adder.accept` and `Adder.dismiss`.
        review: What was found.
        name: The suggested name of the batch.
        places: The paths and addresses that were given.
    """

    number: int
    review: Review
    name: str
    places: tuple[str, ...]


class _Step(Enum):
    LOOKING = auto()
    ASKING = auto()
    WRITING = auto()


@dataclass(slots=True)
class _Adding:
    """One Add in progress."""

    places: tuple[str, ...]
    name: str
    must_ask: bool
    stop: threading.Event = field(default_factory=threading.Event)
    found: int = 0
    step: _Step = _Step.LOOKING


class Adder(QObject):
    """Scans paths, proposes a review where one is needed, and adds the files. Several Adds may run at once.

    Signals:
        busy_changed(str, bool): A text for the work in progress and whether it can be stopped; empty when idle.
        proposed(Proposal): The files found have to be accepted or dismissed.
        finished(AddReport): An Add has ended; not emitted if it was dismissed.

    Args:
        intake: Writes the rows.
        scans: The pool for scanning.
        writes: The single-threaded pool for writing.
        wording: Formats the texts.
        parent: The parent.
    """

    busy_changed = Signal(str, bool)
    proposed = Signal(object)
    finished = Signal(object)
    _found = Signal(int, int)

    def __init__(
        self, intake: JobEditor, scans: Tasks, writes: Tasks, wording: Wording, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._intake = intake
        self._scans = scans
        self._writes = writes
        self._wording = wording
        self._numbers = count(1)
        self._under_way: dict[int, _Adding] = {}
        self._found.connect(self._note_found)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._say)
        self._said_something = False

    @property
    def busy(self) -> bool:
        """Return whether an Add is in progress or waits for the user's answer."""
        return bool(self._under_way)

    def add(self, paths: Sequence[str], *, must_ask: bool = False) -> None:
        """Add files, and folders with all their subfolders, as one batch.

        Args:
            paths: Paths and addresses; see `scan`.
            must_ask: Always propose the files for review.
        """
        if not paths:
            return
        number = next(self._numbers)
        adding = self._under_way[number] = _Adding(tuple(paths), _name_of(paths), must_ask)
        self._say_soon()
        report: Callable[[int], None] = partial(self._found.emit, number)
        stopped = adding.stop.is_set

        def work() -> Review:
            result = scan(adding.places, recursive=True, cancelled=stopped, on_found=report)
            return self._intake.review(result, stopped)

        self._scans.run(work, partial(self._take, number), partial(self._give_up, number))

    @Slot()
    def stop(self) -> None:
        """Stop scanning. Open proposals stay open, and writes in progress are completed."""
        for adding in self._under_way.values():
            adding.stop.set()

    def accept(self, proposal: Proposal, picked: SelectionResult, *, name: str, again: bool) -> None:
        """Add the selected files of a proposal.

        Args:
            proposal: The proposal.
            picked: The selected files.
            name: The batch's.
            again: Also add files that are already in the list and unchanged, as new jobs.
        """
        count = len(picked.places)
        self._write(proposal.number, lambda: proposal.review.files(picked), count, name=name, again=again)

    def dismiss(self, number: int) -> None:
        """Discard a proposal."""
        self._forget(number)

    def _take(self, number: int, review: Review) -> None:
        adding, found = self._under_way[number], review.result
        if found.cancelled or adding.stop.is_set():
            self._end(number, AddReport(refused=found.refused, cancelled=True))
        elif not found.files:
            self._end(number, AddReport(refused=found.refused))
        elif adding.must_ask or not review.is_plain or len(found.files) > UNASKED_UP_TO:
            adding.step = _Step.ASKING
            self._say_if_late()
            self.proposed.emit(Proposal(number, review, adding.name, adding.places))
        else:
            self._write(number, lambda: found.files, len(found.files), name=adding.name, again=False)

    def _write(
        self, number: int, files: Callable[[], Sequence[NewFile]], found: int, *, name: str, again: bool
    ) -> None:
        adding = self._under_way[number]
        adding.step = _Step.WRITING
        adding.found = found
        self._say_soon()
        self._say_if_late()

        def work() -> AddReport:
            # Looked up again: these files may have been added in the meantime, even by this program.
            added = self._intake.add(files(), name=name, skip_listed=not again)
            done = len(added.job_ids)
            return AddReport(done, listed=found - done, batch=added.batch_id)

        self._writes.run(work, partial(self._end, number), partial(self._give_up, number))

    def _give_up(self, number: int, error: KnownError) -> None:
        if isinstance(error, PartlyAddedError):
            self._end(number, AddReport(error.added, problem=error.text, batch=error.batch_id))
        else:
            self._end(number, AddReport(problem=error.text))

    def _end(self, number: int, report: AddReport) -> None:
        self._forget(number)
        self.finished.emit(report)

    def _forget(self, number: int) -> None:
        del self._under_way[number]
        self._say_if_late()

    @Slot(int, int)
    def _note_found(self, number: int, found: int) -> None:
        if number in self._under_way:
            self._under_way[number].found = found
            self._say_if_late()

    def _say_soon(self) -> None:
        if not self._said_something and not self._patience.isActive():
            self._patience.start()

    def _say_if_late(self) -> None:
        if self._said_something:
            self._say()

    @Slot()
    def _say(self) -> None:
        text = self._text()
        self._said_something = bool(text)
        self.busy_changed.emit(text, any(adding.step is _Step.LOOKING for adding in self._under_way.values()))

    def _text(self) -> str:
        at_work = [adding for adding in self._under_way.values() if adding.step is not _Step.ASKING]
        if not at_work:
            return ""
        files = self._wording.files(sum(adding.found for adding in at_work))
        if all(adding.step is _Step.WRITING for adding in at_work):
            return tr("Adding {files}…").format(files=files)
        if len(at_work) == 1:
            return tr("Scanning {place}… {files}").format(place=at_work[0].name, files=files)
        return tr("Scanning %Ln location(s)… {files}", "", len(at_work)).format(files=files)


def _name_of(paths: Sequence[str]) -> str:
    """Return the batch's name: that of its only item, else that of the common folder."""
    if len(paths) == 1:
        return display_text(os.path.basename(os.path.normpath(paths[0])) or paths[0])  # noqa: PTH119
    parents = {os.path.dirname(path) for path in paths}  # noqa: PTH120 - a path may be an address
    common = parents.pop() if len(parents) == 1 else ""
    return display_text(os.path.basename(common)) or tr("%Ln item(s)", "", len(paths))  # noqa: PTH119
