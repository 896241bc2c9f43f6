"""Two programs watch a folder and are killed again and again, while many files come into it: each is added once."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.crash.served import ServedSimulator
from tests.helpers import wait_until
from tests.helpers.sqs.simulator import Simulator
from tests.store.kit import rows_of
from tests.torture.world import Programs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="file names of every kind"),
    pytest.mark.timeout(600),
]

ROUNDS = 4
FILES_A_ROUND = 600
NAMES = ("a b", "'quoted'", 'double"', "line\nfeed", "-dash", "$(x)", "emoji \N{SNOWMAN}", os.fsdecode(b"bytes\xff"))


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    (tmp_path / "programs").mkdir()
    made = Programs(tmp_path / "programs" / "home")
    yield made
    made.end_all()


def count(programs: Programs, statement: str) -> int:
    """Return a number in the database; 0 while there is none."""
    if not programs.database.exists():
        return 0
    try:
        return int(rows_of(programs.database, statement)[0][0])
    except sqlite3.OperationalError:  # the tables are being created
        return 0


def has_more_than(programs: Programs, number: int) -> bool:
    return count(programs, "SELECT count(*) FROM job") > number


def test_each_file_is_added_exactly_once_although_programs_are_killed(programs: Programs, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    words = ("watch", "--settle", "1", str(folder))
    first = programs.start(*words)
    wait_until(lambda: count(programs, "SELECT count(*) FROM watch WHERE is_begun"), timeout=120)
    second = programs.start(*words)
    written = 0
    for round_number in range(ROUNDS):
        added = count(programs, "SELECT count(*) FROM job")
        for number in range(FILES_A_ROUND):
            name = f"{NAMES[number % len(NAMES)]} {round_number} {number}"
            (folder / name).write_bytes(b"x\n")
        written += FILES_A_ROUND
        # While files are being added, and perhaps in the middle of a transaction.
        wait_until(partial(has_more_than, programs, added), timeout=120)
        first.kill()
        first.wait()
        first, second = second, programs.start(*words)
    wait_until(lambda: count(programs, "SELECT count(*) FROM job") >= written, timeout=120)
    for file in folder.iterdir():
        file.write_bytes(b"changed\n")
    wait_until(lambda: count(programs, "SELECT count(*) FROM job") >= 2 * written, timeout=120)
    paths = rows_of(programs.database, "SELECT coalesce(raw_path, file_path), count(*) FROM job GROUP BY 1")
    assert len(paths) == written
    assert {times for _, times in paths} == {2}  # as it came, and as it was changed
    with closing(sqlite3.connect(programs.database)) as database:
        assert database.execute("SELECT count(*) FROM outbox").fetchone() == (2 * written,)
        assert database.execute("SELECT sum(added) FROM watch").fetchone() == (2 * written,)


def test_messages_of_added_files_are_sent_to_the_queue(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "programs").mkdir()
    simulator = Simulator()
    simulator.create_queue("work")
    with ServedSimulator(simulator) as served:
        programs = Programs(tmp_path / "programs" / "home", "work", served.endpoint_url)
        try:
            program = programs.start("watch", "--settle", "1", "--existing", "add", str(tmp_path / "in"))
            for name in ("a", "b"):
                (tmp_path / "in" / name).write_bytes(b"x\n")
                wait_until(partial(has_sent, programs, tmp_path / "in" / name), timeout=120)
            program.send_signal(signal.SIGINT)
            assert program.wait(30) == 0
            assert programs.output_of(program).count("Added 1 file.") == 2
        finally:
            programs.end_all()


def has_sent(programs: Programs, file: Path) -> bool:
    sent = f"SELECT count(*) FROM job WHERE message_id IS NOT NULL AND file_path = '{file}'"
    return count(programs, sent) == 1
