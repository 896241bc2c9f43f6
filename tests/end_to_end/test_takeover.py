"""A worker that is suspended past its lease loses its file to another one, and notices this when it continues."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.crash.served import ServedSimulator
from tests.helpers import wait_until
from tests.helpers.sqs.simulator import Simulator
from tests.store.kit import rows_of
from tests.torture.world import Programs

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="needs SIGSTOP"),
    pytest.mark.timeout(600),
]

SIZE = 6_000_000_000
"""The size of a sparse file, which takes seconds to process."""
LEASE_SECONDS = 60
"""More than the lease of a row, which ends 40 seconds after the last heartbeat."""


KINDS = {"standard": "work", "FIFO": "work.fifo", "embedded": ""}
"""The names of the queues; all kinds are tried at the same time, since nearly all of it is waiting."""


@contextmanager
def _programs(queue: str, home: Path) -> Iterator[Programs]:
    home.mkdir(parents=True)  # the output of the programs is stored beside it
    with ExitStack() as stack:
        address = ""
        if queue:
            simulator = Simulator()
            simulator.create_queue(queue)
            address = stack.enter_context(ServedSimulator(simulator)).endpoint_url
        programs = Programs(home, queue, address)
        stack.callback(programs.end_all)
        yield programs


def _suspend(program: subprocess.Popen[str], home: Path) -> None:
    """Suspend a program at a moment when it holds no lock on its files, which would suspend all other programs too."""
    while True:
        program.send_signal(signal.SIGSTOP)
        try:
            for file in home.glob("filemill.db*"):
                if file.suffix in {".db", ".queue"}:
                    with closing(sqlite3.connect(file, timeout=0.5)) as connection:
                        connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            program.send_signal(signal.SIGCONT)
        else:
            return


def test_suspended_worker_loses_its_file_which_has_exactly_one_result(tmp_path: Path) -> None:
    path = tmp_path / "long.bin"
    path.touch()
    os.truncate(path, SIZE)

    def try_on(kind: str) -> None:
        with _programs(KINDS[kind], tmp_path / kind / "home") as programs:
            _lose_and_keep(programs, path)

    with ThreadPoolExecutor(len(KINDS)) as pool:
        for done in [pool.submit(try_on, kind) for kind in KINDS]:
            done.result()


def _lose_and_keep(programs: Programs, path: Path) -> None:
    """Suspend a worker until another one has taken its file over, and check what both of them did."""
    assert programs.start("submit", str(path)).wait(60) == 0

    def job() -> tuple[int, int, int]:
        ((status, token, done),) = rows_of(programs.database, "SELECT status, lease_token, bytes_done FROM job")
        return status, token, done

    first = programs.start("worker", "--concurrency", "1")
    wait_until(lambda: job()[2], timeout=60)
    _suspend(first, programs.home)
    status, token, _ = job()
    assert (status, token) == (1, 1), "the file was finished before the worker could be suspended"

    second = programs.start("worker", "--until-idle")
    wait_until(lambda: job()[1] == token + 1, timeout=LEASE_SECONDS)  # the other worker has claimed the file
    first.send_signal(signal.SIGCONT)
    assert second.wait(120) == 0, programs.output_of(second)
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 0, programs.output_of(first)

    log = (programs.home / "logs" / "filemill.log").read_text()
    assert "the lease was lost" in log
    status_line = programs.start("status", "--json")
    assert status_line.wait(60) == 0
    (result,) = map(json.loads, programs.output_of(status_line).splitlines())
    assert (result["status"], result["attempts"]) == ("PROCESSED", 2)
    assert (result["file_size"], result["lines_count"]) == (SIZE, 1)
    outcomes = rows_of(programs.database, "SELECT outcome FROM attempt ORDER BY number")
    assert outcomes == [("stopped",), ("processed",)]
    assert "Traceback" not in programs.output_of(first) + programs.output_of(second)
