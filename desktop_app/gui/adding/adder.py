"""Scans paths and adds the files found, off the main thread."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import unquote

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.domain.errors import KnownError, PartlyAddedError
from desktop_app.domain.fields import BY_TYPE, Choice
from desktop_app.domain.sentences import display_text
from desktop_app.gui.i18n import tr, translated
from desktop_app.services.adding.names import batch_name
from desktop_app.sources.location import is_address, name_to_show
from desktop_app.sources.scan import Refusal, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.job import NewFile
    from desktop_app.gui.operations import Operation, Operations
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording
    from desktop_app.services.adding.job_editor import JobEditor
    from desktop_app.services.adding.review import Review, SelectionResult


MAX_WITHOUT_REVIEW = 50
"""Up to this many files are added without a review, unless some are refused or already in the list."""


@dataclass(frozen=True, slots=True)
class AddReport:
    """The result of adding files.

    Attributes:
        added: The number of files added to the list.
        refused: The items that could not be added; empty if the review sheet has shown them.
        cancelled: Whether the user stopped the scan, so that nothing was added; or the writing, which may have added
            some files.
        problem: The text of the error that occurred while the jobs were being written, or an empty string.
        listed: The number of files skipped because they are already in the list and have not changed.
        again: The number of files added although they are already in the list and have not changed.
        batch: The primary key of the new batch; 0 if none was created.
        name: The name of the new batch.
    """

    added: int = 0
    refused: tuple[Refusal, ...] = ()
    cancelled: bool = False
    problem: str = ""
    listed: int = 0
    again: int = 0
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
        again: Whether to suggest adding files again that are already in the list and have not changed.
        choice: What to suggest doing with the files.
    """

    number: int
    review: Review
    place: str
    paths: tuple[str, ...]
    again: bool = False
    choice: Choice = BY_TYPE


@dataclass(slots=True)
class _Add:
    """A call to `Adder.add` that has not ended. There is no operation while the files wait for a review."""

    paths: tuple[str, ...]
    place: str
    always_review: bool
    operation: Operation | None
    choice: Choice
    is_writing: bool = False


class Adder(QObject):
    """Scans paths, proposes a review if one is needed, and adds the files. Calls to `add` can overlap.

    Signals:
        proposed(Proposal): The files to review; the receiver has to call `accept` or `dismiss`.
        finished(AddReport): The result of a call to `add`; not emitted after `dismiss`.

    Args:
        editor: The object that adds the jobs to the store.
        scans: The pool for scanning.
        writes: The single-threaded pool for writing.
        operations: The running operations.
        wording: The formatter for numbers.
        duplicates: Returns what to do with files that are already in the list and have not changed; see
            `Settings.duplicates`. Called on the pool for scanning.
        parent: The parent.
    """

    proposed = Signal(object)
    finished = Signal(object)

    def __init__(
        self,
        editor: JobEditor,
        *,
        scans: Tasks,
        writes: Tasks,
        operations: Operations,
        wording: Wording,
        duplicates: Callable[[], str] = lambda: "ask",
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor = editor
        self._duplicates = duplicates
        self._scans = scans
        self._writes = writes
        self._operations = operations
        self._wording = wording
        self._numbers = count(1)
        self._adds: dict[int, _Add] = {}

    @property
    def busy(self) -> bool:
        """Return whether files are being scanned or added, or are waiting for a review."""
        return bool(self._adds)

    def add(self, paths: Sequence[str], *, always_review: bool = False, choice: Choice = BY_TYPE) -> None:
        """Add files, including all files in folders and their subfolders, as one batch.

        Args:
            paths: Paths and addresses; see `scan`.
            always_review: Whether to propose a review even if none is needed.
            choice: What to do with the files.
        """
        if not paths:
            return
        number = next(self._numbers)
        place = _place_of(paths)
        operation = self._operations.begin(partial(self._describe_scan, place))
        add = self._adds[number] = _Add(tuple(paths), place, always_review, operation, choice)

        def work() -> tuple[Review, str]:
            def stopped() -> bool:
                return operation.is_stopped

            def report(found: int) -> None:
                operation.proceed(found)

            result = scan(add.paths, recursive=True, cancelled=stopped, on_found=report)
            return self._editor.review(result, stopped), self._duplicates()

        self._scans.run(work, partial(self._propose_or_add, number), partial(self._fail, number))

    @Slot()
    def stop(self) -> None:
        """Stop all scans. Open reviews and writes in progress are not affected."""
        for add in self._adds.values():
            if add.operation is not None and not add.is_writing:
                add.operation.stop()

    def accept(
        self, proposal: Proposal, picked: SelectionResult, *, name: str, again: bool, choice: Choice = BY_TYPE
    ) -> None:
        """Add the selected files of a proposal.

        Args:
            proposal: The proposal.
            picked: The selected files.
            name: The name of the batch; empty for an automatic one.
            again: Whether to add files again that are already in the list and have not changed.
            choice: What to do with the files.
        """
        self._adds[proposal.number].choice = choice
        self._write(proposal.number, proposal.review, picked, again=again, name=name)

    def dismiss(self, number: int) -> None:
        """Discard a proposal.

        Args:
            number: The number of the proposal.
        """
        self._end_operation(self._adds.pop(number))

    def _end_operation(self, add: _Add) -> None:
        if add.operation is not None:
            self._operations.end(add.operation)
            add.operation = None

    def _propose_or_add(self, number: int, scanned: tuple[Review, str]) -> None:
        review, duplicates = scanned
        add, found, again = self._adds[number], review.result, duplicates == "add"
        is_plain = not found.refused and not (review.listed and duplicates == "ask")
        if found.cancelled or (add.operation is not None and add.operation.is_stopped):
            self._end(number, AddReport(refused=found.refused, cancelled=True))
        elif not found.files:
            self._end(number, AddReport(refused=found.refused))
        elif add.always_review or not is_plain or len(found.files) > MAX_WITHOUT_REVIEW:
            self._end_operation(add)
            self.proposed.emit(Proposal(number, review, add.place, add.paths, again, add.choice))
        else:
            self._write(number, review, None, again=again)

    def _write(
        self, number: int, review: Review, picked: SelectionResult | None, *, again: bool, name: str = ""
    ) -> None:
        add = self._adds[number]
        chosen, listed = (review.result.files, review.listed) if picked is None else (picked.places, picked.listed)
        count = len(chosen)
        self._end_operation(add)
        operation = add.operation = self._operations.begin(self._describe_writing, count)
        add.is_writing = True

        def work() -> AddReport:
            added = self._editor.add(
                review.files(picked, again=again),
                name=name,
                automatic_name=automatic_name,
                skip_since=None if again else review.revision,  # another call may have added some since then
                choice=add.choice,
                proceed=operation.proceed,
            )
            done, is_stopped = len(added.job_ids), operation.is_stopped
            return AddReport(
                done,
                listed=0 if is_stopped else count - done,
                again=listed if again else 0,
                batch=added.batch_id,
                name=added.name,
                cancelled=is_stopped,
            )

        def automatic_name(added: Sequence[NewFile]) -> str:
            return translated(batch_name(added, review.result, self._wording.number))

        self._writes.run(work, partial(self._end, number), partial(self._fail, number))

    def _fail(self, number: int, error: KnownError) -> None:
        if isinstance(error, PartlyAddedError):
            self._end(number, AddReport(error.added, problem=error.text, batch=error.batch_id))
        else:
            self._end(number, AddReport(problem=error.text))

    def _end(self, number: int, report: AddReport) -> None:
        self.dismiss(number)
        self.finished.emit(report)

    def _describe_scan(self, place: str, found: int, _: int) -> str:
        return tr("Scanning {place}… {files}").format(place=place, files=self._wording.files(found))

    def _describe_writing(self, done: int, total: int) -> str:
        text = tr("Adding {done} of {files}…")
        return text.format(done=self._wording.number(done), files=self._wording.files(total))


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
