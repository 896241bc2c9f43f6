"""How the command line is parsed, and how errors are reported."""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from desktop_app import __version__
from desktop_app.__main__ import main
from desktop_app.cli.commands import COMMANDS
from desktop_app.cli.main import NAMES, run
from desktop_app.domain.errors import KnownError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.cli.conftest import Cli


class Window:
    """A window that records the paths it was opened with."""

    def __init__(self, code: int = 0) -> None:
        self.opened: list[list[str]] = []
        self._code = code

    def __call__(self, paths: Sequence[str]) -> int:
        self.opened.append(list(paths))
        return self._code


def test_version_is_the_packages(cli: Cli) -> None:
    outcome = cli("--version")
    assert (outcome.code, outcome.out, outcome.err) == (0, f"filemill {__version__}\n", "")


def test_help_names_every_command_variable_and_exit_code(cli: Cli) -> None:
    outcome = cli("--help")
    assert outcome.code == 0
    for command in COMMANDS:
        assert f"filemill {command.name} {command.usage}".rstrip() in outcome.out
    for text in ("[PATH …]", "FILEMILL_HOME", "FILEMILL_DATABASE", "FILEMILL_QUEUE", "AWS_PROFILE", "--debug"):
        assert text in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_explains_the_options_of_its_usage(cli: Cli, command: object) -> None:
    name, usage = command.name, command.usage  # type: ignore[attr-defined]
    outcome = cli(name, "--help")
    assert outcome.code == 0
    assert max(map(len, outcome.out.splitlines())) <= 80
    for word in usage.replace("[", " ").replace("]", " ").replace("(", " ").replace(")", " ").split():
        if word.startswith("--"):
            assert f"  {word}" in outcome.out


def test_no_arguments_open_an_empty_window() -> None:
    window = Window()
    assert run([], open_window=window) == 0
    assert window.opened == [[]]


@pytest.mark.parametrize(
    ("words", "opened"),
    [
        (["a.txt", "https://x.test/b"], ["a.txt", "https://x.test/b"]),
        (["./status"], ["./status"]),
        (["a.txt", "status"], ["a.txt", "status"]),
        (["--", "status"], ["status"]),
        (["--", "--version"], ["--version"]),
        (["a.txt", "--", "-b", "--"], ["a.txt", "-b", "--"]),
        (["--debug", "a.txt"], ["a.txt"]),
        (["a.txt", "--debug"], ["a.txt"]),
        (["--debug", "--", "--debug"], ["--debug"]),
        (["caf\udce9.txt"], ["caf\udce9.txt"]),
    ],
)
def test_paths_open_the_window(words: list[str], opened: list[str]) -> None:
    window = Window()
    assert run(words, open_window=window) == 0
    assert window.opened == [opened]


def test_names_are_those_of_the_commands() -> None:
    assert [command.name for command in COMMANDS] == list(NAMES)


def test_exit_code_of_the_window_is_passed_on() -> None:
    assert run([], open_window=Window(2)) == 2


def test_entry_point_opens_the_real_window(monkeypatch: pytest.MonkeyPatch) -> None:
    window = Window()
    app = ModuleType("desktop_app.window_app")
    app.make_application = object  # type: ignore[attr-defined]
    app.run_window = lambda _application, paths, _signals: window(paths)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "desktop_app.window_app", app)
    monkeypatch.setattr(sys, "argv", ["filemill", "a.txt"])
    assert main() == 0
    assert window.opened == [["a.txt"]]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--no-such-option"], "unrecognized arguments: --no-such-option"),
        (["status", "--jso"], "unrecognized arguments: --jso"),
        (["submit"], "Name at least one file"),
        (["submit", "--recursive"], "Name at least one file"),
        (["worker", "--concurrency", "0"], "from 1 to 64"),
        (["worker", "--concurrency", "65"], "from 1 to 64"),
        (["worker", "--concurrency", "٣"], "from 1 to 64"),
        (["worker", "--concurrency", "9" * 5000], "from 1 to 64"),
        (["worker", "--concurrency"], "expected one argument"),
        (["worker", "now"], "Unexpected argument “now”"),
        (["doctor", "a\nb"], "Unexpected argument “a\\nb”"),
        (["retry"], "--failed or IDs"),
        (["retry", "--failed", "0"], "--failed or IDs"),
        (["remove"], "--processed, --all or IDs"),
        (["remove", "--all", "--processed"], "--processed, --all or IDs"),
        (["export"], "Name one file"),
        (["export", "a.csv", "b.csv"], "Name one file"),
        (["export", "a.xlsx"], "“a.xlsx” does not end in .csv or .json"),
        (["stauts"], "Did you mean `filemill status`?"),
    ],
)
def test_invalid_command_line_is_one_sentence_and_exits_with_2(cli: Cli, words: list[str], complaint: str) -> None:
    outcome = cli(*words)
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.complaints
    assert line.startswith("filemill: ")
    assert complaint in line


def test_existing_file_with_a_name_like_a_command_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stauts").touch()
    window = Window()
    assert run(["stauts"], open_window=window) == 0
    assert window.opened == [["stauts"]]


def failing(error: BaseException) -> Window:
    class Failing(Window):
        def __call__(self, paths: Sequence[str]) -> int:
            raise error

    return Failing()


def test_known_error_is_one_plain_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([], open_window=failing(KnownError("It rains.", detail="12 mm"))) == 1
    assert capsys.readouterr() == ("", "filemill: It rains.\n")


def test_known_error_is_logged_with_its_detail(filemill_home: Path) -> None:
    run([], open_window=failing(KnownError("It rains.", detail="12 mm")))
    assert "It rains. 12 mm" in (filemill_home / "logs" / "filemill.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [["--debug"], ["a.txt", "--debug"]])
def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert run(words, open_window=failing(KnownError("It rains."))) == 1
    lines = capsys.readouterr().err.splitlines()
    assert "    Traceback (most recent call last):" in lines
    assert lines[-1] == "filemill: It rains."


def test_debug_behind_a_command_is_understood(cli: Cli) -> None:
    assert cli("status", "0", "--debug").code == 1


def test_debug_before_a_command_is_understood(cli: Cli) -> None:
    assert cli("--debug", "status", "0").code == 1


@pytest.mark.expected_log("a bug", level="ERROR")
def test_bug_is_a_sentence_with_the_logs_path_and_is_logged(
    capsys: pytest.CaptureFixture[str], filemill_home: Path
) -> None:
    assert run([], open_window=failing(ZeroDivisionError("sixty-four"))) == 1
    out, err = capsys.readouterr()
    log = filemill_home / "logs" / "filemill.log"
    assert out == ""
    assert err.count("\n") == 1
    assert str(log) in err
    assert "ZeroDivisionError: sixty-four" in log.read_text(encoding="utf-8")


def test_ctrl_c_exits_with_1_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([], open_window=failing(KeyboardInterrupt())) == 1
    assert capsys.readouterr() == ("", "filemill: Stopped.\n")


def test_invalid_settings_file_is_reported_and_kept(cli: Cli, filemill_home: Path) -> None:
    filemill_home.mkdir()
    settings = filemill_home / "settings.toml"
    settings.write_text("queue = [", encoding="utf-8")
    outcome = cli("status")
    assert outcome.code == 1
    assert len(outcome.complaints) == 1
    assert str(settings) in outcome.err
    assert settings.read_text(encoding="utf-8") == "queue = ["


def test_database_of_a_newer_version_is_refused_and_kept(cli: Cli, filemill_home: Path) -> None:
    import sqlite3
    from contextlib import closing

    assert cli("status").code == 0
    database = filemill_home / "filemill.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        (table,) = connection.execute(
            "select name from sqlite_master where type = 'table' and name like '%migration%'"
        ).fetchone()
        columns = [row[1] for row in connection.execute(f"pragma table_info({table})")]
        values = [{"name": "9999_later"}.get(name) for name in columns]
        filled = [value if value is not None else "2030-01-01 00:00:00" for value in values]
        places = ["null" if name == "id" else "?" for name in columns]
        given = [value for name, value in zip(columns, filled, strict=True) if name != "id"]
        connection.execute(f"insert into {table} values ({', '.join(places)})", given)
    outcome = cli("status")
    assert outcome.code == 1
    assert len(outcome.complaints) == 1
    assert "newer version of Filemill" in outcome.err


def test_damaged_database_is_refused_and_kept(cli: Cli, filemill_home: Path) -> None:
    filemill_home.mkdir()
    database = filemill_home / "filemill.db"
    database.write_bytes(b"this is no database, " * 500)
    before = database.read_bytes()
    outcome = cli("status")
    assert (outcome.code, len(outcome.complaints)) == (1, 1)
    assert str(database) in outcome.err
    assert database.read_bytes() == before


def test_invalid_queue_name_is_a_sentence(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILEMILL_QUEUE", "not a name")
    outcome = cli("status")
    assert (outcome.code, len(outcome.complaints)) == (1, 1)
    assert "not a name" in outcome.err


# --- folders that can't be used


def in_removed_folder(tmp_path: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder that has been removed. In the tests' own process, imports could fail there."""
    script = 'mkdir removed && cd removed && rmdir ../removed && exec "$@"'
    command = ["sh", "-c", script, "sh", sys.executable, "-m", "desktop_app", *map(str, words)]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=120, check=False)


_NO_FOLDER = "The current folder was removed; change to another folder, or give an absolute path."


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the current folder can't be removed")
@pytest.mark.parametrize(
    ("variable", "words", "code", "complaint"),
    [
        ("", ["export", "out.csv"], 1, "filemill: out.csv can't be written: the current folder was removed."),
        ("", ["export", "../out.json"], 1, "filemill: ../out.json can't be written: the current folder was removed."),
        ("", ["submit", "a.txt"], 1, f"filemill: a.txt: {_NO_FOLDER}"),
        (
            "FILEMILL_HOME",
            ["status"],
            1,
            "filemill: FILEMILL_HOME is “relative”, a relative path, but the current folder",
        ),
        (
            "FILEMILL_HOME",
            ["a.txt"],
            1,
            "filemill: FILEMILL_HOME is “relative”, a relative path, but the current folder",
        ),
        ("FILEMILL_DATABASE", ["status"], 1, "filemill: FILEMILL_DATABASE is “relative”, a relative path, but the"),
        ("FILEMILL_DATABASE", ["worker"], 1, "filemill: FILEMILL_DATABASE is “relative”, a relative path, but the"),
    ],
)
def test_relative_path_without_a_current_folder_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, words: list[str], code: int, complaint: str
) -> None:
    if variable:
        monkeypatch.setenv(variable, "relative")

    outcome = in_removed_folder(tmp_path, *words)

    assert outcome.returncode == code
    assert outcome.stderr.startswith(complaint)
    assert len(outcome.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the current folder can't be removed")
def test_absolute_paths_work_without_a_current_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\n")
    for words, said in (
        (["submit", tmp_path / "a.txt", f"file://{tmp_path}/a.txt"], "Added 1 file"),
        (["worker", "--until-idle"], "1 PROCESSED"),
        (["status", "--json"], '"lines_count": 1'),
        (["export", tmp_path / "out.json"], ""),
        (["retry", "--failed"], ""),
        (["remove", "--all"], ""),
        (["doctor"], "✓"),
    ):
        outcome = in_removed_folder(tmp_path, *words)
        assert outcome.returncode == 0, outcome.stderr
        assert said in outcome.stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no line breaks in names")
@pytest.mark.parametrize(
    ("named", "complaint"),
    [
        ("relative", ""),
        ("two\nlines", ""),
        ("\x1b[31mred", ""),
        (" ", ""),
        ("bytes \udcff", ""),
        ("file", "{folder}/file can't be used: it, or a part of its path, is not a folder"),
        ("file/below", "{folder}/file/below can't be used: it, or a part of its path, is not a folder"),
        ("file/two\nlines", "{folder}/file/two\\nlines can't be used: it, or a part of its path, is not a folder"),
        ("link", "{folder}/link can't be used: it, or a part of its path, is not a folder"),
        ("/dev/null", "/dev/null can't be used: it, or a part of its path, is not a folder"),
        ("/proc/none", "/proc/none can't be used: No such file or directory. Make it writable"),
        ("x" * 300, "can't be used: File name too long. Make it writable"),
        ("~nobody-of-this-name/x", "FILEMILL_HOME is “~nobody-of-this-name/x”, but there is no such user"),
    ],
)
def test_home_folder_is_used_or_refused_in_one_sentence(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, complaint: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FILEMILL_HOME", named)

    outcome = cli("status", "--json")

    if complaint:
        assert outcome.code == 1
        [line] = outcome.complaints
        assert complaint.format(folder=tmp_path) in line
    else:
        assert outcome.code == 0
        assert (tmp_path / named / "filemill.db").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_pipes_in_the_home_folder_do_not_block(cli: Cli, filemill_home: Path) -> None:
    (filemill_home / "logs").mkdir(parents=True)
    os.mkfifo(filemill_home / "logs" / "filemill.log")
    assert cli("status", "--json").code == 0

    os.mkfifo(filemill_home / "settings.toml")
    outcome = cli("status")
    assert outcome.code == 1
    assert len(outcome.complaints) == 1
    assert "settings.toml is not a regular file" in outcome.err
