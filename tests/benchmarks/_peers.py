"""The peers that Filemill is compared with, each in a virtual environment of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks._programs import BUILD

FOLDER = Path(__file__).with_name("peers")
INSTALL_SECONDS = 300


class PeerError(Exception):
    """A peer can't be installed or does not run; the text says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that consumes a queue.

    Attributes:
        name: What it is, for the table.
        script: Its script, which has the modes `send` and `work`.
        requirements: The name of its requirements file; empty if it needs only boto3.
        options: Further arguments of the script.
        ends: Whether it ends by itself once the queue is empty.
        files: The number of files for a run; fewer for slow ones.
    """

    name: str
    script: Path
    requirements: str = ""
    options: tuple[str, ...] = ()
    ends: bool = False
    files: int = 5_000

    def command(self, mode: str, url: str, database: str, *more: str) -> list[str]:
        """Return the command that runs it."""
        return [str(self._python()), str(self.script), mode, url, database, *more, *self.options]

    def install(self) -> None:
        """Create its environment, unless it is there.

        Raises:
            PeerError: If its packages can't be installed.
        """
        if not self.requirements:
            return
        wanted = (FOLDER / self.requirements).read_text(encoding="utf-8")
        python, done = self._python(), self._environment() / "installed.txt"
        if done.exists() and done.read_text(encoding="utf-8") == wanted:
            return
        venv.create(self._environment(), clear=True, with_pip=True)
        command = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        try:
            subprocess.run(
                [*command, "-r", str(FOLDER / self.requirements)],
                check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS,
            )  # fmt: skip
        except subprocess.CalledProcessError as error:
            raise PeerError(f"can't be installed: {error.stderr.strip().splitlines()[-1:]}") from error
        except subprocess.TimeoutExpired as error:
            raise PeerError("can't be installed in time") from error
        done.write_text(wanted, encoding="utf-8")

    def _environment(self) -> Path:
        return BUILD / self.requirements.removesuffix(".txt")

    def _python(self) -> Path:
        if not self.requirements:
            return Path(sys.executable)
        return self._environment() / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


FEW = 2_000
PEERS = (
    Peer("sqs-workers", FOLDER / "sqs_workers_peer.py", "sqs-workers.txt", ends=True),
    Peer("Celery", FOLDER / "celery_peer.py", "celery.txt", files=FEW),
    Peer("dramatiq-sqs", FOLDER / "dramatiq_peer.py", "dramatiq.txt", files=FEW),
    Peer("the tutorial loop, one message a call", FOLDER / "loop.py", options=("--one",), ends=True, files=FEW),
)
