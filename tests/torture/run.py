"""Run real programs on an unreliable network and kill one every few seconds; in the end, everything must be right.

    python tests/torture/run.py [--files 5000] [--kills 50] [--fifo] [--strict] [--embedded]
                                [--concurrency 3] [--minutes 12] [--seed N] [--keep]

`filemill submit` adds files in several parts, and one or two `filemill worker` process them, all behind a proxy that
resets connections, loses responses, throttles, returns errors, duplicates messages, and fails for seconds; or on the
embedded queue. Programs are killed with SIGKILL, some are stopped with SIGTERM. The exit code is 1 if anything is wrong
in the end.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.crash import status_log
from tests.torture.proxy import HostileProxy
from tests.torture.verify import verify
from tests.torture.world import FOREIGN_BODIES, Embedded, Programs, Queue, Server, kill, parts, write_files

MOST_A_SUBMIT = 150
"""Fewer files than are written in one transaction: after a killed submit, all or none of them are on the list."""
TELL_SECONDS = 10.0
SUBMIT_SECONDS = 120.0
STOP_SECONDS = 40.0
SHOWN = 20


PROCESSORS: tuple[tuple[str, ...], ...] = (
    (),
    ("--processor", "checksum"),
    ("--processor", "table", "--option", "bad_rows=report", "--option", "header=no"),
)
"""What is done to the files of a submit; tables are checked in child processes."""


class Torture:
    """A run.

    Args:
        options: The command line.
        folder: The folder of all files.
    """

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.chance = random.Random(options.seed)
        self.concurrency = ("--concurrency", str(options.concurrency))
        self.begun = time.monotonic()
        self.known = write_files(folder / "files", options.files, self.chance)
        home = folder / "home"
        home.mkdir()
        if options.strict:
            (home / "settings.toml").write_text('fifo_order = "strict"\n')
        self.proxy: HostileProxy | None = None
        self.queue: Queue
        if options.embedded:
            self.queue = Embedded(home)
            self.programs = Programs(home)
        else:
            self.queue = server = Server(fifo=options.fifo)
            # A FIFO queue would drop a duplicate because of its deduplication id.
            chance = random.Random(options.seed + 1)
            self.proxy = HostileProxy(server.address, chance, may_duplicate=not options.fifo)
            self.programs = Programs(home, server.queue, self.proxy.endpoint_url)
        self.workers: list[subprocess.Popen[str]] = []
        self.done: Counter[str] = Counter()
        self.foreign: list[str] = []
        self.wrong: list[str] = []
        self.processed_after = 0.0
        self._next_tell = 0.0

    def run(self) -> list[str]:
        """Kill programs until enough have been killed, finish all jobs, and return the problems."""
        if self.proxy is not None:
            self.proxy.start()
            threading.Thread(target=self._bad_weather, args=(self.proxy,), daemon=True).start()
        self.programs.start("status").wait(SUBMIT_SECONDS)  # creates the database
        status_log.install(self.programs.database)
        shares = parts(self.known, -(-len(self.known) // max(1, self.options.kills)))
        for number in range(max(len(shares), self.options.kills)):
            if self._left() <= 0:
                self.wrong.append("out of time before all was submitted")
                break
            self._keep_workers()
            self._put_something_foreign()
            self._wait(self.chance.uniform(0, 2))
            first, *others = parts(shares[number] if number < len(shares) else [], MOST_A_SUBMIT) or [[]]
            submit = self._start_submit(first)
            if number < self.options.kills:
                self._wait_for_work()
                self._hit_a_worker()
            self._finish_submit(submit, first)
            for part in others:
                self._finish_submit(self._start_submit(part), part)
        for worker in self.workers:
            self._stop(worker)
        self._settle()
        self.wrong += verify(self.programs, self.queue, self.known, self.foreign)
        if self.options.strict:
            self._check_order()
        return self.wrong

    def _left(self) -> float:
        minutes: float = self.options.minutes
        return self.begun + minutes * 60 - time.monotonic()

    def _bad_weather(self, proxy: HostileProxy) -> None:
        chance = random.Random(self.options.seed + 2)
        while not proxy.is_kind:
            time.sleep(chance.uniform(8, 25))
            if not proxy.is_kind:
                proxy.go_down(chance.uniform(1, 4))

    def _start_submit(self, paths: list[str]) -> subprocess.Popen[str] | None:
        """Add files; one time in six, kill the program, and repeat the command if none of the files is on the list."""
        while paths and self.chance.random() < 1 / 6:
            submit = self.programs.start("submit", *self.chance.choice(PROCESSORS), *paths)
            self._wait(self.chance.uniform(0.2, 1.2))
            if submit.poll() is None:
                kill(submit)
                self.done["kill -9 of a submit"] += 1
            there = self.programs.listed().intersection(paths)
            if there:
                if len(there) < len(paths):
                    self.wrong.append(f"a killed submit has left {len(there)} of {len(paths)} files on the list")
                return None
        return self.programs.start("submit", *self.chance.choice(PROCESSORS), *paths) if paths else None

    def _finish_submit(self, submit: subprocess.Popen[str] | None, paths: list[str]) -> None:
        if submit is not None and (submit.wait(SUBMIT_SECONDS) != 0 or not self.programs.listed().issuperset(paths)):
            self.wrong.append(f"submit ended with {submit.returncode}: {self.programs.output_of(submit)}")

    def _wait_for_work(self) -> None:
        """Wait before a kill: mostly until files are being processed, otherwise for a random time."""
        end = time.monotonic() + self.chance.uniform(1, 6)
        if self.chance.random() < 0.8:
            while not self._at_work() and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(self.chance.uniform(0, 0.1))
        else:
            self._wait(self.chance.uniform(0, 3))

    def _at_work(self) -> int:
        return self.programs.standing()[0].get(1, 0)

    def _put_something_foreign(self) -> None:
        if len(self.foreign) < len(FOREIGN_BODIES) and self.chance.random() < 0.5:
            body = FOREIGN_BODIES[len(self.foreign)]
            self.queue.put(body)
            self.foreign.append(body)

    def _keep_workers(self) -> None:
        """Keep one or two workers running."""
        for worker in [worker for worker in self.workers if worker.poll() is not None]:
            self.wrong.append(f"a worker ended with {worker.returncode}: {self.programs.output_of(worker)}")
            self.workers.remove(worker)
        wanted = self.chance.choice([1, 2, 2])
        while len(self.workers) < wanted:
            self.workers.append(self.programs.start("worker", *self.concurrency))

    def _hit_a_worker(self) -> None:
        if self.chance.random() < 0.15:
            self._stop(self.workers.pop(self.chance.randrange(len(self.workers))))
            self._keep_workers()
        kill(self.workers.pop(self.chance.randrange(len(self.workers))))
        self.done["kill -9 of a worker"] += 1
        self.done["kill -9 of a worker: files at work just then"] += self._at_work()

    def _stop(self, worker: subprocess.Popen[str]) -> None:
        """Stop a program with SIGTERM, as a service manager does."""
        worker.send_signal(signal.SIGTERM)
        try:
            code = worker.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.wrong.append(f"a worker did not stop within {STOP_SECONDS} s of SIGTERM")
            kill(worker)
            return
        self.done["SIGTERM to a worker"] += 1
        # A program that was just starting has not installed its signal handler yet.
        if code not in {0, -signal.SIGTERM}:
            self.wrong.append(f"a stopped worker ended with {code}: {self.programs.output_of(worker)}")

    def _settle(self) -> None:
        """Run a worker until all jobs are finished and no message is left, still with faults."""
        worker = self.programs.start("worker", "--until-idle", *self.concurrency)
        while worker.poll() is None and self._left() > 0:
            self._wait(0.5)
        if worker.poll() != 0:
            self.wrong.append(f"worker --until-idle: {worker.poll()}, {self.programs.output_of(worker)}")
            kill(worker)
        self.processed_after = time.monotonic() - self.begun
        if self.proxy is not None:
            self.proxy.is_kind = True
        say(*self.programs.output_of(worker).splitlines())

    def _check_order(self) -> None:
        if status_log.ends(self.programs.database) != self.programs.order():
            self.wrong.append("the files did not end in the order in which they were added")

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))
            if time.monotonic() > self._next_tell:
                self._next_tell = time.monotonic() + TELL_SECONDS
                self._tell()

    def _tell(self) -> None:
        statuses, waiting = self.programs.standing()
        visible, hidden = self.queue.counts()
        say(
            f"{time.monotonic() - self.begun:4.0f} s: {self.done['kill -9 of a worker']} kills, "
            f"{statuses.get(0, 0)} PENDING, {statuses.get(1, 0)} PROCESSING, {statuses.get(2, 0)} PROCESSED, "
            f"{statuses.get(3, 0)} FAILED; outbox {waiting}; queue {visible} + {hidden} in flight"
        )

    def report(self) -> None:
        """Return a summary of the faults."""
        say("", "Done to the programs:")
        say(*(f"  {count:6}  {what}" for what, count in sorted(self.done.items())))
        say(f"  {len(self.foreign):6}  foreign messages put into the queue")
        if self.proxy is not None:
            say(f"Done to their requests, {self.proxy.injected.total()} things in all:")
            say(*(f"  {count:6}  {what}" for what, count in sorted(self.proxy.injected.items())))
            say(f"  {self.proxy.passed.total():6}  passed on in all ({_list(self.proxy.passed)})")
        rate = len(self.known) / self.processed_after if self.processed_after else 0
        say(f"{len(self.known)} files in {self.processed_after:.0f} s, kills and all: {rate:.0f} files/s")

    def close(self) -> None:
        self.programs.end_all()
        if self.proxy is not None:
            self.proxy.stop()
        self.queue.close()


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)  # noqa: T201


def parsed(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Kill Filemill again and again, and see whether all ends well.")
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=50)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--fifo", action="store_true", help="a FIFO queue")
    kind.add_argument("--strict", action="store_true", help="a FIFO queue with all files in one group, in order")
    kind.add_argument("--embedded", action="store_true", help="the embedded queue")
    parser.add_argument("--concurrency", type=int, default=3, help="the number of files each worker processes at once")
    parser.add_argument("--minutes", type=float, default=12, help="after so long it counts as hanging")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", action="store_true", help="leave the folder for a look")
    options = parser.parse_args(words)
    options.fifo = options.fifo or options.strict
    options.seed = random.randrange(10**6) if options.seed is None else options.seed
    return options


def main(words: list[str]) -> int:
    options = parsed(words)
    folder = Path(tempfile.mkdtemp(prefix="filemill-torture-"))
    kind = next((name for name in ("embedded", "strict", "fifo") if getattr(options, name)), "standard")
    at_once = f"{options.concurrency} at once"
    say(f"{options.files} files, {at_once}, {options.kills} kills, {kind} queue, seed {options.seed}")
    torture = Torture(options, folder)
    # So that no process is left running if this one is ended by a signal.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        wrong = torture.run()
    finally:
        torture.close()
    torture.report()
    if options.keep:
        say(f"Left in {folder}")
    else:
        shutil.rmtree(folder)
    if wrong:
        say("", f"WRONG: {len(wrong)} things", *(f"  {what}" for what in wrong[:SHOWN]))
        return 1
    say("All right: every file processed once, every number as it must be, nothing left over, nothing of others gone.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
