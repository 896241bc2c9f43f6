"""Measure how long the window takes to start and to quit. Prints each measurement with its limit.

    python -m tests.benchmarks.start [ROWS ...]

A start lasts from the creation of the process until the window has painted the list, received a key, and painted the
row that the key selects. A quit lasts from closing the window to the end of the process. Each result is the median of
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
from tests.benchmarks._results import at_most, note
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


def run_program(event: str, environment: Mapping[str, str]) -> tuple[float, float]:
    """Run a program; return the duration of its start or of its quit, and its CPU time, in milliseconds."""
    begin = monotonic()
    with subprocess.Popen([*PROGRAM, event], env=environment, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        line = program.stdout.readline().split()
        code = program.wait(60)
        end = monotonic()
    if code or len(line) != 2:
        raise SystemExit(f"The program ended with code {code}.")
    moment, cpu = map(float, line)
    return ((moment - begin) if event == STARTED else (end - moment)) * 1000, cpu * 1000


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
