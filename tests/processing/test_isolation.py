"""Processing in a child process."""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import FileProblem
from desktop_app.processing.isolation import (
    HelperProcess,
    ProcessDiedError,
    serve_one,
    serve_requests,
)
from desktop_app.processing.processor import Cancelled
from desktop_app.processing.registry import FileResult, default_registry
from tests.helpers.fakes import RecordingWatch

if TYPE_CHECKING:
    from collections.abc import Iterator


def in_child(path: str, watch: RecordingWatch, code: str = "") -> FileResult:
    """Process a file in a child process, which executes other code if it is given."""
    with closing(HelperProcess([sys.executable, "-c", code] if code else None)) as helper:
        return helper.process(path, watch)


@pytest.fixture
def watch() -> RecordingWatch:
    return RecordingWatch()


def test_file_has_the_same_numbers_as_without_isolation(tmp_path: Path, watch: RecordingWatch) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"one\ntwo")
    assert in_child(str(file), watch) == FileResult(7, 2)


def test_name_that_is_not_utf8_reaches_the_child_unchanged(tmp_path: Path, watch: RecordingWatch) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 \n.txt")
    Path(path).write_bytes(b"x\n")
    assert in_child(path, watch) == FileResult(2, 1)


def test_file_fails_with_the_same_reason_as_without_isolation(tmp_path: Path, watch: RecordingWatch) -> None:
    with pytest.raises(FileError) as isolated:
        in_child(str(tmp_path / "gone"), watch)
    with pytest.raises(FileError) as plain:
        default_registry().process(str(tmp_path / "gone"), watch)
    for one in (isolated, plain):
        assert (one.value.reason.code.problem, one.value.passing) == (FileProblem.MISSING, False)
    assert isolated.value.text == plain.value.text


@pytest.mark.parametrize("end", ["import os; os.kill(os.getpid(), 9)", "import os; os._exit(3)", "raise SystemExit(0)"])
def test_child_that_ends_without_a_result_affects_only_its_file(watch: RecordingWatch, end: str) -> None:
    with pytest.raises(ProcessDiedError):
        in_child("a", watch, end)


def test_progress_is_reported(watch: RecordingWatch) -> None:
    code = "print('[\"progress\", 5, 10]', flush=True); print('[\"done\", 10, 1, {}]')"
    assert in_child("a", watch, code) == FileResult(10, 1)
    assert watch.progress == [(5, 10)]


def test_cancelled_child_is_ended(watch: RecordingWatch) -> None:
    code = "import threading; print('[\"progress\", 1, 10]', flush=True); threading.Event().wait(60)"
    caught: list[BaseException] = []

    def run() -> None:
        try:
            in_child("a", watch, code)
        except Cancelled as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert watch.seen.wait(10)
    watch.stop.set()
    thread.join(10)
    assert len(caught) == 1


def answers(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if not line.startswith('["access"')]


def test_child_prints_its_result_on_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_bytes(b"x\n")
    serve_one(str(tmp_path / "a"), default_registry())
    serve_one(str(tmp_path), default_registry())
    lines = answers(capsys)
    assert lines[0] == '["done", 2, 1, {}]'
    assert lines[1].startswith('["failed", "is_folder", {}, false,')


def test_child_reports_progress_and_is_never_cancelled(capsys: pytest.CaptureFixture[str]) -> None:
    class Telling:
        def process(self, path: str, watch: RecordingWatch) -> FileResult:
            assert not watch.cancelled()
            watch.on_progress(1, 2)
            return FileResult(2, 1)

    serve_one("a", Telling())  # type: ignore[arg-type]
    assert capsys.readouterr().out.splitlines()[0] == '["progress", 1, 2]'


def test_values_of_another_processor_are_returned(watch: RecordingWatch) -> None:
    code = 'print(\'["done", 10, null, {"sha256": "ab", "pages": 3}]\')'
    assert in_child("a", watch, code) == FileResult(10, None, {"sha256": "ab", "pages": 3})


# --- a child process that is reused


@pytest.fixture
def helper() -> Iterator[HelperProcess]:
    with closing(HelperProcess()) as helper:
        yield helper


def test_helper_processes_files_one_after_another(tmp_path: Path, watch: RecordingWatch, helper: HelperProcess) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 \n.txt") if os.name == "posix" else str(tmp_path / "a")
    Path(path).write_bytes(b"x\n")
    assert helper.process(path, watch) == FileResult(2, 1)
    child = helper._child
    with pytest.raises(FileError):
        helper.process(str(tmp_path), watch)
    assert helper.process(path, watch) == FileResult(2, 1)
    assert helper._child is child, "it is reused, also after an error"
    assert watch.accesses[-1] is False


def test_helper_that_died_is_replaced(tmp_path: Path, watch: RecordingWatch, helper: HelperProcess) -> None:
    (tmp_path / "a").write_bytes(b"x\n")
    helper.process(str(tmp_path / "a"), watch)
    assert helper._child is not None
    helper._child.kill()
    helper._child.wait()
    assert helper.process(str(tmp_path / "a"), watch) == FileResult(2, 1)


def test_helper_that_dies_affects_only_its_file(watch: RecordingWatch) -> None:
    with closing(HelperProcess([sys.executable, "-c", "input()"])) as helper, pytest.raises(ProcessDiedError):
        helper.process("a", watch)


def test_helper_that_can_not_be_started_says_so(watch: RecordingWatch) -> None:
    with closing(HelperProcess(["/no/such/program"])) as helper, pytest.raises(ProcessDiedError):
        helper.process("a", watch)


def test_cancelled_helper_is_ended(watch: RecordingWatch) -> None:
    code = "import threading; input(); threading.Event().wait(60)"
    watch.stop.set()
    with closing(HelperProcess([sys.executable, "-c", code])) as helper, pytest.raises(Cancelled):
        helper.process("a", watch)


def test_helper_is_not_used_again_after_a_cancellation(
    watch: RecordingWatch, helper: HelperProcess, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"x\n")
    watch.stop.set()
    with suppress(Cancelled):  # unless the file is finished first
        helper.process(str(tmp_path / "a"), watch)
    assert helper._child is None
    watch.stop.clear()
    assert helper.process(str(tmp_path / "a"), watch) == FileResult(2, 1)


def test_probe_is_answered_by_a_file_system_and_by_an_error(helper: HelperProcess, tmp_path: Path) -> None:
    assert helper.probe(str(tmp_path))
    assert helper.probe(str(tmp_path / "gone"))


def test_probe_in_a_child_that_dies_is_not_an_answer() -> None:
    with closing(HelperProcess([sys.executable, "-c", "input()"])) as helper:
        assert not helper.probe("/")


def test_requests_are_answered_on_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_bytes(b"x\n")
    requests = [json.dumps(["process", str(tmp_path / "a")]), json.dumps(["probe", str(tmp_path)])]
    assert serve_requests(requests, default_registry()) == 0
    lines = answers(capsys)
    assert lines == ['["done", 2, 1, {}]', '["answered"]']
