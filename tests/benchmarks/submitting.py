"""Measure how fast files are added to the list, and their messages sent to SQS.

    python -m tests.benchmarks.submitting [FILES]

Adding is what `filemill submit` does until the files are safe in the database: scan the folder, look the files up in
the list, and write their rows and outbox entries durably. It is compared with `executemany` of the very same rows into
the same tables with the same indexes, one durable commit for each 1,000, which scans nothing and finds all values, such
as IDs and sort keys, ready in memory. Sending is compared with a loop of SendMessageBatch with the same bodies on the
same server. Both take turns in one process.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.bootstrap import MIGRATIONS, connect_queue, open_program, send_all
from desktop_app.queues.messages import MAX_ENTRIES, FileMessage, encode
from desktop_app.services.adding.names import batch_name
from desktop_app.sources.scan import scan
from desktop_app.store.database import open_database
from tests.benchmarks._programs import environment_of, filemill, make_files, queue_environment, sqs_server
from tests.benchmarks._results import at_least, note
from tests.helpers.sqs.kit import boto_client

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

    from desktop_app.bootstrap import Program
    from desktop_app.sources.scan import ScanResult
    from tests.benchmarks._programs import SqsServer

FILES, SENT = 20_000, 10_000
ROUNDS = 3
ROWS_A_COMMIT = 1_000
OF_EXECUTEMANY, OF_SEND_BATCH = 0.5, 0.9
TABLES = ("batch", "job", "outbox")


def main(count: int) -> int:
    with tempfile.TemporaryDirectory(prefix="filemill-benchmark-") as name:
        folder = Path(name)
        make_files(folder / "in", count, 2_048)
        measure_adding(folder, count)
        with sqs_server() as server:
            measure_sending(folder, server, min(count, SENT))
    return 0


def opened(home: Path, environment: dict[str, str]) -> Program:
    """Open the list in a home folder."""
    home.mkdir()
    for name in [name for name in os.environ if name.startswith(("AWS_", "FILEMILL_"))]:
        if name != "FILEMILL_BENCHMARK_RESULTS":
            del os.environ[name]
    os.environ.update(environment)
    return open_program()


def measure_adding(folder: Path, count: int) -> None:
    whole, writing, ceiling = [], [], []
    for number in range(ROUNDS + 1):
        home = folder / f"home-{number}"
        with closing(opened(home, environment_of(home))) as program:
            began = time.perf_counter()
            found = scan([str(folder / "in")], recursive=True, cancelled=lambda: False, on_found=lambda _: None)
            assert program.editor.listed_jobs(found.files) == {}
            scanned = time.perf_counter()
            program.editor.add(found.files, automatic_name=partial(batch_name, found=found))
            ended = time.perf_counter()
        bare_s = bare_insert(home / "filemill.db", folder / f"bare-{number}.db", count)
        if number:  # the first round warms up
            whole.append(count / (ended - began))
            writing.append(count / (ended - scanned))
            ceiling.append(count / bare_s)
    peer, bare = "executemany of the same rows", statistics.median(ceiling)
    what = f"submit of {count:,} files, until safe in the database"
    at_least(what, statistics.median(whole), "files/s", peer=peer, against=bare, goal=OF_EXECUTEMANY)
    at_least("the same without scanning", statistics.median(writing), "files/s", peer=peer, against=bare, goal=None)
    home = folder / "whole"
    home.mkdir()
    ended_program = filemill(environment_of(home), "submit", "--recursive", str(folder / "in"))
    note("the same, the whole command", f"{ended_program.wall_s:.1f} s, {ended_program.cpu_s:.1f} s of CPU time")


def bare_insert(source: Path, target: Path, count: int) -> float:
    """Copy the rows of a list to an empty one as fast as a simple loop can; return the seconds for the writing."""
    open_database(target, MIGRATIONS).release()
    with closing(sqlite3.connect(source)) as read:
        rows = {table: read.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in TABLES}
    assert len(rows["job"]) == len(rows["outbox"]) == count
    inserts = {table: f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[table][0]))})" for table in TABLES}
    with closing(sqlite3.connect(target, isolation_level=None)) as write:
        write.execute("PRAGMA journal_mode = wal")
        write.execute("PRAGMA synchronous = full")
        write.execute("PRAGMA foreign_keys = 1")
        began = time.perf_counter()
        write.executemany(inserts["batch"], rows["batch"])
        for start in range(0, count, ROWS_A_COMMIT):
            write.execute("BEGIN IMMEDIATE")
            for table in TABLES[1:]:
                write.executemany(inserts[table], rows[table][start : start + ROWS_A_COMMIT])
            write.execute("COMMIT")
        took = time.perf_counter() - began
        assert write.execute("SELECT COUNT(*) FROM job").fetchone() == (count,)
    return took


def measure_sending(folder: Path, server: SqsServer, count: int) -> None:
    found = scan([str(folder / "in")], recursive=True, cancelled=lambda: False, on_found=lambda _: None)
    sqs = boto_client(endpoint_url=server.endpoint_url)
    own, bare = [], []
    for number in range(ROUNDS):
        urls = [sqs.create_queue(QueueName=f"{kind}-{number}")["QueueUrl"] for kind in ("own", "bare")]
        home = folder / f"sending-{number}"
        environment = queue_environment(home, server, f"own-{number}")
        for turn in ("own", "bare") if number % 2 else ("bare", "own"):
            if turn == "own":
                own.append(sent(home, environment, found, count))
            else:
                bare.append(bare_send(sqs, urls[1], count))
        for url in urls:
            state = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            assert int(state["Attributes"]["ApproximateNumberOfMessages"]) == count
    what = f"sending {count:,} messages to SQS"
    peer, ceiling = "SendMessageBatch in a loop", statistics.median(bare)
    at_least(what, statistics.median(own), "messages/s", peer=peer, against=ceiling, goal=OF_SEND_BATCH)


def sent(home: Path, environment: dict[str, str], found: ScanResult, count: int) -> float:
    """Send the messages of added files; return the messages per second, without the connecting."""
    with closing(opened(home, environment)) as program, closing(connect_queue(program)) as connector:
        program.editor.add(found.files[:count], name="")
        connector.connect().state()
        began = time.perf_counter()
        report = send_all(program, connector, deadline_s=600)
        took = time.perf_counter() - began
    assert (report.sent, report.trouble) == (count, "")
    return count / took


def bare_send(sqs: SQSClient, url: str, count: int) -> float:
    """Send as many messages with boto3 alone; return the messages per second."""
    bodies = [encode(FileMessage(f"00000000-0000-4000-8000-{number:012}", 1)) for number in range(count)]
    sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    began = time.perf_counter()
    for start in range(0, count, MAX_ENTRIES):
        some = bodies[start : start + MAX_ENTRIES]
        entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(some)]
        assert not sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")  # type: ignore[arg-type]
    return count / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else FILES))
