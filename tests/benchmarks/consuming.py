"""Measure how fast files of an SQS queue are processed: Filemill, a bare boto3 loop, and other libraries.

    python -m tests.benchmarks.consuming [FILES]

All consume from the same server in turns, and process the same files. The rate is that of the files from the first one
received to the last one finished, according to the database that each program writes, so neither the start of a program
nor its wait for further messages counts; both are reported as well. Every program stores its results durably before it
deletes the messages, except for a second bare loop, which is faster where the disk is slow. Filemill's other guarantees
(leases, fencing tokens, attempts) have no counterpart in either loop.
"""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks._peers import PEERS, Peer, PeerError
from tests.benchmarks._programs import Ended, filemill, make_files, queue_environment, run, sqs_server
from tests.benchmarks._results import at_least, at_most, missing, note
from tests.helpers.sqs.kit import boto_client

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.benchmarks._programs import SqsServer

FILES, FEW = 5_000, 500
FILE_BYTES = 2_048
ROUNDS, MORE_ROUNDS = 3, 4
AHEAD_OF_BARE = 0.9
CPU_US, REQUESTS, STATEMENTS = 250, 0.35, 0.5
LONGEST_SECONDS = 300.0
WORKER = (sys.executable, "-m", "tests.benchmarks._worker")
OWN = "Filemill"
LOOSE = "one whose commits a power failure can undo"
LOOP = Path(__file__).with_name("peers") / "loop.py"


@dataclass(frozen=True, slots=True)
class Run:
    """A measured run.

    Attributes:
        rate: The files per second between the first that was received and the last that was finished.
        wall_s: How long the whole process took, with its start and its end.
        cpu_s: The CPU time of the whole process.
        job_us: The CPU time a job, without the start; None if the program does not tell.
    """

    rate: float
    wall_s: float
    cpu_s: float
    job_us: float | None


@dataclass(slots=True)
class Runs:
    """The runs of one program."""

    taken: list[Run] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(run.rate for run in self.taken)

    @property
    def job_us(self) -> float:
        return statistics.median(run.job_us for run in self.taken if run.job_us is not None)

    @property
    def whole(self) -> str:
        wall_s = statistics.median(run.wall_s for run in self.taken)
        cpu_s = statistics.median(run.cpu_s for run in self.taken)
        return f"{wall_s:.1f} s, {cpu_s:.1f} s of CPU time"


class Place:
    """A server with the files, in a temporary folder, for all programs.

    Args:
        folder: The folder.
        server: The server.
        count: The number of files.
    """

    def __init__(self, folder: Path, server: SqsServer, count: int) -> None:
        self.folder = folder
        self.server = server
        self.paths = make_files(folder / "in", count, FILE_BYTES)
        self._queues = 0
        self._sqs = boto_client(endpoint_url=server.endpoint_url)

    def new_queue(self) -> tuple[str, str]:
        """Create a queue; return its name and URL."""
        self._queues += 1
        name = f"benchmark-{self._queues}"
        return name, self._sqs.create_queue(QueueName=name)["QueueUrl"]

    def listed(self, count: int) -> Path:
        """Return a file with the paths of some files."""
        path = self.folder / f"list-{count}.txt"
        path.write_text("\n".join(map(str, self.paths[:count])), encoding="utf-8")
        return path

    def requests(self) -> int:
        return sum((self.server.requests() or {}).values())


def measured_filemill(place: Place, count: int, *options: str) -> tuple[Run, Ended]:
    """Add files to a new list and queue, and process them in a new process."""
    name, _ = place.new_queue()
    home = place.folder / name
    home.mkdir()
    environment = queue_environment(home, place.server, name)
    submit(environment, place.listed(count))
    ended = run([*WORKER, *options], environment)
    return consumed(ended, home / "filemill.db", count, unit_s=0.001), ended


def submit(environment: Mapping[str, str], listed: Path) -> Ended:
    return filemill(environment, "submit", *listed.read_text(encoding="utf-8").splitlines())


def measured_peer(place: Place, peer: Peer, count: int, *, is_durable: bool = True) -> Run:
    """Send messages to a new queue with a peer's own code, and let it consume them."""
    name, url = place.new_queue()
    database = place.folder / f"{name}.db"
    environment = queue_environment(place.folder / name, place.server, name)
    environment |= {"BENCHMARK_DATABASE": str(database), "BENCHMARK_QUEUE": name, "BENCHMARK_QUEUE_URL": url}
    environment["BENCHMARK_SYNCHRONOUS"] = "full" if is_durable else "normal"
    run(peer.command("send", url, str(database), str(place.listed(count))), environment)
    command = peer.command("work", url, str(database))
    ended = run(command, environment) if peer.ends else ended_when_done(command, environment, database)
    return consumed(ended, database, count, unit_s=1)


def measured_calls(place: Place, count: int) -> float:
    """Return the CPU microseconds a message of receiving and deleting by tens with boto3, without any job."""
    name, url = place.new_queue()
    database = str(place.folder / f"{name}.db")
    environment = queue_environment(place.folder / name, place.server, name)
    run(Peer("", LOOP).command("send", url, database, str(place.listed(count))), environment)
    ended = run(Peer("", LOOP, options=("--calls",)).command("work", url, database), environment)
    cpu_s = printed(ended, "cpu")
    if cpu_s is None or printed(ended, "messages") != count:
        raise RuntimeError(f"not all of {count} messages were received: {ended.out}")
    return cpu_s / count * 1e6


def ended_when_done(command: Sequence[str], environment: Mapping[str, str], database: Path) -> Ended:
    """Run a program that does not end by itself, until all files are finished."""
    began = time.perf_counter()
    with (
        closing(sqlite3.connect(database)) as connection,
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, env=dict(environment), stdout=log, stderr=log, cwd=database.parent) as program,
    ):
        try:
            while connection.execute("SELECT 1 FROM job WHERE finished_at IS NULL LIMIT 1").fetchone():
                if program.poll() is not None or time.perf_counter() - began > LONGEST_SECONDS:
                    log.seek(0)
                    raise PeerError(log.read()[-1_000:].decode(errors="replace"))
                time.sleep(0.1)
        finally:
            wall_s = time.perf_counter() - began
            program.terminate()
            try:
                program.wait(20)
            except subprocess.TimeoutExpired:
                program.kill()
    return Ended(wall_s, 0, "")


def consumed(ended: Ended, database: Path, count: int, *, unit_s: float) -> Run:
    """Return what a database says about a run, in which each file must have been processed correctly."""
    size, lines = ("file_size", "lines_count") if unit_s < 1 else ("size", "lines")
    with closing(sqlite3.connect(database)) as connection:
        query = f"SELECT COUNT(*), MIN(started_at), MAX(finished_at) FROM job WHERE {size} = ? AND {lines} = ?"
        done, first, last = connection.execute(f"{query} AND status = 2", (FILE_BYTES, FILE_BYTES // 39 + 1)).fetchone()
    if done != count:
        raise RuntimeError(f"only {done} of {count} files were processed correctly")
    cpu_s = printed(ended, "cpu")
    job_us = None if cpu_s is None else cpu_s / count * 1e6
    return Run(count / ((last - first) * unit_s), ended.wall_s, ended.cpu_s, job_us)


def printed(ended: Ended, name: str) -> float | None:
    """Return a number that a program has printed after its name; None if it has not."""
    return next((float(line.split()[1]) for line in ended.out.splitlines() if line.startswith(f"{name} ")), None)


def main(count: int) -> int:
    with tempfile.TemporaryDirectory(prefix="filemill-benchmark-") as folder, sqs_server() as server:
        note("the SQS server", server.name)
        place = Place(Path(folder), server, count)
        loop = Peer("a bare boto3 loop", LOOP, ends=True)
        turns: dict[str, Callable[[], Run]] = {
            OWN: lambda: measured_filemill(place, count)[0],
            loop.name: lambda: measured_peer(place, loop, count),
            LOOSE: lambda: measured_peer(place, loop, count, is_durable=False),
        }
        for peer in PEERS:
            turns[peer.name] = partial(measured_peer, place, peer, min(peer.files, count))
        runs, troubles = in_turns(turns)
        for _ in range(MORE_ROUNDS):
            for name in (OWN, loop.name, LOOSE):
                runs[name].taken.append(turns[name]())
        own = runs[OWN]
        what = f"consuming {count:,} files of 2 KB from SQS, against "
        for name in turns:
            if name in troubles:
                missing(what + name, troubles[name])
            elif name != OWN:
                goal = AHEAD_OF_BARE if name in {loop.name, LOOSE} else 1
                at_least(what + name, own.rate, "jobs/s", peer="there", against=runs[name].rate, goal=goal)
        note("the same, the whole process", f"{own.whole}; the bare loop: {runs[loop.name].whole}")
        measure_costs(place, count, own, runs[loop.name])
    return 0


def in_turns(turns: Mapping[str, Callable[[], Run]]) -> tuple[dict[str, Runs], dict[str, str]]:
    """Run all programs in turns; return their runs, and why other libraries could not be measured."""
    runs = {name: Runs() for name in turns}
    troubles: dict[str, str] = {}
    peers = {peer.name: peer for peer in PEERS}
    for number in range(ROUNDS):
        for name in list(turns)[:: 1 if number % 2 else -1]:
            if name in troubles:
                continue
            try:
                if name in peers:
                    peers[name].install()
                runs[name].taken.append(turns[name]())
            except (PeerError, RuntimeError, subprocess.SubprocessError) as error:
                if name not in peers:
                    raise
                troubles[name] = " ".join(str(error).split())[-200:]
    return runs, troubles


def measure_costs(place: Place, count: int, own: Runs, bare: Runs) -> None:
    """Report what a job costs, without the start of the program."""
    calls = statistics.median(measured_calls(place, count) for _ in range(ROUNDS))
    at_most("CPU time a job, without that of boto3's receives and deletes", own.job_us - calls, "µs", CPU_US)
    note("with them", f"{own.job_us:.0f} µs, of which {calls:.0f} µs in boto3; the bare loop: {bare.job_us:.0f} µs")
    what = "requests a job, sends included"
    if place.server.requests() is None:
        missing(what, "this server does not count them")
    else:
        before = place.requests()
        measured_filemill(place, count)
        at_most(what, (place.requests() - before) / count, "", REQUESTS)
    few, many = (printed(measured_filemill(place, some, "--statements")[1], "statements") for some in (FEW, count))
    assert few is not None
    assert many is not None
    at_most("statements on the database a job", (many - few) / (count - FEW), "", STATEMENTS)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else FILES))
