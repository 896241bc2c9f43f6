"""Scans paths and adds the files found, off the main thread."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import unquote

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.domain.errors import KnownError, PartlyAddedError
from desktop_app.domain.sentences import display_text
from desktop_app.gui.i18n import tr, translated
from desktop_app.services.adding.names import batch_name
from desktop_app.sources.location import is_address, name_to_show
from desktop_app.sources.scan import Refusal, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.job import NewFile
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording
    from desktop_app.services.adding.job_editor import JobEditor
    from desktop_app.services.adding.review import Review, SelectionResult
    from desktop_app.sources.scan import ScanResult


MAX_WITHOUT_REVIEW = 50
"""Up to this many files are added without a review, unless some are refused or already in the list."""

_ANNOUNCE_AFTER_MS = 300
"""Work that takes less time is not shown to the user."""


@dataclass(frozen=True, slots=True)
class AddReport:
    """The result of adding files.

    Attributes:
        added: The number of files added to the list.
        refused: The items that could not be added; empty if the review sheet has shown them.
        cancelled: Whether the user stopped the scan, so that nothing was added.
        problem: The text of the error that occurred while the jobs were being written, or an empty string.
        listed: The number of files skipped because they are already in the list and have not changed.
        batch: The primary key of the new batch; 0 if none was created.
        name: The name of the new batch.
    """

    added: int = 0
    refused: tuple[Refusal, ...] = ()
    cancelled: bool = False
    problem: str = ""
    listed: int = 0
    batch: int = field(default=0, compare=False)
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Files that will be added if the user confirms.

    Attributes:
        number: The number of the call to `Adder.add`; see `Adder.dismiss`.
        review: The files found by the scan.
        place: The name of the only path or of the folder of all paths, or the number of paths.
        paths: The paths and addresses that were scanned.
    """

    number: int
    review: Review
    place: str
    paths: tuple[str, ...]


class _Step(Enum):
    SCANNING = auto()
    WAITING_FOR_REVIEW = auto()
    WRITING = auto()


@dataclass(slots=True)
class _Add:
    """A call to `Adder.add` whose work is not finished."""

    paths: tuple[str, ...]
    place: str
    always_review: bool
    stop: threading.Event = field(default_factory=threading.Event)
    found: int = 0
    step: _Step = _Step.SCANNING


class Adder(QObject):
    """Scans paths, proposes a review if one is needed, and adds the files. Calls to `add` can overlap.

    Signals:
        busy_changed(str, bool): A text about the work in progress, or an empty string if there is none; and whether the
            work can be stopped.
        proposed(Proposal): The files to review; the receiver has to call `accept` or `dismiss`.
        finished(AddReport): The result of a call to `add`; not emitted after `dismiss`.

    Args:
        editor: The object that adds the jobs to the store.
        scans: The pool for scanning.
        writes: The single-threaded pool for writing.
        wording: The formatter for numbers.
        parent: The parent.
    """

    busy_changed = Signal(str, bool)
    proposed = Signal(object)
    finished = Signal(object)
    _found = Signal(int, int)

    def __init__(
        self, editor: JobEditor, scans: Tasks, writes: Tasks, wording: Wording, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._editor = editor
        self._scans = scans
        self._writes = writes
        self._wording = wording
        self._numbers = count(1)
        self._adds: dict[int, _Add] = {}
        self._found.connect(self._note_found)
        self._delay = QTimer(self, singleShot=True, interval=_ANNOUNCE_AFTER_MS)
        self._delay.timeout.connect(self._announce)
        self._is_announced = False

    @property
    def busy(self) -> bool:
        """Return whether files are being scanned or added, or are waiting for a review."""
        return bool(self._adds)

    def add(self, paths: Sequence[str], *, always_review: bool = False) -> None:
        """Add files, including all files in folders and their subfolders, as one batch.

        Args:
            paths: Paths and addresses; see `scan`.
            always_review: Whether to propose a review even if none is needed.
        """
        if not paths:
            return
        number = next(self._numbers)
        add = self._adds[number] = _Add(tuple(paths), _place_of(paths), always_review)
        self._update_busy()
        report: Callable[[int], None] = partial(self._found.emit, number)
        stopped = add.stop.is_set

        def work() -> Review:
            result = scan(add.paths, recursive=True, cancelled=stopped, on_found=report)
            return self._editor.review(result, stopped)

        self._scans.run(work, partial(self._propose_or_add, number), partial(self._fail, number))

    @Slot()
    def stop(self) -> None:
        """Stop all scans. Open reviews and writes in progress are not affected."""
        for add in self._adds.values():
            add.stop.set()

    def accept(self, proposal: Proposal, picked: SelectionResult, *, name: str, again: bool) -> None:
        """Add the selected files of a proposal.

        Args:
            proposal: The proposal.
            picked: The selected files.
            name: The name of the batch; empty for an automatic one.
            again: Whether to add files again that are already in the list and have not changed.
        """
        self._write(
            proposal.number,
            proposal.review.result,
            lambda: proposal.review.files(picked),
            len(picked.places),
            name=name,
            again=again,
        )

    def dismiss(self, number: int) -> None:
        """Discard a proposal.

        Args:
            number: The number of the proposal.
        """
        del self._adds[number]
        self._update_busy()

    def _propose_or_add(self, number: int, review: Review) -> None:
        add, found = self._adds[number], review.result
        if found.cancelled or add.stop.is_set():
            self._end(number, AddReport(refused=found.refused, cancelled=True))
        elif not found.files:
            self._end(number, AddReport(refused=found.refused))
        elif add.always_review or not review.is_plain or len(found.files) > MAX_WITHOUT_REVIEW:
            add.step = _Step.WAITING_FOR_REVIEW
            self._update_busy()
            self.proposed.emit(Proposal(number, review, add.place, add.paths))
        else:
            self._write(number, found, lambda: found.files, len(found.files))

    def _write(
        self,
        number: int,
        result: ScanResult,
        files: Callable[[], Sequence[NewFile]],
        count: int,
        *,
        name: str = "",
        again: bool = False,
    ) -> None:
        add = self._adds[number]
        add.step = _Step.WRITING
        add.found = count
        self._update_busy()

        def work() -> AddReport:
            # The files are compared with the list again: another call may have added some since the scan.
            added = self._editor.add(files(), name=name, automatic_name=automatic_name, skip_listed=not again)
            done = len(added.job_ids)
            return AddReport(done, listed=count - done, batch=added.batch_id, name=added.name)

        def automatic_name(added: Sequence[NewFile]) -> str:
            return translated(batch_name(added, result, self._wording.number))

        self._writes.run(work, partial(self._end, number), partial(self._fail, number))

    def _fail(self, number: int, error: KnownError) -> None:
        if isinstance(error, PartlyAddedError):
            self._end(number, AddReport(error.added, problem=error.text, batch=error.batch_id))
        else:
            self._end(number, AddReport(problem=error.text))

    def _end(self, number: int, report: AddReport) -> None:
        self.dismiss(number)
        self.finished.emit(report)

    @Slot(int, int)
    def _note_found(self, number: int, found: int) -> None:
        if number in self._adds:
            self._adds[number].found = found
            self._update_busy()

    def _update_busy(self) -> None:
        if self._is_announced:
            self._announce()
        elif not self._delay.isActive() and self._text():
            self._delay.start()

    @Slot()
    def _announce(self) -> None:
        text = self._text()
        self._is_announced = bool(text)
        self.busy_changed.emit(text, any(add.step is _Step.SCANNING for add in self._adds.values()))

    def _text(self) -> str:
        working = [add for add in self._adds.values() if add.step is not _Step.WAITING_FOR_REVIEW]
        if not working:
            return ""
        files = self._wording.files(sum(add.found for add in working))
        if all(add.step is _Step.WRITING for add in working):
            return tr("Adding {files}…").format(files=files)
        if len(working) == 1:
            return tr("Scanning {place}… {files}").format(place=working[0].place, files=files)
        return tr("Scanning %Ln location(s)… {files}", "", len(working)).format(files=files)


def common_folder(paths: Sequence[str]) -> str:
    """Return the folder that directly contains all paths, or an empty string if there is none."""
    parents = {os.path.dirname(path) for path in paths}  # noqa: PTH120 - a path may be an address
    return parents.pop() if len(parents) == 1 else ""


def _place_of(paths: Sequence[str]) -> str:
    """Return the name of the only path or of the folder that contains all paths, or else the number of paths."""
    place = os.path.normpath(name_to_show(paths[0])) if len(paths) == 1 else common_folder(paths)
    name = os.path.basename(place)  # noqa: PTH119 - a path may be an address
    if is_address(paths[0]):
        name = unquote(name)
    return display_text(name or (place if len(paths) == 1 else tr("%Ln item(s)", "", len(paths))))
