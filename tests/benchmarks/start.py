"""Measure how long the window takes to start and to quit. Prints each measurement with its limit.

    python -m tests.benchmarks.start [ROWS ...]

The first paint is compared with that of a bare window with a table; both are measured in turns. A start lasts from the
creation of the process until the window has painted the list, received a key, and painted the row that the key selects.
A quit lasts from closing the window to the end of the process. Each result is the median of
several programs, which run on the offscreen platform; a first one, which compiles the modules, is not counted.
"""

from __future__ import annotations

import logging
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import boto3
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from desktop_app.config.settings import connection_from, load_settings, update_settings
from desktop_app.queues.identity import resolve
from tests.benchmarks._programs import environment_of
from tests.benchmarks._results import at_most, at_most_times, note
from tests.benchmarks._window import IDLE, STARTED, WORKING
from tests.benchmarks.table import seed
from tests.helpers.servers import Quiet, served

if TYPE_CHECKING:
    from collections.abc import Mapping

START_MS = {100_000: 1_000, 1_000_000: 1_300}
QUIT_MS = 1_000
TIMES = 5
FILES, FILE_BYTES = 8, 4 * 1024**3
QUEUE = "files"
PAINT_RATIO = 1.5
"""The goal for the time until the first paint, against a bare window."""
PAINT_TIMES = 11
BARE_WINDOW = """
import os, time
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QMainWindow, QTableView

class Probe(QObject):
    def eventFilter(self, watched, event):
        if event.type() is QEvent.Type.Paint:
            print(time.monotonic(), time.process_time(), flush=True)
            os._exit(0)
        return False

application = QApplication([])
window, table, probe = QMainWindow(), QTableView(), Probe()
window.setCentralWidget(table)
table.viewport().installEventFilter(probe)
window.resize(1100, 700)
window.show()
application.exec()
"""
FIRST_PAINT = """
import os, sys, time
from desktop_app import __main__ as entry

class Probe:
    def find_spec(self, name, path=None, target=None):
        if name == "desktop_app.window_app":  # not before, so that the order of imports is that of a real start
            sys.meta_path.remove(self)
            from desktop_app.gui.window.main_window import MainWindow
            MainWindow.paintEvent = self.paint
        return None

    @staticmethod
    def paint(window, event):
        print(time.monotonic(), time.process_time(), flush=True)
        os._exit(0)

sys.meta_path.insert(0, Probe())
entry.main([])
"""
PROGRAM = [sys.executable, str(Path(__file__).with_name("_window.py"))]


class Silent(Quiet):
    """Never responds."""

    over = threading.Event()

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        self.over.wait()


def tell(what: str, taken: list[tuple[float, float]], ceiling: float, *, with_cpu: bool = False) -> None:
    """Report the median of measurements in milliseconds with its limit.

    Args:
        what: What was measured.
        taken: The measurements: the time, and the CPU time until the probe's event.
        ceiling: The limit in milliseconds.
        with_cpu: Whether to report the CPU time, which depends less on what else the computer does.
    """
    at_most(what, statistics.median(duration for duration, _ in taken), "ms", ceiling)
    if with_cpu:
        note("its CPU time", f"{statistics.median(used for _, used in taken):.0f} ms")


def run_program(event: str, environment: Mapping[str, str], code: str = "") -> tuple[float, float]:
    """Run a program, or Python code; return the duration of its start or of its quit, and its CPU time, in ms."""
    command = [sys.executable, "-c", code] if code else [*PROGRAM, event]
    begin = monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        line = program.stdout.readline().split()
        result = program.wait(60)
        end = monotonic()
    if result or len(line) != 2:
        raise SystemExit(f"The program ended with code {result}.")
    moment, cpu = map(float, line)
    return ((moment - begin) if event == STARTED else (end - moment)) * 1000, cpu * 1000


def measured_first_paint() -> None:
    """Measure the time until the first paint, against that of a bare window."""
    bare: list[tuple[float, float]] = []
    ours: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        environment = environment_of(Path(folder))
        for taken, code in ((bare, BARE_WINDOW), (ours, FIRST_PAINT)) * (PAINT_TIMES + 1):
            taken.append(run_program(STARTED, environment, code))
    (ours_ms, ours_cpu), (bare_ms, bare_cpu) = (
        [statistics.median(values) for values in zip(*taken[1:], strict=True)] for taken in (ours, bare)
    )
    at_most_times("first paint", ours_ms, "ms", peer="bare window", against=bare_ms, goal=PAINT_RATIO)
    note("its CPU time", f"{ours_cpu:.0f} ms, {ours_cpu / bare_cpu:.2f} times that of the bare window")


def measured_start(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        seed(home / "filemill.db", rows)
        environment = environment_of(home)
        run_program(STARTED, environment)
        taken = [run_program(STARTED, environment) for _ in range(TIMES)]
    ceiling = START_MS.get(rows, max(START_MS.values()))
    tell(f"start with {rows:,} files, until it answers a key", taken, ceiling, with_cpu=True)


def measured_quit(what: str, event: str, **environment: str) -> None:
    """Measure the quit of a window with large files on its list."""
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(FILES):
            with (Path(folder) / f"large {number}.bin").open("wb") as file:
                file.truncate(FILE_BYTES)
        home = Path(folder) / "home"
        home.mkdir()
        variables = environment_of(home, **environment)
        if "FILEMILL_QUEUE" in environment:
            connection = resolve(connection_from(load_settings(home / "settings.toml"), variables))
            update_settings(home / "settings.toml", process_queue=connection.permission_key)
        else:
            subprocess.run(
                [sys.executable, "-m", "desktop_app", "submit", "--recursive", folder],
                env=variables, check=True, capture_output=True,
            )  # fmt: skip
        taken = [run_program(event, variables) for _ in range(TIMES)]
    tell(what, taken, QUIT_MS)


def main() -> int:
    sizes = [int(word) for word in sys.argv[1:]] or list(START_MS)
    measured_first_paint()
    for rows in sizes:
        measured_start(rows)
    measured_quit("quit while files are processed", WORKING)
    aws = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto.start()
    url = "http://{}:{}".format(*moto.get_host_and_port())
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}
    boto3.client("sqs", endpoint_url=url, **keys).create_queue(QueueName=QUEUE)  # type: ignore[call-overload]
    polled = {**aws, "FILEMILL_QUEUE": QUEUE, "AWS_ENDPOINT_URL_SQS": url}
    measured_quit("quit during a long poll", IDLE, **polled)
    moto.stop()
    with served(Silent) as address:
        silent = {**aws, "FILEMILL_QUEUE": QUEUE, "AWS_ENDPOINT_URL_SQS": f"http://{address}"}
        measured_quit("quit while the queue server does not respond", IDLE, **silent)
        Silent.over.set()
    return 0


if __name__ == "__main__":
    sys.exit(main())
