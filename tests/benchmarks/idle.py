"""Measure what the window and `filemill worker` do while there is nothing to do. Linux only.

    python -m tests.benchmarks.idle [SECONDS]

Each program runs on the embedded queue and on an SQS queue, whose server is in this process. Counted are the wake-ups
of all its threads, its processor time, and the polls of the queue. A clock of a second wakes a thread once a second, so
no thread may wake up more often than that, except that it may have to wait for another one each time.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from desktop_app.config.settings import connection_from, load_settings, update_settings
from desktop_app.queues.identity import resolve
from tests.benchmarks._programs import KEYS, environment_of
from tests.benchmarks._results import at_most, missing
from tests.helpers.servers import Quiet, served
from tests.helpers.sqs.errors import SqsError
from tests.helpers.sqs.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS = 61.0
SETTLE_SECONDS = 8.0
"""More than the first polls and the periodic tasks of a start take."""
QUEUE = "files"
WAKES_A_SECOND = 2.0
"""Of the busiest thread: once for a clock of a second, and once more for Python's lock or the database's."""
CPU_SHARE = 0.5
"""In percent of one core."""
RECEIVES_A_MINUTE = 3.0
COUNTED = """
import signal, sys, time
from desktop_app import __main__
from desktop_app.queues.embedded import EmbeddedQueue

receive = EmbeddedQueue.receive

def counted(*arguments, **more):
    print("receive", flush=True)
    return receive(*arguments, **more)

EmbeddedQueue.receive = counted
__main__.run_and_exit()
"""


class SqsServer(Quiet):
    """A server for the simulated SQS."""

    simulator: ClassVar[Simulator]

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        parameters = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            self._answer(200, self.simulator.run(operation, parameters))
        except SqsError as error:
            self._answer(error.status, {"__type": error.code, "message": str(error)})

    def _answer(self, status: int, content: Mapping[str, object]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Usage(NamedTuple):
    """What the threads of a process have used so far."""

    wakes: dict[int, int]
    """The number of wake-ups of each thread."""
    cpu_s: float


def usage_of(pid: int) -> Usage:
    """Return what a process has used so far."""
    wakes = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
        wakes[int(task.name)] = int(fields["voluntary_ctxt_switches"])
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return Usage(wakes, (int(user) + int(system)) / os.sysconf("SC_CLK_TCK"))


@contextmanager
def running(arguments: list[str], environment: Mapping[str, str], said: Path) -> Iterator[int]:
    """Run a program that is idle; yield its process ID."""
    with (
        said.open("w", encoding="utf-8") as output,
        subprocess.Popen([sys.executable, "-c", COUNTED, *arguments], env=environment, stdout=output) as program,
    ):
        time.sleep(SETTLE_SECONDS)
        try:
            yield program.pid
        finally:
            program.send_signal(signal.SIGTERM)
            begin = time.monotonic()
            code = program.wait(60)
            print(f"    stopped with code {code} within {(time.monotonic() - begin) * 1000:.0f} ms")


class Measured(NamedTuple):
    """What an idle program has done: the wake-ups of each thread, its processor time and its polls of the queue."""

    wakes: list[int]
    cpu_s: float
    polls: int


def measured(arguments: list[str], seconds: float, *, on_sqs: bool) -> Measured:
    """Measure a program."""

    class Server(SqsServer):
        simulator = Simulator()

    Server.simulator.create_queue(QUEUE)
    with tempfile.TemporaryDirectory() as folder, served(Server) as address:
        home, said = Path(folder) / "home", Path(folder) / "said"
        home.mkdir()
        environment = environment_of(home)
        if on_sqs:
            environment |= {**KEYS, "FILEMILL_QUEUE": QUEUE, "AWS_ENDPOINT_URL_SQS": f"http://{address}"}
            connection = resolve(connection_from(load_settings(home / "settings.toml"), environment))
            update_settings(home / "settings.toml", process_queue=connection.permission_key)

        def receives() -> int:
            if on_sqs:
                return sum(call.operation == "ReceiveMessage" for call in Server.simulator.calls)
            return said.read_text(encoding="utf-8").count("receive\n")

        with running(arguments, environment, said) as pid:
            before, received = usage_of(pid), receives()
            time.sleep(seconds)
            after, polls = usage_of(pid), receives() - received
        Server.simulator.close()
    wakes = [count - before.wakes.get(task, 0) for task, count in sorted(after.wakes.items())]
    return Measured(wakes, after.cpu_s - before.cpu_s, polls)


def main() -> int:
    if not Path("/proc/self/task").is_dir():
        missing("what idle programs do", "the wake-ups of a process are known only on Linux")
        return 0
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    programs = {
        f"idle {name} on {queue}": (arguments, queue == "SQS")
        for queue in ("the embedded queue", "SQS")
        for name, arguments in (("worker", ["worker"]), ("window", []))
    }
    with ThreadPoolExecutor(len(programs)) as pool:  # at the same time, since they have nothing to do
        found = {
            what: pool.submit(measured, arguments, seconds, on_sqs=on_sqs)
            for what, (arguments, on_sqs) in programs.items()
        }
    for what, future in found.items():
        wakes, cpu_s, polls = future.result()
        print(f"    wake-ups a second of each thread: {', '.join(f'{count / seconds:.2f}' for count in wakes)}")
        at_most(f"{what}: wake-ups of the busiest thread", max(wakes) / seconds, "/s", WAKES_A_SECOND)
        at_most(f"{what}: wake-ups of all threads", sum(wakes) / seconds, "/s", WAKES_A_SECOND * 4)
        at_most(f"{what}: processor time", 100 * cpu_s / seconds, "%", CPU_SHARE)
        # One poll ends at the beginning of the time, and one at its end.
        at_most(f"{what}: receives", polls * 60 / max(seconds, 60), "/min", RECEIVES_A_MINUTE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
