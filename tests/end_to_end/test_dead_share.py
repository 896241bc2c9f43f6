"""A share whose files hang, with a real file system: healthy files are not held up, and the program can be stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import open_program
from desktop_app.domain.job import Job, NewFile, Status
from tests.end_to_end.test_terminal import filemill
from tests.helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

HEALTHY = 200
HUNG = ("read1", "read2", "open1", "open2", "stat1", "stat2")
KINDS = {
    "no hung files": (),
    "files that hang": HUNG,
    "dead share": HUNG,
}


def can_use_fuse() -> bool:
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError:
        return False
    return sys.platform == "linux" and os.geteuid() == 0


pytestmark = [pytest.mark.slow, pytest.mark.skipif(not can_use_fuse(), reason="needs root and /dev/fuse")]


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    place.mkdir()
    command = [sys.executable, "-m", "tests.helpers.hanging_fs", str(place), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "mounted\n"
            yield server
        finally:
            server.terminate()


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-m", "desktop_app", "worker", "--concurrency", "2"]) as process:
        try:
            yield process
        finally:
            process.terminate()
            begun = time.monotonic()
            process.wait(10)
            assert time.monotonic() - begun < 3, "hung files must not keep the program from ending"


@contextmanager
def jobs() -> Iterator[Callable[[], Mapping[str, Job]]]:
    program = open_program()
    with program.database.session():
        keys = range(1, HEALTHY + len(HUNG) + 1)
        yield lambda: {job.name: job for job in program.jobs.page(keys).values()}
    program.close()


def add(paths: list[Path]) -> None:
    """Add files without a scan, which would hang."""
    program = open_program()
    with program.database.session():
        program.editor.add([NewFile(str(path), None, None) for path in paths], name="batch")
    program.close()


def healthy_files(folder: Path) -> list[Path]:
    folder.mkdir()
    for number in range(HEALTHY):
        (folder / f"healthy{number}").write_text("a\n")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_healthy_files_are_done_within_seconds(tmp_path: Path, kind: str) -> None:
    share = tmp_path / "share"
    healthy = healthy_files(tmp_path / "healthy")
    add([*(share / name for name in KINDS[kind]), *healthy])
    with mounted(share, *(["--dead"] if kind == "dead share" else [])), worker(), jobs() as now:
        begun = time.monotonic()

        def all_done() -> bool:
            states = now()
            return all(states[path.name].status is Status.PROCESSED for path in healthy)

        wait_until(all_done, timeout=60)
        seconds = time.monotonic() - begun
        sys.stdout.write(f"{HEALTHY} healthy files with {kind}: {seconds:.1f} s\n")
        wait_until(lambda: all(now()[name].reason is not None for name in KINDS[kind]), timeout=60)
        for name in KINDS[kind]:
            job = now()[name]
            assert (job.status, str(job.reason)) == (
                Status.PENDING,
                f"The disk or network share at {share} does not respond",
            )
            assert job.next_try_at is not None
    assert seconds < 30


def test_adding_a_file_that_hangs_ends(tmp_path: Path) -> None:
    """A process in which a thread is blocked by the share would not end before the share responds."""
    share = tmp_path / "share"
    with mounted(share):
        done = filemill("submit", share / "healthy", share / "stat1")
    assert (done.returncode, done.stdout) == (1, "Added 1 file (12 B).\n")
    assert f"stat1: The disk or network share at {share} does not respond." in done.stderr


@pytest.mark.parametrize("words", [["status"], ["export", "stat1.csv"]])
def test_program_does_not_wait_for_its_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    share = tmp_path / "share"
    if words == ["status"]:
        monkeypatch.setenv("FILEMILL_HOME", str(share / "stat1"))
    with mounted(share):
        done = filemill(*words[:1], *(share / name for name in words[1:]))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"filemill: The disk or network share at {share} does not respond. Try again once it does.\n"
    )


def test_files_are_done_without_help_when_the_share_responds_again(tmp_path: Path) -> None:
    share = tmp_path / "share"
    names = [*HUNG, "healthy", "slow"]
    add([share / name for name in names])
    with mounted(share, "--dead") as server, worker(), jobs() as now:
        wait_until(lambda: all(now()[name].reason is not None for name in names), timeout=90)
        server.send_signal(signal.SIGUSR1)
        wait_until(lambda: all(now()[name].status is Status.PROCESSED for name in names), timeout=90)
        assert {now()[name].lines_count for name in names} == {2}


def test_slow_file_is_processed_among_files_that_hang(tmp_path: Path) -> None:
    share = tmp_path / "share"
    add([share / name for name in (*HUNG, "slow1", "slow2", "healthy")])
    with mounted(share), worker(), jobs() as now:
        wait_until(
            lambda: all(now()[name].status is Status.PROCESSED for name in ("slow1", "slow2", "healthy")), timeout=90
        )
