"""The command `filemill preset`."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from desktop_app.config.presets import Preset, load_presets, preset_text, save_preset

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")

COUNT = Preset("count", "Count “bytes”", ("wc", "-c", "{path}"))
FAIL = Preset("fail", argv=("sh", "-c", "printf 'bad \\033[1m' >&2; exit 3"))
COPY = Preset("copy", argv=("cp", "{path}", "{out}"), output="{folder}/copies", environment=("X",), conflict="replace")


@pytest.fixture
def settings(filemill_home: Path) -> Path:
    file = filemill_home / "settings.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    for preset in (COUNT, FAIL, COPY):
        save_preset(file, preset)
    return file


def test_commands_are_listed_and_shown(cli: Cli, settings: Path) -> None:
    assert cli("preset", "list").out.splitlines() == [
        "command:count: Count “bytes”",
        "command:fail: fail",
        "command:copy: copy",
    ]
    shown = cli("preset", "show", "command:count")
    assert shown.out.strip() == preset_text([COUNT]).strip()


def test_command_that_is_not_valid_is_reported(cli: Cli, settings: Path) -> None:
    settings.write_text(settings.read_text() + '\n[[command]]\nname = "odd"\nargv = ["a", "{b}"]\n')
    outcome = cli("preset", "list")
    assert len(outcome.out.splitlines()) == 3
    assert "odd" in outcome.err


def test_command_is_tried_on_one_file(cli: Cli, settings: Path, tmp_path: Path) -> None:
    file = tmp_path / "a b.txt"
    file.write_text("xyz")
    outcome = cli("preset", "try", "count", file)
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0].startswith("Runs: /")
    assert lines[0].endswith(f"/wc -c '{file}'")
    assert lines[1:3] == ["Prints:", f"    3 {file}"]
    assert lines[3].startswith("Ends with exit code 0 after ")
    assert lines[4:] == [f"Result: printed = 3 {file}", "Result: exit_code = 0", "The file would be PROCESSED."]
    outcome = cli("preset", "try", "fail", file)
    assert outcome.code == 1
    assert "    bad \\x1b[1m" in outcome.out
    assert "The file would be FAILED: The command failed (exit code 3): bad \\x1b[1m" in outcome.out
    assert "Writes: a b.txt" in cli("preset", "try", "copy", file).out
    assert not (tmp_path / "copies").exists()


def test_exported_command_is_imported_after_a_look(
    cli: Cli, settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "copy.toml"
    assert cli("preset", "export", "copy", file).code == 0
    assert cli("preset", "export", "copy", file).code == 1, "the file exists"
    assert cli("preset", "remove", "copy").code == 0
    outcome = cli("preset", "import", file)
    assert (outcome.code, "copy" in load_presets(settings).valid) == (2, False)
    for words in ("cp '{path}' '{out}'", "{folder}/copies, replacing files", "variables X"):
        assert words in outcome.err

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for answer, code in (("n\n", 1), ("", 1), ("y\n", 0)):
        assert "copy" not in load_presets(settings).valid
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        assert cli("preset", "import", file).code == code
    assert load_presets(settings).valid["copy"] == COPY
    assert "replaces the one of this name" in cli("preset", "import", "--yes", file).err


def test_offered_commands_are_those_whose_programs_are_installed(cli: Cli, settings: Path) -> None:
    assert "words: Count words (wc)" in cli("preset", "offered").out
    assert cli("preset", "add-offered", "words").code == 0
    assert load_presets(settings).valid["words"].argv == ("wc", "-w", "{path}")
    assert "words" not in cli("preset", "offered").out
    outcome = cli("preset", "add-offered", "words")
    assert (outcome.code, "not offered" in outcome.err) == (1, True)


@pytest.mark.parametrize(
    "words",
    [(), ("turn",), ("show",), ("show", "a", "b"), ("try", "count"), ("show", "missing"), ("remove", "missing")],
)
def test_wrong_use_is_explained(cli: Cli, settings: Path, words: tuple[str, ...]) -> None:
    outcome = cli("preset", *words)
    assert outcome.code == 2
    assert len(outcome.complaints) == 1


def test_files_are_processed_with_a_command(cli: Cli, settings: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("xyz")
    assert cli("submit", "--processor", "command:copy", file).code == 0
    assert cli("submit", "--processor", "command:copy", "--option", "argv=rm", file).code == 2
    assert cli("worker", "--until-idle").code == 0
    (job,) = cli("status", "--json").jobs
    assert (job["status"], job["processor"]) == ("PROCESSED", "command:copy")
    assert job["result"] == {"exit_code": 0, "output": f"{tmp_path}/copies/a.txt", "output_files": 1}
    assert (tmp_path / "copies" / "a.txt").read_text() == "xyz"
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["a.txt"]
    assert json.loads(cli("processors", "--json").out.splitlines()[-1])["name"] == "command:copy"
