"""Trying a command on one file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.config.presets import Preset
from desktop_app.domain.errors import KnownError
from desktop_app.domain.reasons import ReasonCode
from desktop_app.services.command_trial import try_preset

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "a b.txt"
    file.write_text("x")
    return file


def shell(script: str, **fields: Any) -> Preset:
    return Preset("test", argv=("sh", "-c", script, "sh", "{path}", "{stem}"), **fields)


def test_trial_shows_what_was_run_and_what_came_out(file: Path) -> None:
    trial = try_preset(shell('cp "$1" "$2"; echo one; echo two >&2; echo last', output="{folder}/out"), str(file))
    assert trial.argv[0].endswith("/sh")
    assert trial.argv[-2:] == (str(file), "a b")
    assert trial.end is not None
    assert (trial.end.code, trial.end.out, trial.end.err) == (0, "one\nlast\n", "two\n")
    assert trial.end.seconds < 60
    assert (trial.reason, trial.values) == (None, {"exit_code": 0, "printed": "last", "output_files": 1})
    assert trial.files == ("a b",)
    assert (trial.folder / "a b").read_text() == "x"
    trial.close()
    trial.close()
    assert not trial.folder.exists()
    assert [path.name for path in file.parent.iterdir()] == [file.name], "nothing is written to the output folder"


def test_trial_of_a_command_that_fails_has_the_reason(file: Path) -> None:
    trial = try_preset(shell("echo bad >&2; exit 3"), str(file))
    assert trial.reason is not None
    assert (trial.reason.code, trial.reason.arguments["why"]) == (ReasonCode.COMMAND_FAILED, "bad")
    assert trial.end is not None
    assert trial.end.code == 3
    trial.close()


def test_trial_of_a_program_that_is_not_installed(file: Path) -> None:
    trial = try_preset(Preset("test", argv=("no-such-program", "{path}")), str(file))
    assert trial.reason is not None
    assert (trial.reason.code, trial.end) == (ReasonCode.NOT_AVAILABLE, None)
    assert trial.argv == ("no-such-program", str(file))
    trial.close()


def test_trial_of_output_that_is_refused(file: Path) -> None:
    trial = try_preset(shell("ln -s / x", output="{folder}"), str(file))
    assert trial.reason is not None
    assert trial.reason.code is ReasonCode.OUTPUT_REFUSED
    trial.close()


def test_cancelled_trial_leaves_nothing(
    file: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with pytest.raises(KnownError, match="was stopped"):
        try_preset(shell("sleep 1000"), str(file), cancelled=lambda: True)
    assert list(folder.iterdir()) == []
