"""Measure the review sheet after a scan that found very many files. Prints each measurement with its limit.

    python -m tests.benchmarks.adding [FILES]

Runs on the offscreen platform. The result of the scan is created in memory, because the disk is not measured.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from tests.benchmarks._kit import EventLoopDelays, pause, spin, tell  # isort: skip

from PySide6.QtCore import QLocale
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.job import NewFile
from desktop_app.gui.adding.adder import Proposal
from desktop_app.gui.adding.review_sheet import ReviewSheet
from desktop_app.gui.processors.choice import ProcessorChoice
from desktop_app.gui.startup.qt_runtime import MainThreadGarbageCollector
from desktop_app.gui.tasks import Stream, Tasks
from desktop_app.gui.theme.theme import Theme
from desktop_app.gui.window_memory import WindowMemory
from desktop_app.gui.wording import Wording
from desktop_app.processing.registry import BUILT_IN
from desktop_app.services.adding.review import Review
from desktop_app.sources.file_list import FileList
from desktop_app.sources.scan import NamedFolder, ScanResult
from desktop_app.store.adding import Intake
from desktop_app.store.database import open_database

FILES = 100_000
TYPED = "*.csv; *.txt"
FOLDER = "/data/in"


def found(count: int) -> ScanResult:
    """Return the result of a scan of a folder with subfolders."""
    files = FileList(
        NewFile(f"{FOLDER}/{at % 100:02}/measurement number {at:07}.{('csv', 'log', 'txt')[at % 3]}", at, 10**18 + at)
        for at in range(count)
    )
    return ScanResult(files, (), folders=(NamedFolder(FOLDER, range(count), range(0)),))


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    scale = count / FILES
    application = QApplication([])
    look = Theme(application)
    look.follow(application)
    MainThreadGarbageCollector(application).start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = found(count)
    tasks = Tasks(nullcontext, threads=2)
    window = QWidget()
    window.show()
    began = time.perf_counter()
    review = Review(result, bytearray(count))
    tell(f"look through {count:,} files once", (time.perf_counter() - began) * 1000, 200 * scale)
    proposal = Proposal(1, review, "in", (FOLDER,))
    choices = ProcessorChoice(lambda: BUILT_IN, lambda: "", WindowMemory(Path(FOLDER) / "window.ini"), window)
    wording = Wording(QLocale(QLocale.Language.English))
    sheet = ReviewSheet(proposal, Stream(tasks, window), choices, look, wording, window)
    beat = EventLoopDelays()
    spin(sheet.isVisible)
    beat.restart()
    began = time.perf_counter()
    for letter in TYPED:
        QTest.keyClicks(sheet.only, letter)
        pause(0.15)
    expected = f"{sum(at % 3 != 1 for at in range(count)):,} of"
    spin(lambda: sheet.chosen.text().startswith(expected))
    tell("longest pause of the window while typing", beat.longest_ms, 50)
    took = (time.perf_counter() - began) * 1000 - len(TYPED) * 150
    tell("until the count was right after the last letter", took, 120 + 400 * scale)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    tell("memory for all of it", grown, 30 + 40 * scale, "MB")
    sheet.reject()
    with tempfile.TemporaryDirectory() as folder:
        intake = Intake(open_database(Path(folder) / "jobs.db", MIGRATIONS))
        half = result.files[: count // 2]
        intake.add(half, queue="local", name="", now_ms=0)
        began = time.perf_counter()
        assert sum(intake.listed(result.files, lambda: False)) == len(half)
        took = (time.perf_counter() - began) * 1000
        tell("look all of them up in a list that has half of them", took, 2_000 * scale)
    tasks.close(1_000)
    return 0


if __name__ == "__main__":
    sys.exit(main())
