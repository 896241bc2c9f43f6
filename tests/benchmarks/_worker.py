"""Run `filemill worker --until-idle`, and print what it has cost.

    python -m tests.benchmarks._worker [--statements]

It prints the CPU time in seconds from the start of the consumer to the end of the program, and with `--statements` the
number of statements that were executed on the database, which takes time. BEGIN and COMMIT count too; statements on the
file of the embedded queue do not.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from desktop_app.__main__ import main
from desktop_app.services.consuming.consumer import Consumer
from desktop_app.store import database
from desktop_app.store.backends.sqlite import SqliteDatabase

if TYPE_CHECKING:
    import sqlite3

    from desktop_app.services.loops import StopRequest

SHOWN = 40
statements: Counter[str] = Counter()
began: list[float] = []


def count(text: str) -> None:
    if not text.startswith("--"):  # inside a trigger
        statements[" ".join(text.split())[:100]] += 1


class Traced(SqliteDatabase):
    """Counts the statements on its connections."""

    def _connect(self) -> sqlite3.Connection:
        connection = super()._connect()
        connection.set_trace_callback(count)
        return connection


def note_begin(self: Consumer, stop: StopRequest) -> None:
    began.append(time.process_time())
    run(self, stop)


if __name__ == "__main__":
    if "--statements" in sys.argv:
        database.SqliteDatabase = Traced  # type: ignore[attr-defined]
    run = Consumer.run
    Consumer.run = note_begin  # type: ignore[method-assign]
    code = main(["worker", "--until-idle"])
    print("cpu", time.process_time() - began[0])
    print("statements", statements.total())
    for text, times in statements.most_common(SHOWN):
        print(f"{times:>8} {text}", file=sys.stderr)
    sys.exit(code)
