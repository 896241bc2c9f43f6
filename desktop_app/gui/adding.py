"""From what a person picked, dropped, pasted or named to rows of the list, all of it beside the main thread."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.gui.notice import Kind, Notice, NoticeAction
from desktop_app.gui.texts import translated
from desktop_app.jobs import display_text
from desktop_app.services.scan import ScanResult, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.errors import KnownError
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording
    from desktop_app.services.intake import IntakeService
    from desktop_app.services.refusals import Refusal

_PATIENCE_MS = 300
"""What is done sooner needs no word of it."""


@dataclass(frozen=True, slots=True)
class AddReport:
    """How an Add ended.

    Attributes:
        added: How many files are in the list now.
        refused: What could not be added, and why.
        cancelled: True if the person stopped it; then nothing was added.
        problem: Why nothing could be written; empty if all went well.
    """

    added: int = 0
    refused: tuple[Refusal, ...] = ()
    cancelled: bool = False
    problem: str = ""


@dataclass(slots=True)
class _Adding:
    """One Add under way."""

    name: str
    stop: threading.Event
    found: int = 0
    writing: bool = False


class Adder(QObject):
    """Scans and adds; several at a time if the person is quick.

    Signals:
        said(str, bool): What is going on, and whether it can be stopped; empty when all is done.
        finished(AddReport): One Add has ended.

    Args:
        intake: Writes the rows.
        scans: The pool for scanning.
        writes: The pool, of one thread, for writing.
        wording: Makes the texts.
        parent: Qt's owner.
    """

    said = Signal(str, bool)
    finished = Signal(object)
    _found = Signal(int, int)

    def __init__(
        self, intake: IntakeService, scans: Tasks, writes: Tasks, wording: Wording, parent: QObject | None = None
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
        """True while anything is being added."""
        return bool(self._under_way)

    def add(self, paths: Sequence[str]) -> None:
        """Add files and folders, these with all their subfolders, as one batch."""
        if not paths:
            return
        number = next(self._numbers)
        adding = _Adding(_name_of(paths), threading.Event())
        self._under_way[number] = adding
        if not self._said_something:
            self._patience.start()
        report: Callable[[int], None] = partial(self._found.emit, number)
        self._scans.run(
            lambda: scan(paths, recursive=True, cancelled=adding.stop.is_set, on_found=report),
            partial(self._write, number),
            partial(self._give_up, number),
        )

    @Slot()
    def stop(self) -> None:
        """Stop looking; what is being written already is written to its end."""
        for adding in self._under_way.values():
            adding.stop.set()

    def _write(self, number: int, result: ScanResult) -> None:
        adding = self._under_way[number]
        if result.cancelled or adding.stop.is_set():
            self._end(number, AddReport(refused=result.refused, cancelled=True))
            return
        if not result.files:
            self._end(number, AddReport(refused=result.refused))
            return
        adding.writing = True
        adding.found = len(result.files)
        self._say_if_late()
        report = AddReport(len(result.files), result.refused)
        self._writes.run(
            lambda: self._intake.add(result.files, name=adding.name),
            lambda _: self._end(number, report),
            partial(self._give_up, number),
        )

    def _give_up(self, number: int, error: KnownError) -> None:
        self._end(number, AddReport(problem=translated(error.text)))

    def _end(self, number: int, report: AddReport) -> None:
        del self._under_way[number]
        if not self._under_way:
            self._patience.stop()
        self._say_if_late()
        self.finished.emit(report)

    @Slot(int, int)
    def _note_found(self, number: int, found: int) -> None:
        if number in self._under_way:
            self._under_way[number].found = found
            self._say_if_late()

    def _say_if_late(self) -> None:
        if self._said_something:
            self._say()

    @Slot()
    def _say(self) -> None:
        self._said_something = bool(self._under_way)
        self.said.emit(self._text(), any(not adding.writing for adding in self._under_way.values()))

    def _text(self) -> str:
        if not self._under_way:
            return ""
        files = self._wording.files(sum(adding.found for adding in self._under_way.values()))
        if all(adding.writing for adding in self._under_way.values()):
            return f"Adding {files}…"
        names = [adding.name for adding in self._under_way.values()]
        return f"Looking through {names[0] if len(names) == 1 else f'{len(names)} places'}… {files}"


def _name_of(paths: Sequence[str]) -> str:
    """A batch's name: that of the only thing in it, else of the folder that all of it lies in."""
    if len(paths) == 1:
        return display_text(os.path.basename(os.path.normpath(paths[0])) or paths[0])  # noqa: PTH119
    parents = {os.path.dirname(path) for path in paths}  # noqa: PTH120 - a path may be an address
    common = parents.pop() if len(parents) == 1 else ""
    return display_text(os.path.basename(common) or f"{len(paths)} things")  # noqa: PTH119


def notice_of(report: AddReport, wording: Wording, show: Callable[[], object]) -> Notice:
    """What a person is told about an Add; `show` opens the list of what was refused."""
    if report.problem:
        return Notice(f"Nothing was added: {report.problem}", Kind.PROBLEM)
    if report.cancelled:
        return Notice("Stopped. Nothing was added.", passing=True)
    added = f"Added {wording.files(report.added)}." if report.added else ""
    if not report.refused:
        return Notice(added or "There are no files in there, so nothing was added.", passing=True)
    if len(report.refused) == 1:
        refusal = report.refused[0]
        name = display_text(refusal.path)
        return Notice(f"{added} “{name}” can't be added: {refusal.text}.".strip(), Kind.WARNING)
    if report.added:
        text = f"{added} {wording.number(len(report.refused))} other things can't be added."
    else:
        text = f"None of these {wording.number(len(report.refused))} things can be added."
    return Notice(text, Kind.WARNING, (NoticeAction("Show…", show),))
