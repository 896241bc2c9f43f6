"""`filemill watch`, with real folders and loops, and a stop signal once the test has seen what it expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pytest

from desktop_app.cli import watching
from desktop_app.cli.jobs import LOCAL_HINT
from desktop_app.services.adding.watching import WatchingLoop
from tests.helpers import wait_until
from tests.helpers.fakes import OFFLINE

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Cli, JobSetup


class Script:
    """Stop signals for which the first pause performs what the test does while the command is running."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act: Callable[[], object] | None = act
        self.is_stopped = False

    def __call__(self) -> Self:
        return self

    def pause(self, _: float) -> bool:
        if self._act is not None:
            act, self._act = self._act, None
            act()
        return False

    def set(self) -> None:
        self.is_stopped = True

    def is_set(self) -> bool:
        return self.is_stopped

    def close(self) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


class Watching:
    """Runs the command while a test does something."""

    def __init__(self, cli: Cli, setup: JobSetup, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cli = cli
        self.setup = setup
        self.patch = monkeypatch

    def __call__(self, *words: str | Path, act: Callable[[], object]) -> tuple[int, str, str]:
        self.patch.setattr(watching, "StopSignals", Script(act))
        outcome = self.cli("watch", "--settle", "1", *words)
        return outcome.code, outcome.out, outcome.err

    def is_begun(self) -> bool:
        program = self.setup.program
        from desktop_app.bootstrap import watched_folders

        return [one.is_begun for one in watched_folders(program).all(in_window=False)] == [True]

    def wait_for(self, *names: str) -> None:
        wait_until(lambda: sorted(self.setup.names()) == sorted(names))


@pytest.fixture
def watch(cli: Cli, setup: JobSetup, monkeypatch: pytest.MonkeyPatch) -> Watching:
    return Watching(cli, setup, monkeypatch)


def test_files_that_come_are_added_and_those_that_were_there_are_left(watch: Watching, folder: Path) -> None:
    (folder / "old.csv").write_text("old")

    def act() -> None:
        wait_until(watch.is_begun)
        (folder / "a.csv").write_text("a")
        (folder / "b.txt").write_text("b")
        (folder / "sub").mkdir()
        (folder / "sub" / "c c.csv").write_text("c")
        watch.wait_for("a.csv", "c c.csv")

    code, out, err = watch("--pattern", "*.csv", folder, act=act)
    assert code == 0
    assert out in {"Added 2 files.\n", "Added 1 file.\nAdded 1 file.\n"}
    assert err.splitlines() == [f"filemill: Watching “{folder}”.", f"filemill: {LOCAL_HINT}"]
    (batch,) = {job.batch_name for job in watch.setup.program.jobs.all()}
    assert batch.startswith("in 20")


def test_restart_adds_what_came_in_between_and_nothing_twice(watch: Watching, folder: Path) -> None:
    (folder / "a.csv").write_text("a")
    watch("--existing", "add", folder, act=lambda: watch.wait_for("a.csv"))
    (folder / "b.csv").write_text("b")
    code, out, _ = watch("--existing", "add", folder, act=lambda: watch.wait_for("a.csv", "b.csv"))
    assert (code, out) == (0, "Added 1 file.\n")


def test_exported_list_is_not_added(watch: Watching, folder: Path) -> None:
    watch(folder, act=lambda: wait_until(watch.is_begun))
    assert watch.cli("export", folder / "list.csv").code == 0
    (folder / "a.csv").write_text("a")
    code, out, _ = watch(folder, act=lambda: watch.wait_for("a.csv"))
    assert (code, out) == (0, "Added 1 file.\n")


def test_output_folder_of_a_command_is_not_watched(watch: Watching, folder: Path, filemill_home: Path) -> None:
    output = folder / "out"
    (filemill_home / "settings.toml").write_text(
        f'[[command]]\nname = "copy"\nargv = ["cp", "{{path}}", "{{out}}"]\noutput = "{output.as_posix()}"\n'
    )
    output.mkdir()
    (output / "b.csv").write_text("b")
    (folder / "a.csv").write_text("a")
    watch("--existing", "add", folder, act=lambda: watch.wait_for("a.csv"))
    assert watch.setup.names() == ["a.csv"]


def test_files_get_the_processor_and_its_options(watch: Watching, folder: Path) -> None:
    def act() -> None:
        watch.wait_for("a.csv")

    (folder / "a.csv").write_text("a")
    watch("--existing", "add", "--processor", "lines", folder, act=act)
    assert [(job.processor, job.options) for job in watch.setup.program.jobs.all()] == [("lines", "")]


def test_folder_that_is_not_there_is_said_and_waited_for(watch: Watching, folder: Path) -> None:
    (folder / "a.csv").write_text("a")
    later = folder.with_name("later")
    seen: list[object] = []
    report = WatchingLoop._report_changes

    def note(loop: WatchingLoop) -> None:
        report(loop)
        seen.append(loop._reported)

    watch.patch.setattr(WatchingLoop, "_report_changes", note)
    code, out, err = watch(later, act=lambda: wait_until(lambda: seen))
    assert (code, out) == (0, "")
    assert err == "filemill: The folder does not exist, or its disk is not connected.\n"


def test_error_of_the_queue_is_said_once_and_files_are_added_all_the_same(
    watch: Watching, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILEMILL_QUEUE", "q")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    class Connector:
        def connect(self) -> None:
            raise OFFLINE

        def interrupt(self) -> None: ...

        def give_up(self) -> None: ...

        def release_abandoned(self, _: object) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr("desktop_app.bootstrap.connect_queue", lambda *_: Connector())
    (folder / "a.csv").write_text("a")
    code, out, err = watch("--existing", "add", folder, act=lambda: watch.wait_for("a.csv"))
    assert (code, out) == (0, "Added 1 file.\n")
    assert err.count("Waiting: Can't reach it.") == 1


def test_loop_that_fails_ends_the_command(watch: Watching, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(WatchingLoop, "run", fail)
    stop = Script(lambda: wait_until(lambda: stop.is_stopped))
    monkeypatch.setattr(watching, "StopSignals", stop)
    with pytest.raises(BrokenPipeError):
        watching._watch(_options(folder))


def _options(folder: Path) -> Namespace:
    from desktop_app.cli.parser import command_parser, parse

    return parse(command_parser(watching.WATCH), [str(folder)])


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "Name one folder to watch."),
        (("a", "b"), "Name one folder to watch."),
        (("--settle", "0", "a"), "must be a whole number from 1 to 3600"),
        (("--settle", "3601", "a"), "must be a whole number from 1 to 3600"),
        (("--existing", "ask", "a"), "invalid choice"),
        (("--processor", "nothing", "a"), "There is no processor “nothing”"),
        (("--option", "a=b", "a"), "--option needs --processor."),
        (("https://example.com/a",), "is not a folder on this computer."),
    ],
)
def test_wrong_use_is_said(cli: Cli, setup: JobSetup, words: tuple[str, ...], problem: str) -> None:
    outcome = cli("watch", *words)
    assert outcome.code == 2
    assert problem in outcome.err
