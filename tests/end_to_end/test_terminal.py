"""The full path of a file in the terminal: submit, worker and status, each in a process, on real queues."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from tests.helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-m", "desktop_app"]
FILES = 30


def filemill(*words: str | Path, seconds: float = 90) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *(os.fspath(word) for word in words)], capture_output=True, text=True, timeout=seconds, check=False
    )


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program within the context."""
    with subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            yield program
        finally:
            program.kill()


def status() -> dict[str, dict[str, Any]]:
    """Return the output of `filemill status --json` by path."""
    done = filemill("status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return {job["file_path"]: job for job in map(json.loads, done.stdout.splitlines())}


def independent_count(data: bytes) -> int:
    """Return the number of lines, computed in another way than by the program."""
    return len(data.split(b"\n")) - (1 if data.endswith(b"\n") or not data else 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Create thirty files of many kinds, the same in each run."""
    chance = random.Random(2)
    made = tmp_path / "in"
    made.mkdir()
    ends = (b"\n", b"\r\n", b"")
    for number in range(FILES):
        lines = [chance.randbytes(chance.randrange(200)).replace(b"\n", b" ") for _ in range(number * 40)]
        end = ends[number % 3] or b"\n"
        data = end.join(lines) + (b"" if number % 3 == 2 else end if lines else b"")
        # A byte order mark would change the encoding, which has other tests.
        (made / f"file {number}.bin").write_bytes(b"." + data if number else b"")
    return made


def assert_all_are_right(folder: Path) -> None:
    jobs = status()
    assert len(jobs) == FILES
    for path in folder.iterdir():
        job, data = jobs[str(path)], path.read_bytes()
        assert (job["status"], job["reason"]) == ("PROCESSED", "")
        assert (job["lines_count"], job["file_size"]) == (independent_count(data), len(data))
        assert job["message_id"]
        assert job["created_at"] <= job["started_at"] <= job["finished_at"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run a moto server; yield its address."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def aws(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the environment for the server, and a client to inspect its queues."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return boto3.client("sqs", region_name="eu-west-1", endpoint_url=server)


def messages_in(aws: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = aws.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def test_embedded_queue_needs_only_the_three_commands(folder: Path) -> None:
    added = filemill("submit", "--recursive", folder)
    assert (added.returncode, added.stdout.split("(")[0]) == (0, f"Added {FILES} files ")
    worked = filemill("worker", "--until-idle", "--concurrency", "3")
    assert (worked.returncode, worked.stderr) == (0, "")
    assert worked.stdout == f"{FILES} files: 0 PENDING, 0 PROCESSING, {FILES} PROCESSED, 0 FAILED\n"
    assert_all_are_right(folder)


@pytest.mark.parametrize("name", ["files", "files.fifo"])
def test_queue_of_ones_own(folder: Path, aws: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    url = aws.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    monkeypatch.setenv("FILEMILL_QUEUE", name)
    added = filemill("submit", "--recursive", folder)
    assert (added.returncode, added.stderr) == (0, "")
    assert messages_in(aws, url) == FILES
    worked = filemill("worker", "--until-idle")
    assert (worked.returncode, worked.stderr) == (0, "")
    assert_all_are_right(folder)
    assert messages_in(aws, url) == 0


def test_retried_file_is_processed_again_on_a_fifo_queue(
    folder: Path, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deduplication, which lasts five minutes, must not drop the new message."""
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    aws.create_queue(QueueName="again.fifo", Attributes=attributes)
    monkeypatch.setenv("FILEMILL_QUEUE", "again.fifo")
    path = folder / "file 7.bin"
    job_id = json.loads(filemill("submit", "--json", path).stdout)["id"]
    for generation in (1, 2):
        assert filemill("worker", "--until-idle").returncode == 0
        job = status()[str(path)]
        assert (job["status"], job["generation"]) == ("PROCESSED", generation)
        assert filemill("retry", job_id[:13]).returncode == 0


def test_missing_queue_is_a_warning_and_nothing_is_lost(
    folder: Path, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILEMILL_QUEUE", "later")
    added = filemill("submit", "--recursive", folder)
    assert added.returncode == 0
    assert len(added.stderr.splitlines()) == 1
    assert "The queue “later” does not exist" in added.stderr
    checked = filemill("doctor")
    assert checked.returncode == 1
    assert "✗ Queue: The queue “later” does not exist" in checked.stdout
    aws.create_queue(QueueName="later")
    assert filemill("doctor").returncode == 0
    assert filemill("worker", "--until-idle").returncode == 0
    assert_all_are_right(folder)


@pytest.mark.skipif(os.name == "nt", reason="Windows can't send another program such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_idle_worker_ends_at_a_signal_during_its_poll(
    folder: Path, aws: Any, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """At that moment it is in a long poll of twenty seconds."""
    name = f"idle-{number}"  # one queue per case: an aborted poll may still receive a message
    aws.create_queue(QueueName=name)
    monkeypatch.setenv("FILEMILL_QUEUE", name)
    filemill("submit", folder / "file 1.bin")
    with running("worker") as worker:
        wait_until(lambda: [job["status"] for job in status().values()] == ["PROCESSED"], timeout=60)
        worker.send_signal(number)
        out, err = worker.communicate(timeout=15)  # sooner than the poll ends, even on a busy computer
    assert (worker.returncode, err) == (0, "")
    assert out == "1 file: 0 PENDING, 0 PROCESSING, 1 PROCESSED, 0 FAILED\n"


def test_watch_shows_the_progress_of_a_worker(folder: Path) -> None:
    filemill("submit", folder / "file 3.bin")
    with running("status", "--watch", "--json") as watching:
        assert watching.stdout is not None
        first = json.loads(watching.stdout.readline())
        assert filemill("worker", "--until-idle").returncode == 0
        seen = [first["status"]]
        while seen[-1] != "PROCESSED":
            seen.append(json.loads(watching.stdout.readline())["status"])
        watching.terminate()
        assert watching.wait(10) == (0 if os.name != "nt" else 1)
    assert set(seen) <= {"PENDING", "PROCESSING", "PROCESSED"}
