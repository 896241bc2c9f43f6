"""The child process in which files are processed, as it answers requests."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from desktop_app.domain.errors import FileError
from desktop_app.domain.fields import DEFAULT_PROCESSOR
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing import isolation_child
from desktop_app.processing.isolation import _own_environment
from desktop_app.processing.isolation_child import _Answers, _RequestWatch, serve_requests
from desktop_app.processing.lines import LineProcessor
from desktop_app.processing.processor import Limits
from desktop_app.processing.registry import ProcessorRegistry, default_registry
from tests.helpers import wait_until
from tests.helpers.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from desktop_app.domain.fields import Value
    from desktop_app.processing.processor import Watch
    from desktop_app.sources.local import Source


class Acting(LineProcessor):
    """A processor that calls a function before it counts the lines."""

    limits = Limits(memory_bytes=64 << 20)

    def __init__(self, act: Callable[[Watch], object]) -> None:
        self._act = act

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
        self._act(watch)
        return super().process(source, options, watch)


@pytest.fixture
def answers(tmp_path: Path) -> Callable[..., list[list[object]]]:
    """Return a function that returns what a child process writes after some requests."""

    def ask(*requests: list[object], registry: ProcessorRegistry | None = None) -> list[list[object]]:
        pipe = io.StringIO()
        numbered = [json.dumps([number, *request]) for number, request in enumerate(requests, 1)]
        (tmp_path / "requests").write_text("".join(f"{line}\n" for line in numbered))
        with (tmp_path / "requests").open() as lines:
            assert serve_requests(lines, registry or default_registry(), pipe) == 0
        return [json.loads(line) for line in pipe.getvalue().splitlines()]

    return ask


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "a").write_bytes(b"x\n")
    return str(tmp_path / "a")


def request(path: object, processor: str = DEFAULT_PROCESSOR) -> list[object]:
    return ["process", str(path), "attempt-1", processor, ""]


def test_each_answer_has_the_number_of_its_request(
    answers: Callable[..., list[list[object]]], file: str, tmp_path: Path
) -> None:
    done, failed, probed = answers(request(file), request(tmp_path), ["probe", str(tmp_path)])
    assert done == [1, "done", 2, 1, {}]
    assert failed[:5] == [2, "failed", "is_folder", {}, False]
    assert probed == [3, "answered"]


def test_progress_is_told_and_nothing_is_cancelled(answers: Callable[..., list[list[object]]], file: str) -> None:
    def act(watch: Watch) -> None:
        assert not watch.cancelled()
        assert watch.attempt_id == "attempt-1"
        watch.on_progress(1, 2)

    registry = ProcessorRegistry([Acting(act)])
    assert answers(request(file), registry=registry) == [[1, "progress", 1, 2], [1, "done", 2, 1, {}]]


def test_request_that_is_not_understood_is_a_bug(answers: Callable[..., list[list[object]]]) -> None:
    ((number, kind, what, _),) = answers(["dance"])
    assert (number, kind) == (1, "bug")
    assert "dance" in str(what)


def test_reason_with_anything_in_it_can_be_sent(answers: Callable[..., list[list[object]]], file: str) -> None:
    def act(_: Watch) -> None:
        raise FileError(Reason(ReasonCode.BAD_CONTENT, {"why": "x" * 100_000, "odd": b"\xff", "count": 3}))  # type: ignore[dict-item]

    ((_, kind, code, arguments, *_rest),) = answers(request(file), registry=ProcessorRegistry([Acting(act)]))
    assert (kind, code) == ("failed", "bad_content")
    assert isinstance(arguments, dict)
    assert (len(arguments["why"]), arguments["odd"], arguments["count"]) == (4000, "b'\\xff'", 3)


def test_short_accesses_are_not_told_and_long_ones_until_they_end() -> None:
    clock = FakeClock(0)
    pipe = io.StringIO()
    watch = _RequestWatch(_Answers(pipe), 7, clock.steady)

    def told() -> list[list[object]]:
        return [json.loads(line) for line in pipe.getvalue().splitlines()]

    for begins in (True, False):
        watch.on_access(begins=begins)
        watch.look()
    watch.on_access(begins=True)
    assert told() == []
    clock.advance(1)
    watch.look()
    watch.look()
    assert told() == [[7, "access", True]]
    watch.on_access(begins=False)
    watch.look()
    assert told() == [[7, "access", True], [7, "access", False]]


def test_access_that_takes_long_is_told_while_it_lasts(file: str, tmp_path: Path) -> None:
    pipe = io.StringIO()

    def act(watch: Watch) -> None:
        watch.on_access(begins=True)
        wait_until(lambda: '"access", true' in pipe.getvalue(), what="the access")
        watch.on_access(begins=False)

    (tmp_path / "requests").write_text(json.dumps([1, *request(file)]) + "\n")
    with (tmp_path / "requests").open() as requests:
        serve_requests(requests, ProcessorRegistry([Acting(act)]), pipe)
    told = [json.loads(line)[1:3] for line in pipe.getvalue().splitlines()]
    assert told == [["access", True], ["access", False], ["done", 2]]


def test_memory_is_limited_by_the_watchdog_where_the_system_does_not(file: str) -> None:
    """The answer is followed by the end of the process."""
    code = """if True:
        import sys, threading
        from desktop_app.processing import isolation_child
        from desktop_app.processing.lines import LineProcessor
        from desktop_app.processing.processor import Limits
        from desktop_app.processing.registry import ProcessorRegistry
        isolation_child._LIMITS_ADDRESS_SPACE = False
        class Large(LineProcessor):
            limits = Limits(memory_bytes=64 << 20)
            def process(self, source, options, watch):
                kept = bytearray(100 << 20)
                threading.Event().wait(60)
        isolation_child.serve_requests(sys.stdin, ProcessorRegistry([Large()]), sys.stdout)
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        input=json.dumps([1, *request(file)]) + "\n",
        capture_output=True,
        text=True,
        env=_own_environment(),
    )
    assert done.returncode == 1, done.stderr
    replaced, answer = map(json.loads, done.stdout.splitlines())
    assert replaced == [1, "replace"]
    assert answer[:3] == [1, "failed", "too_large"]


def test_child_answers_until_its_requests_end(file: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "desktop_app", "_process"],
        input="".join(json.dumps([number, *request(file)]) + "\n" for number in (1, 2)),
        capture_output=True,
        text=True,
        check=True,
        env=_own_environment(),
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == [[n, "done", 2, 1, {}] for n in (1, 2)]


@pytest.mark.parametrize("is_valid", [True, False])
def test_thumbnail_is_sent_as_text(answers: Callable[..., list[list[object]]], tmp_path: Path, is_valid: bool) -> None:
    Image.new("L", (20, 10)).save(tmp_path / "a.png")
    if not is_valid:
        (tmp_path / "a.png").write_bytes(b"x")
    ((_, kind, content, *_more),) = answers(["thumbnail", str(tmp_path / "a.png"), 5])
    assert kind == ("thumbnail" if is_valid else "failed")
    assert not is_valid or base64.b64decode(str(content)).startswith(b"\x89PNG")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX pipes")
def test_end_of_the_requests_is_seen_without_reading_them() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a request that is not read")
    assert not isolation_child._is_closed(reading)
    os.close(writing)
    assert isolation_child._is_closed(reading)
    os.close(reading)


def test_child_imports_nothing_large() -> None:
    """It is started for each worker thread, and again after crashes."""
    code = (
        "import sys; before = set(sys.modules);"  # which a measurement of the coverage has imported
        "import desktop_app.processing.isolation_child, desktop_app.processing.registry;"
        "print(' '.join(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_own_environment()
    )
    large = {"PySide6", "boto3", "botocore", "peewee", "sqlite3", "PIL", "pypdfium2", "subprocess", "asyncio", "ctypes"}
    assert large.isdisjoint(done.stdout.split())


def test_watchdog_sleeps_between_requests(tmp_path: Path) -> None:
    looks = threading.Semaphore(0)

    class Watch(_RequestWatch):
        def look(self) -> None:
            looks.release()

    with (tmp_path / "requests").open("w+") as requests:
        watchdog = isolation_child._Watchdog(requests)
        watchdog.start()
        for _ in range(2):
            with watchdog.watching(Watch(_Answers(io.StringIO()), 1)):
                assert looks.acquire(timeout=30)
            wait_until(lambda: not watchdog._has_begun.is_set(), what="sleep")
