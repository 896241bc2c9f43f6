"""The log file, which several programs share."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
import warnings
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from desktop_app.config.private_files import private_lock
from desktop_app.domain.secrets import remember_secret
from desktop_app.logs import log as log_module
from desktop_app.logs.log import SharedFileHandler, log_file, set_detailed, start_logging

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ours = logging.getLogger("desktop_app.test")
posix = pytest.mark.skipif(os.name == "nt", reason="what Windows does with open files is imitated")


def text_of(folder: Path) -> str:
    return log_file(folder).read_text(encoding="utf-8")


def test_line_has_utc_time_level_process_thread_and_name(tmp_path: Path) -> None:
    with start_logging(tmp_path, debug=False):
        ours.info("hello %s", "there")
    assert re.fullmatch(
        rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z INFO    \[{os.getpid()} MainThread\] "
        r"desktop_app\.test: hello there\n",
        text_of(tmp_path),
    )


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has other rights")
def test_log_is_for_its_owner_only(tmp_path: Path) -> None:
    with start_logging(tmp_path / "logs", debug=False):
        ours.info("x")
    assert (tmp_path / "logs").stat().st_mode & 0o777 == 0o700
    assert log_file(tmp_path / "logs").stat().st_mode & 0o777 == 0o600


def test_no_file_is_created_without_a_record(tmp_path: Path) -> None:
    with start_logging(tmp_path / "logs", debug=False):
        ours.debug("not at this level")
    assert not (tmp_path / "logs").exists()


def test_details_are_logged_when_asked_for_but_not_in_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with start_logging(tmp_path, debug=False, is_detailed=True):
        ours.debug("first")
        set_detailed(is_detailed=False)
        ours.debug("second")
        set_detailed(is_detailed=True)
        ours.debug("third")
    assert [line.rpartition(": ")[2] for line in text_of(tmp_path).splitlines()] == ["first", "third"]
    assert capsys.readouterr().err == ""


@pytest.mark.expected_log("Credential", required=False)
@pytest.mark.expected_log("failed", level="ERROR")
def test_secrets_are_masked_in_the_file_and_in_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/x, Signature=0a1b2c3d"
    remember_secret("a-secret-in-use")
    with start_logging(tmp_path, debug=True):
        logging.getLogger("urllib3.connectionpool").warning("Retrying: %s", header)
        logging.getLogger("desktop_app.somewhere").info("server said a-secret-in-use")
        error = ValueError(f"Invalid header value b'{header}'")
        logging.getLogger("desktop_app.somewhere").error("failed", exc_info=error)
    texts = log_file(tmp_path).read_text(encoding="utf-8"), capsys.readouterr().err
    for text in texts:
        assert text.count("[secret]") >= 3
        assert "ValueError" in text
        for secret in ("AKIAIOSFODNN7EXAMPLE", "0a1b2c3d", "a-secret-in-use"):
            assert secret not in text


def test_name_of_a_file_is_not_masked(tmp_path: Path) -> None:
    with start_logging(tmp_path, debug=False):
        logging.getLogger("desktop_app.somewhere").info("job 1: /in/token=IMG20260101T1200Final.csv")
    assert "token=IMG20260101T1200Final.csv" in log_file(tmp_path).read_text(encoding="utf-8")


def test_debug_records_go_to_the_file_and_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with start_logging(tmp_path, debug=True):
        ours.debug("fine detail")
    assert "fine detail" in text_of(tmp_path)
    assert "fine detail" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["botocore.auth", "urllib3.connectionpool", "werkzeug", "boto3.resources"])
def test_talkative_libraries_stay_quiet_even_with_debug(tmp_path: Path, name: str) -> None:
    with start_logging(tmp_path, debug=True):
        logging.getLogger(name).info("Authorization: secret")
        ours.debug("x")
    assert "secret" not in text_of(tmp_path)


@pytest.mark.expected_log("old and tired")
@pytest.mark.filterwarnings("default")
def test_warnings_of_python_go_to_the_log(tmp_path: Path) -> None:
    with start_logging(tmp_path, debug=False):
        warnings.warn("old and tired", UserWarning, stacklevel=1)
    assert "old and tired" in text_of(tmp_path)


def test_everything_is_as_before_after_closing(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, warnings.showwarning)
    with start_logging(tmp_path, debug=True):
        assert root.level == logging.DEBUG
    assert (list(root.handlers), root.level, warnings.showwarning) == before


def test_foreign_text_can_not_pose_as_a_record(tmp_path: Path) -> None:
    with start_logging(tmp_path, debug=False):
        ours.info("name %s", "a\n2026-01-01T00:00:00.000Z INFO forged \x1b[2J\r caf\udce9")
    first, second, end = text_of(tmp_path).split("\n")
    assert first.endswith("name a")
    assert second.startswith("    2026")
    assert second.endswith("forged \\x1b[2J\\r caf\\xe9")
    assert end == ""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SharedFileHandler]:
    handler = SharedFileHandler(tmp_path / "x.log", max_bytes=100, kept_files=3)
    yield handler
    handler.close()


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("x", logging.INFO, __file__, 1, text, None, None)


def contents(folder: Path) -> dict[str, list[str]]:
    return {path.name: path.read_text(encoding="utf-8").split() for path in folder.iterdir() if path.suffix != ".lock"}


def test_full_file_is_rotated_and_the_oldest_is_deleted(tmp_path: Path, small: SharedFileHandler) -> None:
    texts = [f"{number:02}" + "x" * 38 for number in range(9)]
    for text in texts:
        small.handle(record(text))
    assert contents(tmp_path) == {"x.log": texts[8:], "x.log.1": texts[6:8], "x.log.2": texts[4:6]}


def test_record_larger_than_a_file_is_kept_whole(tmp_path: Path, small: SharedFileHandler) -> None:
    for text in ("a", "b" * 20_000, "c"):
        small.handle(record(text))
    assert contents(tmp_path) == {"x.log": ["c"], "x.log.1": ["b" * 20_000], "x.log.2": ["a"]}


@posix
def test_file_rotated_by_another_program_is_kept(tmp_path: Path, small: SharedFileHandler) -> None:
    small.handle(record("before"))
    (tmp_path / "x.log").rename(tmp_path / "x.log.1")
    small.handle(record("after"))
    assert contents(tmp_path) == {"x.log": ["after"], "x.log.1": ["before"]}


def test_old_file_is_used_while_another_program_rotates(tmp_path: Path, small: SharedFileHandler) -> None:
    small.handle(record("x" * 90))
    with FileLock(tmp_path / "x.log.lock", mode=0o600):
        small.handle(record("y" * 90))
    assert contents(tmp_path) == {"x.log": ["x" * 90, "y" * 90]}
    small.handle(record("z"))
    assert contents(tmp_path) == {"x.log": ["z"], "x.log.1": ["x" * 90, "y" * 90]}


@posix
def test_file_that_was_just_rotated_is_not_rotated_again(
    tmp_path: Path, small: SharedFileHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.handle(record("x" * 90))

    def rotate_first(path: Path, *, timeout: float) -> FileLock:
        """Return the lock after another program has rotated the files."""
        (tmp_path / "x.log").rename(tmp_path / "x.log.1")
        return private_lock(path, timeout=timeout)

    monkeypatch.setattr(log_module, "private_lock", rotate_first)
    small.handle(record("y" * 90))
    assert contents(tmp_path) == {"x.log": ["y" * 90], "x.log.1": ["x" * 90]}


def test_file_that_windows_keeps_open_grows_until_it_is_closed(
    tmp_path: Path, small: SharedFileHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: object) -> None:
        raise PermissionError(13, "used by another process")

    small.handle(record("a" * 90))
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", held)
        small.handle(record("b" * 90))
        small.handle(record("c"))
    assert contents(tmp_path) == {"x.log": ["a" * 90, "b" * 90, "c"]}
    small.handle(record("d" * 90))
    assert contents(tmp_path) == {"x.log": ["d" * 90], "x.log.1": ["a" * 90, "b" * 90, "c"]}


def test_folder_that_can_not_be_created_only_disables_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with start_logging(tmp_path / "file" / "logs", debug=False):
        ours.info("x")
    assert capsys.readouterr().err == ""


def test_error_in_a_log_call_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handler = SharedFileHandler(tmp_path / "x.log")
    broken = logging.LogRecord("x", logging.INFO, __file__, 1, "%d", ("no number",), None)
    handler.handle(broken)
    handler.close()
    assert "--- Logging error ---" in capsys.readouterr().err


WRITER = """
import logging, sys
from pathlib import Path
from desktop_app.logs.log import SharedFileHandler
handler = SharedFileHandler(Path(sys.argv[1]), max_bytes=20_000, kept_files=50)
for number in range(400):
    handler.handle(logging.LogRecord("x", 20, "", 1, f"{sys.argv[2]} {number} " + "x" * 80, None, None))
handler.close()
"""


def test_concurrent_programs_lose_and_mix_no_lines(tmp_path: Path) -> None:
    programs = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "x.log"), name]) for name in ("one", "two")
    ]
    assert [program.wait(60) for program in programs] == [0, 0]
    lines = [line for path in tmp_path.iterdir() for line in path.read_text(encoding="utf-8").splitlines()]
    wanted = {f"{name} {number} " + "x" * 80 for name in ("one", "two") for number in range(400)}
    assert sorted(lines) == sorted(wanted)
    assert len(list(tmp_path.iterdir())) > 3


def test_concurrent_threads_lose_no_lines(tmp_path: Path, small: SharedFileHandler) -> None:
    handler = SharedFileHandler(tmp_path / "y.log", max_bytes=2_000, kept_files=50)
    threads = [threading.Thread(target=lambda: [handler.handle(record("z" * 50)) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handler.close()
    assert sum(len(lines) for lines in contents(tmp_path).values()) == 200
