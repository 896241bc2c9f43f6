"""Many programs start and end at the same moment on a home that does not exist yet, with any umask."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import open_program
from tests.end_to_end.test_terminal import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask"),
]


def accessible_to_others(home: Path) -> list[str]:
    return [str(path) for path in (home, *home.rglob("*")) if stat.S_IMODE(path.lstat().st_mode) & 0o077]


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_twenty_programs_start_and_end_at_once(filemill_home: Path, tmp_path: Path, umask: int) -> None:
    file = tmp_path / "a.txt"
    file.write_text("a\n")
    commands = (["submit", str(file)], ["status"], ["worker", "--until-idle"])
    programs = [
        subprocess.Popen(
            [*PROGRAM, *commands[number % 3]],
            umask=umask,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(20)
    ]
    outcomes = [(program.communicate(timeout=120)[1], program.returncode) for program in programs]
    assert [outcome for outcome in outcomes if outcome[1]] == []
    assert accessible_to_others(filemill_home) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_home_that_everybody_could_access_is_made_private(filemill_home: Path) -> None:
    for folder in (filemill_home, filemill_home / "logs", filemill_home / "run", filemill_home / "filemill.db.workers"):
        folder.mkdir(mode=0o755)
    for name in ("filemill.db.lock", "settings.toml.lock", "run/window-1.lock", "logs/filemill.log"):
        (filemill_home / name).touch(mode=0o644)
    open_program().close()
    assert accessible_to_others(filemill_home) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_folder_with_other_files_keeps_its_permissions(filemill_home: Path) -> None:
    filemill_home.mkdir(mode=0o755)
    (filemill_home / "diary.txt").touch(mode=0o644)
    open_program().close()
    assert accessible_to_others(filemill_home) == [str(filemill_home), str(filemill_home / "diary.txt")]
