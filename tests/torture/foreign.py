"""Put foreign messages between or in front of the files of a real worker; every file must be processed all the same.

    python tests/torture/foreign.py [--fifo | --embedded] [--scene between | front] [--files N] [--messages N]

`between` puts hostile messages of 40 kinds between the files; `front` puts ordinary messages of another program in
front of them. In the end, all files are PROCESSED after one attempt, no foreign message is deleted or acted on, and the
longest wait of a file is printed. The exit code is 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.queues.messages import Outgoing
from tests.crash.served import ServedSimulator
from tests.helpers.sqs.simulator import Simulator
from tests.store.kit import rows_of
from tests.torture.verify import wrong_in_the_log, wrong_on_the_list
from tests.torture.world import Programs, write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SCENES = {"between": (500, 500), "front": (440, 2000)}
"""The number of files and of foreign messages by scene."""
FILES_A_PART = 25
SUBMIT_SECONDS = 120.0

_UNKNOWN = "00000000-0000-4000-8000-000000000000"

HOSTILE: dict[str, Callable[[str, str], str]] = {
    "no JSON": lambda *_: "process all files, please",
    "blank": lambda *_: " ",
    "empty object": lambda *_: "{}",
    "empty list": lambda *_: "[]",
    "null": lambda *_: "null",
    "number": lambda *_: "1",
    "string": lambda *_: '"text"',
    "deep nesting": lambda *_: "[" * 4000,
    "deep nesting, short": lambda *_: '{"v":' * 200,
    "only a version": lambda *_: '{"v":1}',
    "unknown file": lambda *_: _body(_UNKNOWN),
    "newer version": lambda *_: _body(_UNKNOWN, v=2, more=[]),
    "newer version of our file": lambda ours, _: _body(ours, v=2),
    "version true": lambda ours, _: _body(ours, v=True),
    "version 1.0": lambda ours, _: _body(ours, v=1.0),
    "version as a word": lambda ours, _: _body(ours, v="1"),
    "generation 0": lambda ours, _: _body(ours, generation=0),
    "negative generation": lambda ours, _: _body(ours, generation=-1),
    "future generation": lambda ours, _: _body(ours, generation=2),
    "huge generation": lambda ours, _: _body(ours, generation=2**63),
    "infinite generation": lambda ours, _: _body(ours).replace(":1}", ":1e400}"),
    "generation NaN": lambda ours, _: _body(ours, generation=float("nan")),
    "generation true": lambda ours, _: _body(ours, generation=True),
    "generation as a list": lambda ours, _: _body(ours, generation=[1]),
    "file ID as a number": lambda *_: _body(7),
    "file ID in capitals": lambda ours, _: _body(ours.upper()),
    "file ID with a line feed": lambda ours, _: _body(ours + "\n"),
    "path as the file ID": lambda _, canary: _body(canary),
    "path that climbs up": lambda *_: _body("../../../../etc/passwd"),
    "SQL as the file ID": lambda *_: _body("' OR 1=1; DROP TABLE job; --"),
    "double keys": lambda ours, _: '{"v":1,' + _body(ours)[1:],
    "additional path": lambda ours, canary: _body(ours, path=canary),
    "additional command": lambda ours, canary: _body(ours, command=f"rm {canary}"),
    "additional processor": lambda ours, _: _body(ours, processor="os.system"),
    "SNS envelope around our message": lambda ours, _: json.dumps({"Type": "Notification", "Message": _body(ours)}),
    "S3 event": lambda _, canary: json.dumps({"Records": [{"eventSource": "aws:s3", "key": canary}]}),
    "Celery task": lambda *_: base64.b64encode(b'{"body": "W10=", "headers": {"task": "os.system"}}').decode(),
    "pickle": lambda *_: base64.b64encode(b"cposix\nsystem\n(S'true'\ntR.").decode(),
    "web page": lambda *_: "<html><script>alert(1)</script><img src=x onerror=alert(1)></html>",
    "escape sequences": lambda *_: '{"v":1,"file_id":"\\u001b]0;title\\u0007\\u001b[31m","generation":1}',
    "right-to-left override": lambda *_: '{"v":1,"file_id":"\u202e\u2066gpj.exe","generation":1}',
    "half a surrogate pair": lambda *_: '{"v":1,"file_id":"\\ud800","generation":1}',
    "200 KB": lambda ours, _: _body(ours) + " " * 200_000,
    "our message and something behind it": lambda ours, _: _body(ours) + _body(ours),
    "our message in a list": lambda ours, _: f"[{_body(ours)}]",
    "our message after a byte order mark": lambda ours, _: "\ufeff" + _body(ours),
}
"""The bodies of hostile messages by kind, made from the ID of one of our files and the path of another file."""


def _body(file_id: object, **fields: object) -> str:
    return json.dumps({"v": 1, "file_id": file_id, "generation": 1} | fields, separators=(",", ":"))


class EmbeddedLab:
    """The embedded queue in a home folder."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self._path = home / "filemill.db.queue"
        self._queue = EmbeddedQueue(self._path)
        stack.callback(self._queue.close)
        self.programs = Programs(home)

    def put(self, bodies: Iterable[str]) -> None:
        self._queue.send([Outgoing(body) for body in bodies])

    def bodies(self) -> list[str]:
        with closing(sqlite3.connect(self._path)) as connection:
            return [body for (body,) in connection.execute("SELECT body FROM message")]


class SqsLab:
    """A simulated queue that is served to the programs. On a FIFO queue, each foreign message has its own group."""

    def __init__(self, home: Path, stack: ExitStack, *, fifo: bool) -> None:
        self._simulator = Simulator()
        self._name = "lab.fifo" if fifo else "lab"
        self._is_fifo = fifo
        self._sent = 0
        self._simulator.create_queue(self._name)
        served = stack.enter_context(ServedSimulator(self._simulator))
        self.programs = Programs(home, self._name, served.endpoint_url)

    def put(self, bodies: Iterable[str]) -> None:
        for body in bodies:
            self._sent += 1
            number = str(self._sent)
            own: Any = {"MessageGroupId": f"g{number}", "MessageDeduplicationId": number} if self._is_fifo else {}
            self._simulator.put(self._name, body, **own)

    def bodies(self) -> list[str]:
        return self._simulator.bodies(self._name)


class ForeignLab:
    """A run of one scene.

    Args:
        options: The command line.
        folder: The folder of all files.
        stack: Closes what the lab opens.
    """

    def __init__(self, options: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
        self._chance = random.Random(options.seed)
        self._options = options
        self._known = write_files(folder / "files", options.files, self._chance)
        self._canary = folder / "canary.txt"
        self._canary.write_text("untouched\n")
        home = folder / "home"
        home.mkdir()
        self.lab = EmbeddedLab(home, stack) if options.embedded else SqsLab(home, stack, fifo=options.fifo)
        self.programs = self.lab.programs
        stack.callback(self.programs.end_all)
        self.foreign: list[str] = []
        self.longest_wait = self.took = 0.0

    def run(self) -> list[str]:
        """Run the scene and return the problems."""
        paths = list(self._known)
        if self._options.scene == "front":
            self._put([f"another program's task {number}" for number in range(self._options.messages)])
            self._submit(paths)
        else:
            kinds = list(HOSTILE)
            parts = max(1, len(paths) // FILES_A_PART)
            for part in range(parts):
                self._submit(paths[part::parts])
                ours: list[str] = [job for (job,) in rows_of(self.programs.database, "SELECT uuid FROM job")]
                numbers = range(part, self._options.messages, parts)
                names = [kinds[number % len(kinds)] for number in numbers]
                self._put([HOSTILE[name](self._chance.choice(ours), str(self._canary)) for name in names])
        begun, since = time.monotonic(), time.time()
        worker = self.programs.start("worker", "--until-idle", "--concurrency", "3")
        try:
            worker.wait(self._options.minutes * 60)
        except subprocess.TimeoutExpired:
            return [f"the worker is not done after {self._options.minutes} min: {self.programs.standing()}"]
        self.took = time.monotonic() - begun
        wrong = [] if worker.returncode == 0 else [f"the worker ended with {worker.returncode}"]
        return wrong + self._verify(worker, since)

    def _put(self, bodies: list[str]) -> None:
        self.foreign += bodies
        self.lab.put(bodies)

    def _submit(self, paths: list[str]) -> None:
        submit = self.programs.start("submit", *paths)
        assert submit.wait(SUBMIT_SECONDS) == 0, self.programs.output_of(submit)

    def _verify(self, worker: subprocess.Popen[str], since: float) -> list[str]:
        wrong = wrong_on_the_list(self.programs, self._known) + wrong_in_the_log(self.programs.home / "logs")
        status = self.programs.start("status", "--json")
        status.wait(SUBMIT_SECONDS)
        jobs = [json.loads(line) for line in self.programs.output_of(status).splitlines()]
        self.longest_wait = max(datetime.fromisoformat(job["finished_at"]).timestamp() - since for job in jobs)
        wrong += [f"{job['file_path']}: {job['attempts']} attempts" for job in jobs if job["attempts"] != 1]
        left, expected = Counter(self.lab.bodies()), Counter(self.foreign)
        wrong += [f"a foreign message is gone: {body[:100]!r}" for body in (expected - left).elements()]
        wrong += [f"left in the queue: {body[:100]!r}" for body in (left - expected).elements()]
        if self._canary.read_text() != "untouched\n":
            wrong.append("a hostile message was obeyed: the other file has changed")
        output = self.programs.output_of(worker)
        if "Traceback" in output:
            wrong.append(f"the worker printed a traceback: {output[-2000:]}")
        if self._options.scene == "front" and "are holding up your files" not in output:
            wrong.append(f"the worker did not say what holds up the files: {output}")
        return wrong


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Process files from a queue that other programs use too.")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--fifo", action="store_true", help="a FIFO queue")
    kind.add_argument("--embedded", action="store_true", help="the embedded queue")
    parser.add_argument("--scene", choices=SCENES, default="between")
    parser.add_argument("--files", type=int)
    parser.add_argument("--messages", type=int)
    parser.add_argument("--minutes", type=float, default=10, help="after so long it counts as hanging")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args(words)
    files, messages = SCENES[options.scene]
    options.files, options.messages = options.files or files, options.messages or messages
    folder = Path(tempfile.mkdtemp(prefix="filemill-foreign-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        lab = ForeignLab(options, folder, stack)
        wrong = lab.run()
        name = "embedded" if options.embedded else "FIFO" if options.fifo else "standard"
        kinds = f" of {len(HOSTILE)} kinds" if options.scene == "between" else ""
        _say(
            f"{options.files} files, {options.messages} foreign messages{kinds} {options.scene}, {name} queue: "
            f"{lab.took:.0f} s; the longest wait of a file was {lab.longest_wait:.1f} s"
        )
        for problem in wrong[:20]:
            _say(f"  WRONG: {problem}")
    return 1 if wrong else 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
