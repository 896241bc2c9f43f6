"""Programs that benchmarks run: an SQS server, Filemill itself, and environments for other programs."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from tests.helpers.sqs.moto_process import MotoProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "benchmarks"
FAUXQS = "fauxqs@1.9.2"
"""The last version that runs on Node.js 20, which Debian has."""
NODE_MAJOR = 20
REGION = "eu-west-1"
KEYS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}
INSTALL_SECONDS = 180


class SqsServer(Protocol):
    """An SQS server on the loopback address. Use it as a context manager.

    Attributes:
        name: What it is.
        endpoint_url: Its address.
    """

    name: str
    endpoint_url: str

    def requests(self) -> dict[str, int] | None:
        """Return the number of requests so far by operation, or None if this server does not count them."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


class Fauxqs:
    """A fast server for Node.js, in a separate process."""

    def __init__(self, folder: Path) -> None:
        self.name = FAUXQS.replace("@", " ")
        script = shutil.copy(Path(__file__).with_name("_fauxqs.mjs"), folder / "serve.mjs")
        self._process = subprocess.Popen(
            ["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
        )
        self.endpoint_url = self._read_line()

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        if not (line := self._process.stdout.readline().strip()):
            raise RuntimeError("the SQS server ended")
        return line

    def requests(self) -> dict[str, int] | None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        counts: dict[str, int] = json.loads(self._read_line())
        return counts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)


class Moto(MotoProcess):
    """The server of the tests, which is slow, if there is no faster one."""

    name = "moto, which is slow: there is no fauxqs, which needs npm and Node.js 20"

    def requests(self) -> dict[str, int] | None:
        return None


def sqs_server() -> SqsServer:
    """Start the fastest server that can be had here."""
    folder = _fauxqs_folder()
    return Moto() if folder is None else Fauxqs(folder)


@cache
def _fauxqs_folder() -> Path | None:
    """Return the folder in which npm has installed fauxqs; None if that is impossible."""
    folder = BUILD / FAUXQS.replace("@", "-")
    done = folder / ".installed"
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").split(".")[0]) < NODE_MAJOR:
        return None
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        try:
            subprocess.run(
                ["npm", "install", "--prefix", str(folder), *options, FAUXQS],
                check=True, timeout=INSTALL_SECONDS, stdout=sys.stderr,
            )  # fmt: skip
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None
        done.touch()
    return folder


def environment_of(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a program with its own home folder, without the user's AWS configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "FILEMILL_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    aws = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    own = {"FILEMILL_HOME": str(home), "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    return {**kept, **aws, **own, **more}


def queue_environment(home: Path, server: SqsServer, queue: str) -> dict[str, str]:
    """Return the environment of a program that uses a queue on a server."""
    return environment_of(home, **KEYS, AWS_ENDPOINT_URL_SQS=server.endpoint_url, FILEMILL_QUEUE=queue)


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that has ended: its wall clock time and CPU time in seconds, and its standard output."""

    wall_s: float
    cpu_s: float
    out: str


def run(command: Sequence[str], environment: Mapping[str, str], timeout_s: float = 300) -> Ended:
    """Run a program until it ends.

    Raises:
        RuntimeError: If it fails; the message is the end of its standard error.
        subprocess.TimeoutExpired: If it does not end in time.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(
        command, env=dict(environment), capture_output=True, text=True, timeout=timeout_s, check=False, cwd=ROOT
    )
    wall_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} ended with code {done.returncode}: {done.stderr[-2_000:]}")
    return Ended(wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout)


def filemill(environment: Mapping[str, str], *arguments: str) -> Ended:
    """Run a command of Filemill until it ends."""
    return run([sys.executable, "-m", "desktop_app", *arguments], environment)


def make_files(folder: Path, count: int, size: int) -> list[Path]:
    """Create files with short lines, all of the same size in bytes."""
    folder.mkdir(parents=True)
    content = (b"a line of a text file, as long as most\n" * (size // 39 + 1))[:size]
    paths = [folder / f"file {number:06}.txt" for number in range(count)]
    for path in paths:
        path.write_bytes(content)
    return paths
