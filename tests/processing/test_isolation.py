"""Processing in a child process."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.fields import DEFAULT_PROCESSOR
from desktop_app.domain.reasons import FileProblem, ReasonCode
from desktop_app.processing.isolation import HelperProcess, ProcessDiedError, serve_requests
from desktop_app.processing.lines import LineProcessor
from desktop_app.processing.processor import Cancelled, Limits, Watch
from desktop_app.processing.registry import FileResult, ProcessorRegistry, default_registry
from tests.helpers.fakes import RecordingWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from desktop_app.domain.fields import Value
    from desktop_app.sources.local import Source


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


def answers(*requests: object, registry: ProcessorRegistry | None = None) -> list[str]:
    """Return what a child process writes after some requests, without the accesses."""
    pipe = io.StringIO()
    assert serve_requests(map(json.dumps, requests), registry or default_registry(), pipe) == 0
    return [line for line in pipe.getvalue().splitlines() if not line.startswith('["access"')]


def request(path: object, processor: str = DEFAULT_PROCESSOR) -> list[str]:
    return ["process", str(path), "attempt-1", processor, ""]


def test_child_writes_its_results(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x\n")
    lines = answers(request(tmp_path / "a"), request(tmp_path), ["probe", str(tmp_path)])
    assert lines[0] == '["done", 2, 1, {}]'
    assert lines[1].startswith('["failed", "is_folder", {}, false,')
    assert lines[2:] == ['["answered"]']


def test_child_reports_progress_and_is_never_cancelled() -> None:
    class Telling(ProcessorRegistry):
        def process(self, path: str, watch: Watch, *_: object, **__: object) -> FileResult:
            assert not watch.cancelled()
            assert watch.attempt_id == "attempt-1"
            watch.on_progress(1, 2)
            return FileResult(2, 1)

    assert answers(request("a"), registry=Telling([]))[0] == '["progress", 1, 2]'


class Misbehaving(LineProcessor):
    """A processor that does something before it counts the lines."""

    limits = Limits(memory_bytes=200 << 20)

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
        self._act()
        return super().process(source, options, watch)


@pytest.mark.skipif(sys.platform != "linux", reason="needs the limit on the address space")
def test_file_that_needs_too_much_memory_fails_and_the_next_one_does_not(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x\n")
    sizes = iter([1 << 30, 1 << 20])
    registry = ProcessorRegistry([Misbehaving(lambda: bytearray(next(sizes)))])
    first, second = answers(request(tmp_path / "a"), request(tmp_path / "a"), registry=registry)
    assert first.startswith('["failed", "too_large"')
    assert second == '["done", 2, 1, {}]'


def test_what_a_library_prints_is_no_answer(tmp_path: Path, watch: RecordingWatch) -> None:
    (tmp_path / "a").write_bytes(b"x\n")
    code = (
        "import sys, os\n"
        "from desktop_app.processing.isolation import answering, serve_requests\n"
        "from desktop_app.processing.registry import default_registry\n"
        "with answering() as answers:\n"
        "    print('[\"done\", 1, 1, {}]', flush=True)\n"
        "    os.write(1, b'[\"done\", 1, 1, {}]\\n')\n"
        "    serve_requests(sys.stdin, default_registry(), answers)\n"
    )
    assert in_child(str(tmp_path / "a"), watch, code) == FileResult(2, 1)


def test_child_that_takes_too_long_is_ended(watch: RecordingWatch) -> None:
    code = "import threading; input(); threading.Event().wait(60)"
    with closing(HelperProcess([sys.executable, "-c", code])) as helper:
        with pytest.raises(FileError) as caught:
            helper.process("a", watch, limits=Limits(seconds=0.3))
        assert caught.value.reason.code is ReasonCode.TOO_LONG
        assert helper._child is None


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
