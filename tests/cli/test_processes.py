"""The program as a process, with real streams and real signals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest

from desktop_app import __version__

PROGRAM = [sys.executable, "-m", "desktop_app"]
posix = pytest.mark.skipif(os.name == "nt", reason="of POSIX systems")


def filemill(
    *words: str | bytes, stdout: IO[bytes] | int = subprocess.PIPE, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    return subprocess.run(
        [*PROGRAM, *words], stdout=stdout, stderr=subprocess.PIPE, env=environment, timeout=120, check=False
    )


def test_version_loads_nothing_heavy() -> None:
    code = (
        "import sys; from desktop_app.__main__ import main; code = main(['--version']);"
        "heavy = {'PySide6', 'boto3', 'botocore', 'peewee', 'moto', 'tqdm'} & set(sys.modules); print(sorted(heavy));"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == f"filemill {__version__}\n[]\n"


def test_invalid_command_line_exits_with_2() -> None:
    done = filemill("status", "--nonsense")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"filemill: unrecognized arguments: --nonsense. See `filemill status --help`.\n"


@posix
def test_name_that_is_not_utf8_is_printed_unchanged(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9\n.txt")
    path.write_bytes(b"1\n2\n")
    added = filemill("submit", "--json", os.fsencode(path))
    assert added.returncode == 0
    assert os.fsencode(json.loads(added.stdout)["file_path"]) == os.fsencode(path)
    shown = filemill("status")
    assert shown.returncode == 0
    assert b"caf\\xe9\\n.txt" in shown.stdout


@posix
def test_terminal_without_unicode_gets_escapes(tmp_path: Path) -> None:
    (tmp_path / "ü文.txt").touch()
    assert filemill("submit", str(tmp_path / "ü文.txt")).returncode == 0
    shown = filemill("status", encoding="ascii")
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert b"\\xfc\\u6587.txt" in shown.stdout
    assert filemill("--help", encoding="ascii").returncode == 0


@posix
def test_reader_of_one_line_causes_no_error(tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / f"{number:04}-{'long' * 20}.txt").touch()
    assert filemill("submit", "--recursive", str(tmp_path)).returncode == 0
    with subprocess.Popen([*PROGRAM, "status", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert b'"PENDING"' in program.stdout.readline()
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode == 0


@posix
def test_full_disk_behind_the_output_is_a_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = filemill("status", stdout=full)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == b"filemill: The output can't be written: No space left on device."
    assert b"Traceback" not in done.stderr


@posix
def test_closed_streams_are_no_error() -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *PROGRAM, "status"], timeout=120, check=False, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_watch_exits_with_0_at_a_signal(name: str, tmp_path: Path) -> None:
    import signal

    (tmp_path / "a.txt").touch()
    assert filemill("submit", str(tmp_path / "a.txt")).returncode == 0
    with subprocess.Popen(
        [*PROGRAM, "status", "--watch", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.readline()  # it follows changes from here on
        program.send_signal(getattr(signal, name))
        assert program.stderr.read() == b""
    assert program.returncode == 0


@posix
def test_worker_ends_cleanly_at_many_signals(tmp_path: Path) -> None:
    import signal

    (tmp_path / "a.txt").touch()
    assert filemill("submit", str(tmp_path / "a.txt")).returncode == 0
    with subprocess.Popen([*PROGRAM, "worker"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        while b'"PROCESSED"' not in filemill("status", "--json").stdout:
            assert program.poll() is None
        while program.poll() is None:
            program.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                program.wait(0.005)
        assert program.stdout is not None
        assert program.stderr is not None
        assert (program.stdout.read(), program.stderr.read()) == (
            b"1 file: 0 PENDING, 0 PROCESSING, 1 PROCESSED, 0 FAILED\n",
            b"",
        )
    assert program.returncode == 0


@posix
def test_watch_ends_when_its_reader_ends_even_without_changes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    assert filemill("submit", str(tmp_path / "a.txt")).returncode == 0
    with subprocess.Popen([*PROGRAM, "status", "--watch", "--json"], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.stdout.close()
        assert program.wait(30) == 0
