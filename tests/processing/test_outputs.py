"""Output folders of commands: what is accepted, and publishing that replaces nothing and can be repeated."""

from __future__ import annotations

import errno
import itertools
import json
import os
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.config.presets import Preset
from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import ReasonCode
from desktop_app.processing import outputs as outputs_module
from desktop_app.processing.child_process import CommandRunner
from desktop_app.processing.command import CommandProcessor
from desktop_app.processing.outputs import Outputs, create_destination
from desktop_app.processing.registry import FileResult, ProcessorRegistry
from tests.helpers.fakes import RecordingWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desktop_app.processing.outputs import Staged

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")

MB = 1_000_000


def attempt(token: int = 1) -> str:
    return f"00000000-0000-4000-8000-000000000000-{token}"


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    return Outputs(tmp_path / "jobs.db", "me")


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def staged(outputs: Outputs, destination: Path) -> Staged:
    return outputs.begin(attempt(), destination, replaces=False)


def content(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in sorted(folder.rglob("*")) if file.is_file()}


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_txt", ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_files_are_noted_before_they_are_published_and_numbered_ones_again(tmp_path: Path, destination: Path) -> None:
    """So that they are not added from a watched folder, even if the program is killed in between."""
    noted: list[tuple[Path, Path, list[str]]] = []

    def note(current: Path, final: Path) -> None:
        noted.append((current, final, sorted(path.name for path in destination.iterdir() if path.is_file())))

    outputs = Outputs(tmp_path / "jobs.db", "me", note)
    staged = outputs.begin(attempt(), destination, replaces=False)
    write(staged.folder, a_txt="A", b_txt="B")
    write(destination, b_txt="before")
    outputs.publish(staged)
    numbered = destination / "b (2).txt"
    assert noted == [
        (staged.folder, destination, ["b.txt"]),
        (numbered, numbered, ["a.txt", "b (2).txt", "b.txt"]),
    ]


def test_files_and_folders_are_published_and_nothing_else_is_left(
    outputs: Outputs, staged: Staged, destination: Path
) -> None:
    assert staged.folder.stat().st_mode & 0o777 == 0o700
    write(staged.folder, a_txt="A", sub__b_txt="B")
    (staged.folder / "empty").mkdir()
    assert outputs.check(staged, most_bytes=MB) == ["a.txt", "sub/b.txt"]
    outputs.publish(staged)
    assert content(destination) == {"a.txt": "A", "sub/b.txt": "B"}
    assert sorted(path.name for path in destination.iterdir()) == ["a.txt", "empty", "sub"]
    assert outputs.left() == []
    outputs.publish(staged)
    outputs.discard(staged)
    assert content(destination) == {"a.txt": "A", "sub/b.txt": "B"}


def test_existing_files_are_kept_and_new_ones_numbered(outputs: Outputs, staged: Staged, destination: Path) -> None:
    write(destination, a_txt="old", sub__b_txt="old")
    (destination / "c").mkdir()
    write(staged.folder, a_txt="A", sub__b_txt="B", sub__d_txt="D", c="C")
    outputs.publish(staged)
    assert content(destination) == {
        "a.txt": "old",
        "a (2).txt": "A",
        "sub/b.txt": "old",
        "sub/b (2).txt": "B",
        "sub/d.txt": "D",
        "c (2)": "C",
    }


def test_existing_files_are_replaced_if_that_is_set_up(outputs: Outputs, destination: Path) -> None:
    staged = outputs.begin(attempt(), destination, replaces=True)
    write(destination, a_txt="old", sub__b_txt="old", keep_txt="old")
    (destination / "c").mkdir()
    write(staged.folder, a_txt="A", sub__b_txt="B", c="C")
    outputs.publish(staged)
    assert content(destination) == {"a.txt": "A", "sub/b.txt": "B", "keep.txt": "old", "c (2)": "C"}


def test_only_file_that_gets_a_number_is_returned(outputs: Outputs, destination: Path) -> None:
    for number, expected in enumerate((None, destination / "a (2).txt", destination / "a (3).txt"), 1):
        staged = outputs.begin(attempt(number), destination, replaces=False)
        write(staged.folder, a_txt=f"{number}")
        assert outputs.publish(staged) == expected
        assert outputs.publish(staged) is None
    staged = outputs.begin(attempt(4), destination, replaces=False)
    write(staged.folder, a_txt="4", b_txt="4")
    assert outputs.publish(staged) is None
    assert content(destination)["a (4).txt"] == "4"


def test_links_in_the_destination_are_not_followed(outputs: Outputs, destination: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere, x="secret")
    for number, replaces in enumerate((False, True), 1):
        staged = outputs.begin(attempt(number), destination, replaces=replaces)
        for name in ("sub", "file"):
            (destination / name).unlink(missing_ok=True)
        (destination / "sub").symlink_to(elsewhere)
        (destination / "file").symlink_to(elsewhere / "x")
        write(staged.folder, sub__b_txt=f"{number}", file=f"{number}")
        outputs.publish(staged)
    assert content(elsewhere) == {"x": "secret"}
    assert content(destination)["sub (2)/b.txt"] == "2"
    assert (destination / "file").read_text() == "2", "a link itself is replaced"


def test_discarded_files_are_gone(outputs: Outputs, staged: Staged, destination: Path) -> None:
    write(staged.folder, a_txt="A", sub__b_txt="B")
    (staged.folder / "sub").chmod(0)
    outputs.discard(staged)
    assert list(destination.iterdir()) == []
    assert outputs.left() == []


def test_output_folder_that_is_left_is_found_by_the_next_program(
    outputs: Outputs, staged: Staged, tmp_path: Path
) -> None:
    write(staged.folder, a_txt="A")
    (found,) = Outputs(tmp_path / "jobs.db", "another").left()
    assert (found, found.owner) == (staged, "me")
    assert (found.job_id, found.token) == (attempt()[:36], 1)
    assert Outputs(tmp_path / "other.db", "me").left() == []


def test_records_in_a_copy_of_the_home_folder_are_not_used(outputs: Outputs, staged: Staged, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "jobs.db.outputs").rename(tmp_path / "copy" / "jobs.db.outputs")
    assert Outputs(tmp_path / "copy" / "jobs.db", "me").left() == []


@pytest.mark.parametrize("text", ["", "[]", '{"destination": "/"}', "\udcff"])
def test_record_that_can_not_be_read_is_left_alone(outputs: Outputs, staged: Staged, tmp_path: Path, text: str) -> None:
    record = tmp_path / "jobs.db.outputs" / attempt()
    record.write_text(text, errors="surrogateescape")
    assert outputs.left() == []
    assert record.exists()


def test_unfinished_record_of_a_program_that_was_killed_is_removed(outputs: Outputs, staged: Staged) -> None:
    part = staged.destination.parent / "jobs.db.outputs" / ".filemill-0a1b2c3d.part"
    part.touch()
    assert outputs.left() == [staged]
    assert part.exists(), "another program may be writing it"
    os.utime(part, (0, 0))
    assert outputs.left() == [staged]
    assert not part.exists()


def test_record_of_a_relative_folder_is_not_used(outputs: Outputs, staged: Staged, tmp_path: Path) -> None:
    record = tmp_path / "jobs.db.outputs" / attempt()
    record.write_text(json.dumps(json.loads(record.read_text()) | {"destination": "out"}))
    assert outputs.left() == []


def test_folder_on_a_disk_that_is_not_mounted_is_published_later(
    outputs: Outputs, staged: Staged, destination: Path
) -> None:
    write(staged.folder, a_txt="A")
    destination.rename(destination.with_name("unmounted"))
    for act in (outputs.publish, outputs.discard):
        with pytest.raises(FileNotFoundError):
            act(staged)
    destination.with_name("unmounted").rename(destination)
    outputs.publish(staged)
    assert content(destination) == {"a.txt": "A"}


def test_record_of_a_folder_that_is_missing_for_long_is_removed(
    outputs: Outputs, staged: Staged, destination: Path, tmp_path: Path
) -> None:
    staged.folder.rmdir()
    destination.rmdir()
    os.utime(tmp_path / "jobs.db.outputs" / attempt(), (0, 0))
    outputs.publish(staged)
    assert outputs.left() == []


def test_folder_of_an_earlier_attempt_with_the_same_token_is_emptied(outputs: Outputs, staged: Staged) -> None:
    write(staged.folder, a_txt="A")
    again = outputs.begin(attempt(), staged.destination, replaces=False)
    assert content(again.folder) == {}


def test_folder_that_can_not_be_written_is_a_plain_reason(outputs: Outputs, tmp_path: Path) -> None:
    with pytest.raises(FileError) as failed:
        outputs.begin(attempt(), tmp_path / "missing", replaces=False)
    assert failed.value.reason.code is ReasonCode.OUTPUT_NOT_WRITTEN
    assert outputs.left() == []
    (tmp_path / "file").touch()
    for template in ("{folder}/file", f"{tmp_path}/file/x", f"{tmp_path}/file"):
        with pytest.raises(FileError):
            create_destination(template, {"folder": str(tmp_path), "name": "n"})


def test_records_that_can_not_be_written_are_a_plain_reason(tmp_path: Path, destination: Path) -> None:
    (tmp_path / "jobs.db.outputs").write_text("not a folder")
    with pytest.raises(FileError) as failed:
        Outputs(tmp_path / "jobs.db", "me").begin(attempt(), destination, replaces=False)
    assert failed.value.reason.code is ReasonCode.OUTPUT_NOT_WRITTEN
    assert list(destination.iterdir()) == []


def test_output_folder_that_the_command_has_removed_is_a_plain_reason(outputs: Outputs, staged: Staged) -> None:
    staged.folder.rmdir()
    with pytest.raises(FileError) as failed:
        outputs.check(staged, most_bytes=MB)
    assert failed.value.reason.code is ReasonCode.OUTPUT_NOT_WRITTEN


@pytest.mark.parametrize("name", ["../../etc", "x", "00000000-0000-4000-8000-000000000000"])
def test_only_the_id_of_an_attempt_names_a_folder(outputs: Outputs, destination: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not the ID of an attempt"):
        outputs.begin(name, destination, replaces=False)


def test_numbers_are_not_tried_for_ever(
    outputs: Outputs, staged: Staged, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs_module, "_MOST_NUMBERED", 3)
    for name in ("a.txt", "a (2).txt", "d", "d (2)"):
        (destination / name).touch()
    write(staged.folder, a_txt="A")
    with pytest.raises(FileExistsError):
        outputs.publish(staged)
    (staged.folder / "a.txt").unlink()
    write(staged.folder, d__b_txt="B")
    with pytest.raises(FileExistsError):
        outputs.publish(staged)
    assert outputs.left() == [staged], "it is tried again"


def test_planted_link_in_place_of_the_output_folder_is_not_followed(
    outputs: Outputs, staged: Staged, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere, x="secret")
    staged.folder.rmdir()
    staged.folder.symlink_to(elsewhere)
    outputs.publish(staged)
    assert content(elsewhere) == {"x": "secret"}
    again = outputs.begin(attempt(), staged.destination, replaces=False)
    assert not again.folder.is_symlink(), "the link is replaced by a new folder"
    assert content(elsewhere) == {"x": "secret"}


class Interrupted(BaseException):
    """Stands for a kill."""


def _states(step: Callable[[], object], monkeypatch: pytest.MonkeyPatch, calls: int) -> bool:
    """Call a function that is interrupted before its n-th change to the file system; return whether it was."""
    left = itertools.count(calls, -1)

    def guarded(change: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if next(left) <= 0:
                raise Interrupted
            return change(*args, **kwargs)

        return wrapper

    with monkeypatch.context() as patch:
        for name in ("link", "unlink", "rename", "rmdir", "replace"):
            patch.setattr(os, name, guarded(getattr(os, name)))
        renameat2 = outputs_module._renameat2()
        patch.setattr(outputs_module, "_renameat2", lambda: None if renameat2 is None else guarded(renameat2))
        try:
            step()
        except Interrupted:
            return True
    return False


@pytest.mark.parametrize("has_renameat2", [True, False])
@pytest.mark.parametrize("replaces", [False, True])
def test_publishing_that_is_interrupted_anywhere_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_renameat2: bool, replaces: bool
) -> None:
    """Each file is there once in the end, and whole at each moment."""
    if not has_renameat2:
        monkeypatch.setattr(outputs_module, "_renameat2", lambda: None)
    for calls in range(100):
        folder = tmp_path / f"{calls}"
        destination = folder / "out"
        destination.mkdir(parents=True)
        outputs = Outputs(folder / "jobs.db", "me")
        staged = outputs.begin(attempt(), destination, replaces=replaces)
        write(destination, a_txt="old", sub__b_txt="old")
        write(staged.folder, a_txt="A", sub__b_txt="B", sub__c_txt="C", d_txt="D", new__e_txt="E")
        was_interrupted = _states(partial(outputs.publish, staged), monkeypatch, calls)
        for one in outputs.left():
            outputs.publish(one)
        expected = {"a.txt": "A", "sub/b.txt": "B", "sub/c.txt": "C", "d.txt": "D", "new/e.txt": "E"}
        if not replaces:
            expected |= {"a.txt": "old", "a (2).txt": "A", "sub/b.txt": "old", "sub/b (2).txt": "B"}
        assert content(destination) == expected, calls
        assert outputs.left() == []
        if not was_interrupted:
            return
    pytest.fail("it did not end")


@pytest.mark.parametrize("has_renameat2", [True, False])
def test_two_programs_can_publish_the_same_files_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_renameat2: bool
) -> None:
    if not has_renameat2:
        monkeypatch.setattr(outputs_module, "_renameat2", lambda: None)
    destination = tmp_path / "out"
    destination.mkdir()
    outputs = Outputs(tmp_path / "jobs.db", "me")
    staged = outputs.begin(attempt(), destination, replaces=False)
    names = [f"{number}.txt" for number in range(300)]
    for name in names:
        (staged.folder / name).write_text(name)
        (destination / name).write_text("old")
    errors: list[OSError] = []

    def publish() -> None:
        try:
            outputs.publish(staged)
        except OSError as error:  # the other one has removed the folder; a later call ends it
            errors.append(error)

    threads = [threading.Thread(target=publish) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(error, FileNotFoundError) for error in errors)
    new = [name for name in content(destination) if name not in names]
    assert sorted(new) == sorted(f"{number} (2).txt" for number in range(300))


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP])
def test_file_system_without_links_is_published_to(
    outputs: Outputs, staged: Staged, destination: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, "no")

    monkeypatch.setattr(outputs_module, "_renameat2", lambda: None)
    monkeypatch.setattr(os, "link", refuse)
    write(destination, a_txt="old")
    write(staged.folder, a_txt="A", b_txt="B")
    outputs.publish(staged)
    assert content(destination) == {"a.txt": "old", "a (2).txt": "A", "b.txt": "B"}


# What commands write.


class Commands:
    def __init__(self, runner: CommandRunner, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "a.txt"
        self.file.write_text("x")
        self.outputs = Outputs(folder / "jobs.db", "me")
        self.runner = runner

    def run(self, script: str, path: str = "", output: str = "{folder}/out", **fields: Any) -> FileResult:
        argv = ("sh", "-c", script, "sh", "{path}", "{out}", "{stem}")
        preset = Preset("test", argv=argv, output=output, **fields)
        registry = ProcessorRegistry([CommandProcessor(preset, self.runner, self.outputs)], outputs=self.outputs)
        return registry.process(path or str(self.file), RecordingWatch(), processor="command:test")

    def refused(self, script: str, **fields: Any) -> str:
        with pytest.raises(FileError) as failed:
            self.run(script, **fields)
        assert failed.value.reason.code is ReasonCode.OUTPUT_REFUSED
        assert self.outputs.left() == []
        assert list((self.folder / "out").rglob("*")) == []
        return failed.value.text


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    runner = CommandRunner()
    yield Commands(runner, tmp_path)
    runner.close()


def test_output_of_a_command_is_published_after_its_result_was_accepted(commands: Commands) -> None:
    result = commands.run('cp "$1" "$2/$3.copy"; pwd')
    out = commands.folder / "out"
    assert result.staged is not None
    assert result.values == {
        "exit_code": 0,
        "printed": str(result.staged.folder),
        "output": f"{out}/a.copy",
        "output_files": 1,
    }
    assert content(out) == {f"{result.staged.folder.name}/a.copy": "x"}
    commands.outputs.publish(result.staged)
    assert content(out) == {"a.copy": "x"}


def test_several_files_are_counted_and_none_is_no_error(commands: Commands) -> None:
    many = commands.run("mkdir d; touch a b d/c").values
    assert (many["output_files"], many["output"]) == (3, f"{commands.folder}/out")
    assert commands.run("true").values == {"exit_code": 0, "output_files": 0}


def test_command_that_fails_leaves_nothing(commands: Commands) -> None:
    with pytest.raises(FileError):
        commands.run("touch a; exit 1")
    with pytest.raises(FileError):
        commands.run("touch a; echo '{{\"a\": []}}'")
    assert commands.outputs.left() == []
    assert list((commands.folder / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("ln -s /etc/passwd x", "“x” is a link"),
        ("ln -s . x", "“x” is a link"),
        ("mkdir d; ln -s ../../a.txt d/x", "“x” is a link"),
        ('ln "$1" x', "“x” is a link"),
        ("mkfifo x", "“x” is not a regular file"),
        ("touch CON", "“CON” is the name of a device"),
        ("touch nul.txt", "“nul.txt” is the name of a device"),
        ("mkdir d; touch d/Lpt1.tar.gz", "“Lpt1.tar.gz” is the name of a device"),
        ("truncate -s 2000000 x", "more than 1 MB"),
        ("truncate -s 600000 x y", "more than 1 MB"),
        ("d=.; i=0; while [ $i -lt 52 ]; do d=$d/d; mkdir $d; i=$((i+1)); done", "more than 50 folders"),
    ],
)
def test_output_that_is_not_allowed_is_refused(commands: Commands, script: str, why: str) -> None:
    assert why in commands.refused(script, most_output_mb=1)
    assert commands.file.read_text() == "x"


def test_too_many_files_are_refused(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs_module, "MOST_FILES", 5)
    assert "more than 5 files" in commands.refused("touch 1 2 3 4 5 6")
    assert commands.run("touch 1 2 3 4 5").values["output_files"] == 5


def test_destination_next_to_the_file_may_not_be_a_link(commands: Commands, tmp_path: Path) -> None:
    """Whoever has made the folder with the file could choose any folder of this user."""
    (tmp_path / "home").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "home")
    with pytest.raises(FileError) as failed:
        commands.run("touch a")
    assert failed.value.reason.code is ReasonCode.OUTPUT_REFUSED
    assert list((tmp_path / "home").iterdir()) == []


def test_destination_that_the_preset_names_may_be_a_link(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "home")
    assert commands.run("touch a", output=f"{tmp_path}/link/{{stem}}").staged is not None
    assert (tmp_path / "home" / "a").is_dir()


@pytest.mark.parametrize("values", [{"stem": ".."}, {"stem": "."}, {"stem": ""}, {"stem": "NUL"}])
def test_name_of_a_file_can_not_leave_the_destination(tmp_path: Path, values: dict[str, str]) -> None:
    for template in (f"{tmp_path}/a/{{stem}}", "{folder}/a/{stem}"):
        with pytest.raises(FileError) as failed:
            create_destination(template, {"folder": str(tmp_path), **values})
        assert failed.value.reason.code is ReasonCode.OUTPUT_REFUSED


@pytest.mark.parametrize("name", ["...txt", "..txt", "....txt", "..", ".", "a."])
def test_odd_names_of_files_stay_in_the_destination(commands: Commands, tmp_path: Path, name: str) -> None:
    if name in {".", ".."}:
        return
    file = tmp_path / "in" / name
    file.parent.mkdir()
    file.write_text("x")
    result = commands.run("touch a", path=str(file), output="{folder}/out/{stem}")
    assert result.staged is not None
    assert result.staged.destination.resolve().parent == file.parent / "out"


def test_destination_in_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    values = {"name": "n", "folder": "/x", "ext": "jpg"}
    assert create_destination("~/done/{ext}s", values) == tmp_path / "done" / "jpgs"
    assert create_destination("{folder}/../b", values | {"folder": str(tmp_path / "done")}).resolve() == tmp_path / "b"
    assert create_destination("{folder}", values | {"folder": str(tmp_path)}) == tmp_path
