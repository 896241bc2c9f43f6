"""Processing one file: progress, cancelling, and numbers that match the file."""

from __future__ import annotations

import io
import itertools
import os
import sys
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.fields import Field, Option, Value
from desktop_app.domain.reasons import FileProblem, ReasonCode
from desktop_app.processing.lines import LineProcessor
from desktop_app.processing.processor import Cancelled, Processor, Watch, bad_content, opened
from desktop_app.processing.registry import PAUSES_S, FileResult, ProcessorRegistry, default_registry
from desktop_app.sources.local import Change, FileSource, Source, open_source
from tests.helpers import wait_for_another_time
from tests.helpers.fakes import RecordingWatch
from tests.helpers.memory import measured_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

MIB = 1 << 20


class TickingClock:
    """A clock that advances by `step` seconds at each reading."""

    def __init__(self, step: float = 0.0) -> None:
        self._now = 1000.0
        self._step = step

    def now_ms(self) -> int:
        raise AssertionError("spans are not measured by the time of day")

    def steady(self) -> float:
        self._now += self._step
        return self._now


class ChangingSource(FileSource):
    """A source that is changed after its first chunk has been read."""

    def __init__(self, path: str, disturb: Callable[[], None], chunk_bytes: int) -> None:
        super().__init__(path)
        self._disturb = disturb
        self._chunk_bytes = chunk_bytes

    def chunks(self, chunk_bytes: int = 0) -> Iterator[bytes]:
        for number, chunk in enumerate(super().chunks(self._chunk_bytes)):
            if number == 0:
                self._disturb()
            yield chunk


class RegistrySetup:
    """A registry that records each opening and pause, and whose file is changed during the first attempts."""

    def __init__(self, disturb: Callable[[], None], times: int = 100, chunk_bytes: int = 2) -> None:
        self.opened = 0
        self.pauses: list[float] = []
        self._disturb = disturb
        self._times = times
        self._chunk_bytes = chunk_bytes
        self.registry = ProcessorRegistry([LineProcessor()], opener=self._open, pause=self.pauses.append)

    def _open(self, path: str) -> Source:
        self.opened += 1
        if self.opened > self._times:
            return open_source(path)
        return ChangingSource(path, self._disturb, self._chunk_bytes)


def process(path: Path, watch: RecordingWatch | None = None, clock: TickingClock | None = None) -> FileResult:
    return default_registry(clock).process(str(path), watch or RecordingWatch())


# --- results


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", 0),
        (b"a", 1),
        (b"a\r\nb\r\n", 2),
        (b"\x89PNG\r\n\x1a\n\0", 3),
        ("\ufeffa\nb\n".encode("utf-16-le"), 2),
        (b"\xff\xfe", 0),
    ],
)
def test_file_has_its_size_and_lines(tmp_path: Path, content: bytes, lines: int) -> None:
    (tmp_path / "file").write_bytes(content)

    assert process(tmp_path / "file") == FileResult(file_size=len(content), lines_count=lines)


def test_large_file_is_read_with_constant_memory(tmp_path: Path) -> None:
    size = 512 * MIB
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
        file.seek(size - 1)
        file.write(b"\n")

    with measured_memory() as memory:
        result = process(tmp_path / "large")
    assert memory.peak < 8 * MIB

    assert result == FileResult(size, 1)


def test_file_that_can_not_be_opened_fails_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no longer exists") as caught:
        process(tmp_path / "gone")

    assert caught.value.reason.code.problem is FileProblem.MISSING


class ShoutProcessor:
    """Another processor, only for `.shout` files, with its own result fields."""

    name = "shouts"
    version = 1
    title = "Shouts"
    fields: tuple[Field, ...] = (Field("marks", int, "Exclamation marks"), Field("share", float, "Share"))
    options = (Option("sign", "!", "Sign"),)
    limits = None
    unavailable = ""

    def accepts(self, path: str) -> bool:
        return path.endswith(".shout")

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
        marks = sum(chunk.count(str(options["sign"]).encode()) for chunk in source.chunks())
        return {"marks": marks, "share": marks / source.size}


def shouts(processor: Processor, path: Path, options: str = "") -> FileResult:
    registry = ProcessorRegistry([processor, LineProcessor()])
    return registry.process(str(path), RecordingWatch(), processor="shouts", options=options)


def test_file_is_processed_with_the_chosen_processor_and_its_options(tmp_path: Path) -> None:
    file = tmp_path / "a.shout"
    file.write_bytes(b"ho!\nho!")

    assert shouts(ShoutProcessor(), file) == FileResult(7, None, {"marks": 2, "share": 2 / 7})
    assert shouts(ShoutProcessor(), file, '{"sign": "o"}') == FileResult(7, None, {"marks": 2, "share": 2 / 7})
    assert ProcessorRegistry([ShoutProcessor(), LineProcessor()]).process(str(file), RecordingWatch()) == FileResult(
        7, 2
    )


@pytest.mark.parametrize(
    "options", ['{"sign": 1}', '{"argv": ["rm"]}', "[]", "{", '{"sign": null}', '{"sign": ["!"]}', "1", "[" * 100_000]
)
def test_options_outside_their_types_are_refused(tmp_path: Path, options: str) -> None:
    (tmp_path / "a.shout").write_bytes(b"!")

    with pytest.raises(FileError) as caught:
        shouts(ShoutProcessor(), tmp_path / "a.shout", options)

    assert caught.value.reason.code is ReasonCode.BAD_OPTIONS


def test_file_whose_processor_is_missing_is_not_processed(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        default_registry().process(str(tmp_path), RecordingWatch(), processor="shouts")

    assert caught.value.reason.code is ReasonCode.NOT_AVAILABLE


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x" * 20_000, "bytes"),
        ("one\ntwo", "control"),
        ("\x1b[31m", "control"),
        ("\u202egnp.exe", "control"),
        ("\udcff", "control"),
    ],
)
def test_result_that_can_not_be_stored_fails_the_file(tmp_path: Path, value: str, why: str) -> None:
    class Titled(ShoutProcessor):
        fields = (Field("title", str, "Title"),)

        def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
            super().process(source, options, watch)
            return {"title": value}

    (tmp_path / "a.shout").write_bytes(b"!")

    with pytest.raises(FileError, match=why) as caught:
        shouts(Titled(), tmp_path / "a.shout")

    assert caught.value.reason.code is ReasonCode.BAD_RESULT


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_number_that_is_no_number_is_not_stored(tmp_path: Path, value: float) -> None:
    class Shared(ShoutProcessor):
        def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
            return {**super().process(source, options, watch), "share": value}

    (tmp_path / "a.shout").write_bytes(b"!")

    with pytest.raises(FileError) as caught:
        shouts(Shared(), tmp_path / "a.shout")

    assert caught.value.reason.code is ReasonCode.BAD_RESULT


def test_library_can_read_at_any_position(tmp_path: Path) -> None:
    """The content is large enough to be opened as a file, then as one that was read at once."""

    class Last(ShoutProcessor):
        fields = (Field("marks", int, "Last bytes"),)

        def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
            with opened(source) as file:
                file.seek(-3, io.SEEK_END)
                assert file.tell() == source.size - 3
                end = file.read()
                file.seek(0)
                return {"marks": int(end) + len(file.read(2))}

    for size in (100_000, 10):
        (tmp_path / "a.shout").write_bytes(b"!" * size + b"123")
        assert shouts(Last(), tmp_path / "a.shout") == FileResult(size + 3, None, {"marks": 125})


@pytest.mark.parametrize("values", [{"other": 1}, {"marks": "1"}, {"marks": True}, {"share": 1}, {"lines_count": 1}])
def test_result_contains_only_declared_fields(tmp_path: Path, values: dict[str, Value]) -> None:
    class Undeclared(ShoutProcessor):
        def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
            return {**super().process(source, options, watch), **values}

    (tmp_path / "a.shout").write_bytes(b"!")

    with pytest.raises(TypeError, match="shouts does not declare"):
        shouts(Undeclared(), tmp_path / "a.shout")


def test_file_without_a_processor_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()

    with pytest.raises(FileError) as caught:
        shouts(ShoutProcessor(), tmp_path / "a.txt")

    assert caught.value.reason.code.problem is FileProblem.NOT_A_FILE


def test_bug_in_a_processor_is_not_swallowed(tmp_path: Path) -> None:
    class Buggy(ShoutProcessor):
        def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
            raise ZeroDivisionError

    (tmp_path / "a.shout").touch()

    with pytest.raises(ZeroDivisionError):
        shouts(Buggy(), tmp_path / "a.shout")


# --- progress and cancelling


def test_quickly_processed_file_reports_no_progress(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(3 * MIB))
    watch = RecordingWatch()

    process(tmp_path / "file", watch, TickingClock(0.05))

    assert watch.progress == []


def test_progress_of_a_long_file_is_reported_every_tenth_of_a_second(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(10 * MIB))
    watch = RecordingWatch()

    process(tmp_path / "file", watch, TickingClock(0.0625))

    assert [done // MIB for done, _ in watch.progress] == [2, 4, 6, 8, 10]
    assert {total for _, total in watch.progress} == {10 * MIB}


def test_cancelling_is_checked_before_every_chunk(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(3 * MIB))
    patient = RecordingWatch()
    process(tmp_path / "file", patient)
    assert patient.questions >= 4

    for question in range(1, 5):
        with pytest.raises(Cancelled):
            process(tmp_path / "file", RecordingWatch(stop_at_question=question))


def test_empty_file_can_be_cancelled_too(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Cancelled):
        process(tmp_path / "file", RecordingWatch(stop_at_question=1))


def test_cancelling_between_two_attempts_works(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a")
    shop = RegistrySetup(lambda: os.utime(tmp_path / "file"), chunk_bytes=10)

    with pytest.raises(Cancelled):
        shop.registry.process(str(tmp_path / "file"), RecordingWatch(stop_at_question=3))

    assert shop.opened == 1


# --- files that change


def test_file_that_grew_once_is_read_again_completely(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a\nb\n")

    def append() -> None:
        with file.open("ab") as stream:
            stream.write(b"c\n")

    shop = RegistrySetup(append, times=1)

    assert shop.registry.process(str(file), RecordingWatch()) == FileResult(6, 3)
    assert (shop.opened, shop.pauses) == (2, [PAUSES_S[0]])


def test_file_that_changes_during_each_attempt_fails_after_three(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a\nb\n")
    times = iter(range(1, 100))
    shop = RegistrySetup(lambda: os.utime(file, ns=(0, next(times))))

    with pytest.raises(FileError) as caught:
        shop.registry.process(str(file), RecordingWatch())

    assert caught.value.reason.code.problem is FileProblem.CHANGED
    assert caught.value.text == (
        "The file changed while it was being read; the result was discarded because it could be wrong"
    )
    assert (shop.opened, shop.pauses) == (3, list(PAUSES_S))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no status change time")
def test_content_changed_with_its_time_set_back_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a\nb\nc\n")
    os.utime(file, ns=(1, 1))

    def rewrite() -> None:
        with file.open("r+b") as stream:
            stream.write(b"a b c\n")
        os.utime(file, ns=(1, 1))
        wait_for_another_time(file)

    wait_for_another_time(file)
    shop = RegistrySetup(rewrite, times=1)

    assert shop.registry.process(str(file), RecordingWatch()) == FileResult(6, 1)
    assert shop.opened == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no status change time")
def test_content_that_alternates_with_its_time_set_back_fails(tmp_path: Path) -> None:
    file = tmp_path / "file"
    contents = itertools.cycle([b"a b c\n", b"a\nb c\n"])
    file.write_bytes(b"a\nb\nc\n")
    os.utime(file, ns=(1, 1))

    def rewrite() -> None:
        with file.open("r+b") as stream:
            stream.write(next(contents))
        os.utime(file, ns=(1, 1))
        wait_for_another_time(file)

    wait_for_another_time(file)
    shop = RegistrySetup(rewrite)

    with pytest.raises(FileError, match="changed while it was being read"):
        shop.registry.process(str(file), RecordingWatch())
    assert shop.opened == 3


@pytest.mark.parametrize("times", [1, 2, 100])
def test_file_whose_status_changes_during_each_attempt_is_processed(tmp_path: Path, times: int) -> None:
    """Backup programs change permissions and links; some file systems report another time at each call."""
    file = tmp_path / "file"
    file.write_bytes(b"a\nb\n")

    class Restless(FileSource):
        def change(self) -> Change:
            nonlocal times
            times -= 1
            return Change.STATUS if times >= 0 else super().change()

    registry = ProcessorRegistry([LineProcessor()], opener=Restless, pause=lambda _: None)

    assert registry.process(str(file), RecordingWatch()) == FileResult(4, 2)


def test_file_that_grows_while_it_is_read_does_not_block(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a\nb\n")

    class Growing(FileSource):
        def chunks(self, chunk_bytes: int = 0) -> Iterator[bytes]:
            for chunk in super().chunks(2):
                with file.open("ab") as stream:
                    stream.write(b"on and on\n")
                yield chunk

    registry = ProcessorRegistry([LineProcessor()], opener=Growing, pause=lambda _: None)

    with pytest.raises(FileError) as caught:
        registry.process(str(file), RecordingWatch())

    assert caught.value.reason.code.problem is FileProblem.CHANGED


def test_file_truncated_while_it_is_read_keeps_no_earlier_result(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a\nb\nc\n")
    shop = RegistrySetup(lambda: os.truncate(file, 2), times=1)

    assert shop.registry.process(str(file), RecordingWatch()) == FileResult(2, 1)


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let an open file be removed")
def test_file_deleted_while_it_is_read_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a\nb\n")
    shop = RegistrySetup(file.unlink, times=1)

    with pytest.raises(FileError) as caught:
        shop.registry.process(str(file), RecordingWatch())

    assert caught.value.reason.code.problem is FileProblem.MISSING


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let an open file be replaced")
def test_file_replaced_while_it_is_read_has_the_numbers_of_the_new_one(tmp_path: Path) -> None:
    file, new = tmp_path / "file", tmp_path / "new"
    file.write_bytes(b"a\nb\n")
    new.write_bytes(b"1\n2\n3\n")

    def save() -> None:
        new.replace(file)

    shop = RegistrySetup(save, times=1)

    assert shop.registry.process(str(file), RecordingWatch()) == FileResult(6, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_file_with_a_wrong_size_is_refused_with_that_reason() -> None:
    registry = ProcessorRegistry([LineProcessor()], pause=lambda _: None)

    with pytest.raises(FileError, match="does not match its content") as caught:
        registry.process("/proc/self/limits", RecordingWatch())

    assert caught.value.reason.code.problem is FileProblem.UNREADABLE


def test_file_that_fails_keeps_what_was_found_out(tmp_path: Path) -> None:
    class Strict(ShoutProcessor):
        def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
            raise bad_content("it is too loud", super().process(source, options, watch))

    (tmp_path / "a.shout").write_bytes(b"!?")

    with pytest.raises(FileError, match="too loud") as caught:
        shouts(Strict(), tmp_path / "a.shout")

    assert caught.value.values == {"marks": 1, "share": 0.5}
