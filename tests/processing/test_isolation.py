"""Processing in a child process, as the parent process sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import FileProblem, ReasonCode
from desktop_app.processing import isolation
from desktop_app.processing.isolation import HelperProcess, ProcessDiedError, ProcessorBugError, _Deadline
from desktop_app.processing.processor import Cancelled, Limits
from desktop_app.processing.registry import PAUSES_S, FileResult, default_registry
from tests.helpers import is_running, wait_until
from tests.helpers.fakes import FakeClock, RecordingWatch

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = "__import__('threading').Event().wait(60)"


def scripted(code: str) -> HelperProcess:
    """Return a helper whose child process executes code for each request, with `number` and the function `say`."""
    start = """
        import json, os, sys
        def say(*words):
            os.write(1, json.dumps(words).encode() + b"\\n")
        for line in sys.stdin:
            number, *request = json.loads(line)
    """
    return HelperProcess([sys.executable, "-c", dedent(start) + indent(dedent(code), "    ")])


def misbehaving(act: str, memory_bytes: int = 200 << 20) -> HelperProcess:
    """Return a helper with a processor that executes code for files whose name contains `bad`, before it counts lines.

    The code has `source`, `watch`, and `kept`, a list that lives as long as the child process.
    """
    code = f"""
        import os, signal, subprocess, sys, threading
        from desktop_app.processing.isolation_child import private_pipes, serve_requests
        from desktop_app.processing.lines import LineProcessor
        from desktop_app.processing.processor import Limits
        from desktop_app.processing.registry import ProcessorRegistry
        kept = []
        class Bad(LineProcessor):
            limits = Limits(memory_bytes={memory_bytes})
            def process(self, source, options, watch):
                if "bad" in source.path:
                    self.act(source, watch)
                return super().process(source, options, watch)
            def act(self, source, watch):
{indent(dedent(act), " " * 16)}
        with private_pipes() as (requests, answers):
            serve_requests(requests, ProcessorRegistry([Bad()]), answers)
    """
    return HelperProcess([sys.executable, "-c", dedent(code)])


@pytest.fixture
def watch() -> RecordingWatch:
    return RecordingWatch()


@pytest.fixture
def helper() -> Iterator[HelperProcess]:
    with closing(HelperProcess()) as helper:
        yield helper


@pytest.fixture
def good(tmp_path: Path) -> str:
    (tmp_path / "good").write_bytes(b"x\n")
    return str(tmp_path / "good")


@pytest.fixture
def bad(tmp_path: Path) -> str:
    (tmp_path / "bad").write_bytes(b"x\n")
    return str(tmp_path / "bad")


GOOD = FileResult(2, 1)


def pid(helper: HelperProcess) -> int:
    assert helper._child is not None
    return helper._child._process.pid


def has_child(helper: HelperProcess) -> bool:
    return helper._child is not None


# --- files


def test_file_has_the_same_numbers_as_without_isolation(
    good: str, watch: RecordingWatch, helper: HelperProcess
) -> None:
    assert helper.process(good, watch) == GOOD


def test_name_that_is_not_utf8_reaches_the_child_unchanged(
    tmp_path: Path, watch: RecordingWatch, helper: HelperProcess
) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 \n.txt") if os.name == "posix" else str(tmp_path / "a")
    Path(path).write_bytes(b"x\n")
    assert helper.process(path, watch) == GOOD


def test_file_fails_with_the_same_reason_as_without_isolation(
    tmp_path: Path, watch: RecordingWatch, helper: HelperProcess
) -> None:
    with pytest.raises(FileError) as isolated:
        helper.process(str(tmp_path / "gone"), watch)
    with pytest.raises(FileError) as plain:
        default_registry().process(str(tmp_path / "gone"), watch)
    for one in (isolated, plain):
        assert (one.value.reason.code.problem, one.value.passing) == (FileProblem.MISSING, False)
    assert isolated.value.text == plain.value.text


def test_helper_processes_files_one_after_another(
    good: str, tmp_path: Path, watch: RecordingWatch, helper: HelperProcess
) -> None:
    assert helper.process(good, watch) == GOOD
    child = helper._child
    with pytest.raises(FileError):
        helper.process(str(tmp_path), watch)
    assert helper.process(good, watch) == GOOD
    assert helper._child is child, "it is reused, also after an error"


def test_progress_is_reported(watch: RecordingWatch) -> None:
    with closing(scripted("say(number, 'progress', 5, 10); say(number, 'done', 10, 1, {})")) as helper:
        assert helper.process("a", watch) == FileResult(10, 1)
    assert watch.progress == [(5, 10)]


def test_access_that_takes_long_is_reported_until_it_ends(watch: RecordingWatch) -> None:
    code = "say(number, 'access', True)\nsys.stdin.readline()\nsay(number, 'done', 2, 1, {})"
    with closing(scripted(code)) as helper:
        thread = threading.Thread(target=helper.process, args=("a", watch))
        thread.start()
        wait_until(lambda: watch.accesses == [True], what="the access")
        assert helper._child is not None
        helper._child._send([])
        thread.join(30)
    assert watch.accesses == [True, False]


def test_values_of_another_processor_are_returned(watch: RecordingWatch) -> None:
    with closing(scripted("say(number, 'done', 10, None, {'sha256': 'ab', 'pages': 3})")) as helper:
        assert helper.process("a", watch) == FileResult(10, None, {"sha256": "ab", "pages": 3})


def test_child_gets_no_credentials(watch: RecordingWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("FILEMILL_DATABASE", "postgresql://user:secret@host/name")
    with closing(scripted("say(number, 'done', 1, 1, {'all': ' '.join(os.environ.values())})")) as helper:
        assert "secret" not in str(helper.process("a", watch).values)


# --- children that end, or answer with nonsense


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), 9)", "os._exit(3)", "raise SystemExit(0)", "os.close(1)\n" + LONG]
)
def test_child_that_ends_without_a_result_affects_only_its_file(watch: RecordingWatch, end: str) -> None:
    code = f"if request[1] == 'bad':\n{indent(end, '    ')}\nsay(number, 'done', 2, 1, {{}})"
    with closing(scripted(code)) as helper:
        with pytest.raises(ProcessDiedError):
            helper.process("bad", watch)
        assert helper.process("good", watch) == GOOD


@pytest.mark.parametrize(
    "nonsense",
    [
        "os.write(1, b'x\\n')",
        "os.write(1, b'\\xff\\n')",
        "os.write(1, b'[' * 200_000 + b'\\n')",
        "os.write(1, b'[]\\n')",
        "os.write(1, b'7\\n')",
        "os.write(1, b'9' * 10_000 + b'\\n')",
        "say('1', 'done', 2, 1, {})",
        "say(number)",
        "say(number, 'done', 2)",
        "say(number, 'done', 2, 1, {'a': [1]})",
        "say(number, 'done', 2, 1, {'A B': 1})",
        "say(number, 'done', 2, 1, {'a': 'x' * 20_000})",
        "say(number, 'done', 2, 1, {'a': 'two\\nlines'})",
        "say(number, 'done', 2, 1, {'a': float('nan')})",
        "say(number, 'failed', 'no such code', {}, False, '')",
        "say(number, 'answered')",
    ],
)
def test_nonsense_is_no_answer(watch: RecordingWatch, nonsense: str) -> None:
    with closing(scripted(f"{nonsense}\nif {nonsense.startswith('os')}: {LONG}")) as helper:
        with pytest.raises(ProcessDiedError):
            helper.process("a", watch)
        assert helper._child is None


def test_line_without_an_end_is_not_kept(watch: RecordingWatch) -> None:
    with closing(scripted("while True: os.write(1, b'x' * 65536)")) as helper, pytest.raises(ProcessDiedError):
        helper.process("a", watch)


def test_child_that_writes_without_end_uses_no_memory_here() -> None:
    class Patient(RecordingWatch):
        def cancelled(self) -> bool:
            return len(self.progress) >= 100

    watch = Patient()
    with closing(scripted("while True: say(number, 'progress', 1, 2)")) as helper, pytest.raises(Cancelled):
        helper.process("a", watch)
    assert set(watch.progress) == {(1, 2)}


def test_late_and_repeated_answers_are_not_those_of_another_file(watch: RecordingWatch) -> None:
    code = """
        say(number - 1, 'done', 99, 99, {})
        say(number - 1, 'progress', 99, 99)
        say(number, 'done', number, 1, {})
        say(number, 'done', 88, 88, {})
    """
    with closing(scripted(code)) as helper:
        for number in range(1, 20):
            assert helper.process("a", watch) == FileResult(number, 1)
    assert watch.progress == []


def test_helper_that_can_not_be_started_says_so(watch: RecordingWatch) -> None:
    with closing(HelperProcess(["/no/such/program"])) as helper, pytest.raises(ProcessDiedError):
        helper.process("a", watch)


def test_child_that_died_between_two_files_is_replaced(good: str, watch: RecordingWatch, helper: HelperProcess) -> None:
    assert helper.process(good, watch) == GOOD
    os.kill(pid(helper), 9)
    assert helper.process(good, watch) == GOOD


def test_file_is_tried_in_a_new_child_before_it_is_blamed(watch: RecordingWatch) -> None:
    code = "if number == 2: os._exit(1)\nsay(number, 'done', 2, 1, {})"
    with closing(scripted(code)) as helper:
        assert [helper.process("a", watch) for _ in range(4)] == [GOOD] * 4


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX pipes")
def test_child_that_takes_no_more_requests_is_replaced(watch: RecordingWatch) -> None:
    code = f"if number == 2: os.close(0)\nsay(number, 'done', 2, 1, {{}})\nif number == 2: {LONG}"
    with closing(scripted(code)) as helper:
        assert [helper.process("a", watch) for _ in range(3)] == [GOOD] * 3


def test_child_is_replaced_after_many_files(
    good: str, watch: RecordingWatch, helper: HelperProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "MOST_REQUESTS", 2)
    helper.process(good, watch)
    first = pid(helper)
    helper.process(good, watch)
    assert helper._child is None
    assert not is_running(first)
    assert helper.process(good, watch) == GOOD


# --- cancellation and the limit on time


def test_cancelled_child_is_ended(watch: RecordingWatch) -> None:
    caught: list[BaseException] = []

    def run() -> None:
        with closing(scripted(f"say(number, 'progress', 1, 10)\n{LONG}")) as helper:
            try:
                helper.process("a", watch)
            except Cancelled as error:
                caught.append(error)
            assert helper._child is None

    thread = threading.Thread(target=run)
    thread.start()
    assert watch.seen.wait(10)
    watch.stop.set()
    thread.join(10)
    assert len(caught) == 1


def test_helper_can_be_used_after_a_cancellation(good: str, watch: RecordingWatch, helper: HelperProcess) -> None:
    watch.stop.set()
    with suppress(Cancelled):  # unless the file is finished first
        helper.process(good, watch)
    watch.stop.clear()
    assert helper.process(good, watch) == GOOD


@pytest.mark.parametrize(
    "never_returns", [LONG, "sum(range(10**15))", "signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LONG]
)
def test_processor_that_takes_too_long_is_ended_even_in_compiled_code(
    bad: str, good: str, watch: RecordingWatch, never_returns: str
) -> None:
    with closing(misbehaving(never_returns)) as helper:
        assert helper.process(good, watch) == GOOD
        child = pid(helper)
        with pytest.raises(FileError) as caught:
            helper.process(bad, watch, limits=Limits(seconds=0.3))
        assert caught.value.reason.code is ReasonCode.TOO_LONG
        assert not is_running(child)
        assert helper.process(good, watch) == GOOD


def test_time_is_counted_from_the_last_progress() -> None:
    clock = FakeClock(0)
    deadline = _Deadline(Limits(seconds=10), clock.steady)
    for step in range(5):
        clock.advance(9)
        deadline.note_progress(step)
        deadline.check()
    clock.advance(9)
    deadline.note_progress(4)  # nothing more was read
    clock.advance(2)
    with pytest.raises(FileError):
        deadline.check()


def test_file_that_is_reread_gets_more_time_but_not_without_end() -> None:
    clock = FakeClock(0)
    deadline = _Deadline(Limits(seconds=10), clock.steady)
    for _ in range(1 + len(PAUSES_S)):
        for done in (1, 2):
            clock.advance(9)
            deadline.note_progress(done)
            deadline.check()
    clock.advance(11)
    deadline.note_progress(1)
    with pytest.raises(FileError):
        deadline.check()


# --- processors that misbehave


@pytest.mark.parametrize(
    ("bug", "shown"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("sys.exit(0)", "SystemExit: 0"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("class Odd(BaseException): pass\nraise Odd('odd')", "Odd: odd"),
        ("def again(): again()\nagain()", "RecursionError: maximum recursion depth exceeded"),
        ("raise ValueError('x' * 10_000_000)", "xxx"),
    ],
)
def test_bug_is_reported_with_its_traceback_and_the_child_is_usable(
    bad: str, good: str, watch: RecordingWatch, bug: str, shown: str
) -> None:
    with closing(misbehaving(bug)) as helper:
        assert helper.process(good, watch) == GOOD
        child = pid(helper)
        with pytest.raises(ProcessorBugError) as caught:
            helper.process(bad, watch)
        assert shown in str(caught.value)
        assert len(str(caught.value)) < 10_000
        (trace,) = caught.value.__notes__
        assert shown in trace
        assert helper.process(good, watch) == GOOD
        assert pid(helper) == child


@pytest.mark.parametrize(
    "act",
    [
        "print('[1, \"done\", 9, 9, {}]\\n', flush=True)",
        "os.write(1, b'[1, \"done\", 9, 9, {}]\\n')",
        "sys.__stdout__.write('[1]\\n'); sys.__stdout__.flush(); sys.stderr.write('x' * 1_000_000)",
        "os.closerange(0, 3)",
        "sys.stdout.close()",
        "sys.stdin.close()",
        "assert sys.stdin.read() == ''",
        "subprocess.run(['cat'], check=True)",
        "os.system('echo \"[1]\"')",
        "os.chdir('/')",
    ],
)
def test_processor_can_not_disturb_the_pipes(bad: str, good: str, watch: RecordingWatch, act: str) -> None:
    with closing(misbehaving(act)) as helper:
        assert [helper.process(path, watch) for path in (good, bad, good, bad, good)] == [GOOD] * 5


posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX processes")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@linux
@pytest.mark.parametrize(
    "start",
    [
        "child = subprocess.Popen(['sleep', '600']).pid",
        f"child = os.fork()\nif not child: {LONG}",
        # It returns as if it were this process.
        "child = os.fork()",
        "child = os.fork()\nif not child: os.write(4, b'[2, \"done\", 9, 9, {}]\\n'); os._exit(0)",
    ],
)
def test_processes_that_a_processor_leaves_behind_are_ended(
    bad: str, good: str, watch: RecordingWatch, tmp_path: Path, start: str
) -> None:
    note = f"open({str(tmp_path / 'child')!r}, 'w').write(str(child))"
    with closing(misbehaving(f"{start}\n{note}" if "fork" not in start else f"{start}\nif child: {note}")) as helper:
        assert helper.process(good, watch) == GOOD
        first = pid(helper)
        assert helper.process(bad, watch) == GOOD
        assert helper._child is None, "the child process is replaced"
        left = int((tmp_path / "child").read_text())
        wait_until(lambda: not is_running(left) and not is_running(first), what="end of the processes")
        assert helper.process(good, watch) == GOOD


@linux
def test_process_that_keeps_the_pipe_open_does_not_make_the_file_wait(watch: RecordingWatch, tmp_path: Path) -> None:
    """It has left the group, as a daemon does, so that it is not ended."""
    code = f"""
        if os.fork() == 0:
            os.setsid()
            open({str(tmp_path / "left")!r}, "w").write(str(os.getpid()))
            {LONG}
        while not os.path.exists({str(tmp_path / "left")!r}): pass
        os._exit(0)
    """
    with closing(scripted(code)) as helper, pytest.raises(ProcessDiedError):
        helper.process("a", watch)
    left = int((tmp_path / "left").read_text())
    assert is_running(left)
    os.kill(left, 9)
    wait_until(lambda: not is_running(left), what="end of the process")


@linux
def test_child_ends_with_its_parent_although_a_processor_does_not_return(bad: str, tmp_path: Path) -> None:
    """It can't wait for the end of its requests meanwhile."""
    act = f"open({str(tmp_path / 'child')!r}, 'w').write(str(os.getpid()))\nwhile True: pass"
    command = misbehaving(act)._command
    code = f"import subprocess; subprocess.Popen({command!r}, stdin=subprocess.PIPE, start_new_session=True)"
    code += f".stdin.write({json.dumps([1, 'process', bad, '', 'lines', '']).encode()!r} + b'\\n')"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, env=isolation._own_environment())
    wait_until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text(), what="start of the file")
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: not is_running(child), what="end of the child process")


@linux
@pytest.mark.parametrize(
    "leak",
    [
        "kept.append(bytearray(300 << 20))",
        "kept.extend(os.open('/dev/null', os.O_RDONLY) for _ in range(100))",
        f"threading.Thread(target=lambda: {LONG}, daemon=True).start()",
    ],
)
def test_child_with_a_processor_that_leaks_is_replaced(bad: str, good: str, watch: RecordingWatch, leak: str) -> None:
    with closing(misbehaving(leak, memory_bytes=1 << 30)) as helper:
        assert helper.process(good, watch) == GOOD
        assert has_child(helper)
        assert helper.process(bad, watch) == GOOD
        assert not has_child(helper)
        assert helper.process(good, watch) == GOOD


@linux
def test_file_that_needs_too_much_memory_fails_and_the_next_one_does_not(
    bad: str, good: str, watch: RecordingWatch
) -> None:
    with closing(misbehaving("bytearray(1 << 30)")) as helper:
        assert helper.process(good, watch) == GOOD
        child = pid(helper)
        with pytest.raises(FileError) as caught:
            helper.process(bad, watch)
        assert caught.value.reason.code is ReasonCode.TOO_LARGE
        assert helper.process(good, watch) == GOOD
        assert pid(helper) == child


@posix
def test_library_that_aborts_has_a_reason_that_is_not_tried_again(bad: str, good: str, watch: RecordingWatch) -> None:
    """C libraries do so if they get no memory."""
    with closing(misbehaving("os.abort()")) as helper:
        assert helper.process(good, watch) == GOOD
        with pytest.raises(FileError) as caught:
            helper.process(bad, watch, limits=Limits())
        assert (caught.value.reason.code, caught.value.passing) == (ReasonCode.TOO_LARGE, False)
        assert helper.process(good, watch) == GOOD


# --- probes


def test_probe_is_answered_by_a_file_system_and_by_an_error(helper: HelperProcess, tmp_path: Path) -> None:
    assert helper.probe(str(tmp_path))
    assert helper.probe(str(tmp_path / "gone"))


def test_probe_in_a_child_that_dies_is_not_an_answer() -> None:
    with closing(scripted("os._exit(0)")) as helper, pytest.raises(ProcessDiedError):
        helper.probe("/")
